package main

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// TestCrashInASoak kills the worker, then worker and server at once, while a stage soaks: nothing of the wave is in AWS
// then, it is looked at on, and production follows as if nobody had died.
func TestCrashInASoak(t *testing.T) {
	t.Parallel()
	b := newCrashScene(t, "healthy")
	b.soaks = "4h" // a minute
	require.NoError(t, b.startWorker())
	const waveID = "wave-web-soaks"
	closed := b.drive(waveID)
	for _, who := range []victim{theWorker, both} {
		b.eventually(func() bool {
			status, err := b.statusOf(waveID)
			return err == nil && status.State == patch.StateSoaking && status.Stages[0].Soak.Looks > 0
		}, "it never soaked")
		require.Equal(t, b.before, fleetNow(b.aws), "nothing of the wave is left while it soaks")
		if who == both {
			_ = b.temporal.signal(syscall.SIGKILL) // recover waits for its end
		}
		b.worker.kill()
		require.NoError(t, b.recover(who))
	}
	require.NoError(t, <-closed)
	status, err := b.statusOf(waveID)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, status.Outcome, status.Reason)
	soak := status.Stages[0].Soak
	require.Empty(t, soak.CutBy)
	require.False(t, soak.Ended.Before(soak.Until), "it soaked for as long as it should: %+v", soak)
	require.Equal(t, patch.SoakWell, soak.Last.Verdict(), "%s", soak.Last)
	require.NoError(t, b.stopWorker())
	require.Empty(t, b.violations())
	for operation, times := range undisturbed["healthy"].effects {
		require.Equal(t, times, effects(b.aws.Events(), operation), "effects of %s", operation)
	}
	b.requireEvidence(waveID)
	fmt.Println("crash: 2 kills in a soak, 0 violations")
}

// statusOf asks the wave.
func (b *crashScene) statusOf(waveID string) (status patch.WaveStatus, err error) {
	ctx, cancel := context.WithTimeout(b.t.Context(), upBudget)
	defer cancel()
	value, err := b.client.QueryWorkflow(ctx, waveID, "", names.QueryStatus)
	if err == nil {
		err = value.Get(&status)
	}
	return status, err
}
