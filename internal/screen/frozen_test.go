package screen

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// A freeze is on the screen, and no end is foretold that it keeps from coming.
func TestAFreezeIsOnTheScreen(t *testing.T) {
	look := running(3)
	look.Status.ETA = &patch.ETA{Left: patch.Duration(25 * 60e9), Done: at(35, 0)}
	look.Status.Stages[1].ETA, look.Status.Stages[1].Groups[0].ETA = look.Status.ETA, look.Status.ETA
	require.Contains(t, watch(t, look).text(), "done about")
	look.Details.Waits.Frozen = patch.Freezes{{Account: "production", Actor: "ann", Reason: "incident", Since: at(10, 0)}}
	text := watch(t, look).text()
	require.Contains(t, text, "account production is frozen by ann since 2026-11-22 02:10 UTC: incident.")
	require.NotContains(t, text, "done about")
}
