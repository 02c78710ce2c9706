package payload_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/payload"
)

func TestWhatIsReadForPeopleIsPlain(t *testing.T) {
	type answer struct{ Reasons []string }
	sent, err := payload.NewGuard().ToPayloads(answer{[]string{"a\x1b[2Jb"}}, "c\x1b")
	require.NoError(t, err)
	var one answer
	var other string
	require.NoError(t, payload.NewPlain().FromPayloads(sent, &one, &other))
	require.Equal(t, []string{"a[2Jb"}, one.Reasons)
	require.Equal(t, "c", other)
	one = answer{}
	require.NoError(t, payload.NewPlain().FromPayload(sent.GetPayloads()[0], &one))
	require.Equal(t, []string{"a[2Jb"}, one.Reasons)
}
