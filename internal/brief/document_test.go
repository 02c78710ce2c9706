package brief_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/situations"
)

// The one that a hold is about is told where it asks; a list of what failed has it all the same, once there is one.
func TestAListOfWhatFailedIsWhole(t *testing.T) {
	all := situations.All()
	one := brief.Write(all["on hold"].Status, patch.Waits{}, brief.UTC, brief.UTC)
	require.Empty(t, one.Failures, "what is asked tells of it: %s", one.Asks)
	two := brief.Write(all["on hold over the second that failed"].Status, patch.Waits{}, brief.UTC, brief.UTC)
	require.Len(t, two.Failures, 2)
	require.Contains(t, two.Failures[0], "i-0d333333333333333 skipped: install: openssl")
	require.Contains(t, two.Failures[1], " rolled back: return to service: it is unhealthy")
}
