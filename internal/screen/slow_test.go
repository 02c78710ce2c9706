package screen

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// A look that takes long is told before it has failed.
func TestAnAnswerThatTakesLong(t *testing.T) {
	now := at(10, 3)
	w := watch(t, running(3), func(o *Options) { o.Now = func() time.Time { return now } })
	_, asks := w.Update(askMsg{})
	require.NotNil(t, asks)
	now = at(10, 5)
	w.Update(tickMsg{})
	require.NotContains(t, w.text(), "no answer yet", "most take a moment")
	now = at(10, 7)
	w.Update(tickMsg{})
	require.Contains(t, w.text(), "Asked 4s ago, and no answer yet. What is shown is of 02:10:00 UTC.")
	w.do(lookMsg(running(3)))
	require.NotContains(t, w.text(), "no answer yet")
}

// Who was not begun when the wave puts back has no turn to wait for.
func TestWhoWillHaveNoTurn(t *testing.T) {
	look := running(3)
	require.Contains(t, watch(t, look).text(), "i-0b000000000000002  waits for its turn")
	look.Status.State = patch.StateRollingBack
	require.Contains(t, watch(t, look).text(), "i-0b000000000000002  not begun")
}
