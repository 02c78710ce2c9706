package instance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// With `reboot: never` what was installed takes effect with a boot that others make: that is told, and the next wave
// takes nobody out for it.
func TestWhatWaitsForARebootIsToldAndNotTakenOutAgain(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config: wavetest.ProductionOnly(wavetest.PlanWith("approval: {required: true, timeout: 24h}",
			"approval: {required: false}", "backup: snapshot", "backup: snapshot\n    reboot: never")),
	})
	kernel := []string{"kernel.x86_64"}
	scene.Play(func(story wavetest.Story) {
		first := story.Wave("first")
		require.Equal(t, patch.Succeeded, first.Outcome)
		require.Contains(t, first.Reason, "production/ap-northeast-1/web: ")
		require.Contains(t, first.Reason, " waits for a reboot, which this wave leaves to others: kernel.x86_64")
		for _, instance := range first.Stages[0].Groups[0].Instances {
			require.Equal(t, patch.PatchedRebootPending, instance.Outcome, instance.Reason)
			require.Equal(t, kernel, instance.RebootPending)
			require.Contains(t, instance.Notes, "waits for a reboot, which this wave leaves to others: kernel.x86_64")
		}
		out, installs := len(scene.Effects("EnterStandby")), len(scene.Effects("StartAutomationExecution"))
		story.Later(time.Hour)
		second := story.Wave("second")
		require.Equal(t, patch.Succeeded, second.Outcome)
		require.Equal(t, first.Reason, second.Reason, "and it is told as long as it is so")
		for _, instance := range second.Stages[0].Groups[0].Instances {
			require.Equal(t, patch.RebootPending, instance.Outcome, instance.Reason)
			require.Equal(t, kernel, instance.RebootPending)
		}
		require.Len(t, scene.Effects("EnterStandby"), out, "nobody was taken out again")
		require.Len(t, scene.Effects("StartAutomationExecution"), installs)
	})
}

// A machine whose boot loader starts the old kernel has its patches installed and in no effect: it is not told as plain
// patched, nor harmed for it.
func TestAKernelThatDoesNotBootIsTold(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config: wavetest.ProductionOnly(wavetest.PlanWith("approval: {required: true, timeout: 24h}",
			"approval: {required: false}")),
	})
	scene.Production(func(g *world.ScalingGroup) {
		for _, member := range g.Members() {
			member.Instance.OldKernel = true
		}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	for _, instance := range result.Stages[0].Groups[0].Instances {
		require.Equal(t, patch.PatchedRebootPending, instance.Outcome, instance.Reason)
		require.Len(t, instance.RebootPending, 1)
		require.Contains(t, instance.RebootPending[0], "see its boot loader")
	}
}
