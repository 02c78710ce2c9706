package doctor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClocks(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	require.Zero(t, between(at(10), at(20), at(15)), "while it was read")
	require.Equal(t, -3*time.Second, between(at(10), at(20), at(7)))
	require.Equal(t, 5*time.Second, between(at(10), at(20), at(25)))
	require.Equal(t, OK, clock("AWS", -skewAllowed).State)
	for _, c := range []struct {
		whose string
		ahead time.Duration
		says  string
	}{
		{"AWS", 11 * time.Second, "11s behind AWS's: AWS may refuse every call from five minutes on"},
		{
			"AWS", 14*time.Minute + time.Second,
			"14m1s behind AWS's: AWS may refuse every call that is more than five minutes off",
		},
		{"Temporal", -time.Minute, "1m0s ahead of Temporal's: changes are held for too late, and are not sent to AWS"},
		{
			"Temporal", time.Minute,
			"1m0s behind Temporal's: a change may be sent to AWS after Temporal has given its attempt up",
		},
	} {
		result := clock(c.whose, c.ahead)
		require.Equal(t, Problem, result.State)
		require.Equal(t, "this machine's clock is "+c.says, result.Says)
	}
}
