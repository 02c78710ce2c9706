package group_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// After a Reset of their wave in Temporal groups are ordered by nobody: they stop between two instances, give back what
// they hold, free their locks, and leave in the evidence what the wave is rolled back by.
func TestAGroupStopsBetweenInstancesOnceItsWavesRunHasEnded(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended), Fleet: wavetest.Sized(4, 4, 4),
	})
	scene.WhenBaking(func() { scene.Orphaned = true })
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome, "%s", result.Reason)
	require.Len(t, scene.Effects("EnterStandby"), 1, "an instance was begun with nobody in control")
	require.Len(t, scene.Effects("ExitStandby"), 1, "the one under way was brought to its end")
	scene.RequireInvariants(result, wavetest.Except{})

	var left activities.WaveDocument
	production := patch.Group{
		Account: patch.Account{Name: "production", ID: "111122223333"}, Region: wavetest.Tokyo, AutoScalingGroup: "web",
	}
	require.NoError(t, scene.Store.GetWave(t.Context(), names.LeftOf("wave-test", production), &left))
	group := left.Result.Stages[0].Groups[0]
	require.Equal(t, patch.Aborted, group.Outcome)
	require.Contains(t, group.Reason, "the run of the wave that began this group has ended")
	require.Equal(t, 1, wavetest.Count(wavetest.ProductionOutcomes(&left.Result), patch.Patched))
	require.NotNil(t, group.Instances[0].Backup)
	require.Equal(t, "web", left.Plan.Stages[0].Service, "so that a roll back takes one instance at a time, too")
}

// A group that waits for a person who cannot reach it, and the lock of its service, end as well.
func TestAHeldGroupEndsOnceItsWavesRunHasEnded(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.PlanWith(
			"approval: {required: true, timeout: 24h}", "approval: {required: false}", "timeout: 30m", "timeout: 0s")),
		Fleet: wavetest.FailsOnce(wavetest.Sized(4, 4, 4)),
	})
	scene.Silent = true
	held, waited, ended := false, false, map[string]bool{}
	done := wavetest.Because("nothing is left of it")
	scene.Env.SetOnChildWorkflowCompletedListener(func(info *workflow.Info, _ converter.EncodedValue, err error) {
		ended[info.WorkflowExecution.ID] = err == nil
	})
	scene.When(wavetest.InState(patch.StateOnHold), func(patch.WaveStatus) {
		held, scene.Orphaned = true, true
		scene.Env.RegisterDelayedCallback(func() {
			if status, asks := scene.Status(); asks && status.State == patch.StateOnHold {
				waited = true
				scene.MustTake(patch.Abort, done)
			}
		}, 12*time.Hour)
	})
	scene.When(func(s patch.WaveStatus) bool {
		return held && s.State == patch.StateOnHold && ended[wavetest.ProductionLock] && ended["patch-service/web"]
	}, func(patch.WaveStatus) { scene.MustTake(patch.Abort, done) })
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, held)
	require.False(t, waited, "half a day later the locks were held still")
	require.Len(t, scene.Effects("EnterStandby"), 1)
	scene.RequireInvariants(result, wavetest.Except{})
}
