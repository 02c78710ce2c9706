package wave_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// A hold over a quarantined instance says what failed first and why it is unfit to serve, and nothing of a root volume
// that was given back; the wave names it to its end.
func TestAHoldOverAQuarantinedInstanceTellsBothReasons(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch", Fleet: func(s *world.Scenario) {
		s.Faults.World = append(s.Faults.World, world.WorldFault{
			Kind: world.FaultRootReplaceDetaches, Account: wavetest.Production,
		})
	}})
	var asked patch.WaveStatus
	scene.When(func(s patch.WaveStatus) bool { return s.State == patch.StateOnHold }, func(s patch.WaveStatus) { asked = s })
	scene.Decide = []patch.Verb{patch.Abort}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, 1, wavetest.CountInProduction(result, patch.Quarantined), "%+v", result)
	for _, instance := range result.Stages[1].Groups[0].Instances {
		if instance.Outcome != patch.Quarantined {
			continue
		}
		require.Regexp(t, `^return to service: .* unhealthy in .*; unfit to serve: restore not proven: .* ended as failed-detached`,
			instance.Reason)
		require.Contains(t, asked.Awaiting, instance.Reason)
		require.Contains(t, brief.Of(asked).Quarantine(), instance.ID)
		status, answered := scene.Status()
		require.True(t, answered)
		require.Equal(t, patch.StateClosed, status.State)
		require.Contains(t, brief.Of(status).Quarantine(), instance.ID)
	}
	require.NotContains(t, asked.Awaiting, "A roll back puts back what is patched", "of production nothing is")
	require.NotContains(t, asked.Awaiting, "an instance that fails gets")
	for _, choice := range brief.Of(asked).Choices() {
		if choice.Verb == patch.Retry {
			require.Equal(t, "to go on with the others of this stage: what failed is quarantined and is not tried again, and "+
				"after this stage the wave ends failed", choice.When)
		}
	}
}

// A wave that goes on behind a quarantine ends failed, as its choices said, and says because of whom.
func TestAWaveThatEndsFailedByAQuarantineSaysSo(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch", Fleet: func(s *world.Scenario) {
		s.Faults.World = append(s.Faults.World, world.WorldFault{
			Kind: world.FaultRootReplaceDetaches, Account: wavetest.Production,
		})
	}})
	scene.Decide = slices.Repeat([]patch.Verb{patch.Skip}, 8)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
	group := result.Stages[1].Groups[0]
	first := slices.IndexFunc(group.Instances, func(r patch.InstanceResult) bool { return r.Outcome == patch.Quarantined })
	require.GreaterOrEqual(t, first, 0)
	require.Contains(t, result.Reason, group.Instances[first].ID+" quarantined: ")
}
