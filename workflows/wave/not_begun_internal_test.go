package wave

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Refused is told of our own verdicts only: what AWS failed is no reason to mend the plan.
func TestHowAWaveEndsThatDidNotBegin(t *testing.T) {
	typed := func(code string) error { return temporal.NewNonRetryableApplicationError("why", code, nil) }
	verdicts := []string{
		ErrGroupLocked, ErrServiceLocked, ErrWaveRunning, ErrDataLoss, ErrNotRestorable, ErrUnsupportedEvidence,
		activities.ErrInvalidInput, activities.ErrUnknownWave,
	}
	for _, check := range patch.Checks() {
		verdicts = append(verdicts, string(check.Code))
	}
	for _, code := range verdicts {
		require.Equal(t, patch.Refused, notBegun(typed(code)), code)
	}
	for _, code := range []string{"AccessDenied", activities.ErrEvidence, run.ErrQueueNotServed, ""} {
		require.Equal(t, patch.Failed, notBegun(typed(code)), code)
	}
	require.Equal(t, patch.Aborted, notBegun(temporal.NewCanceledError()))
}
