package instance_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// An install that Automation has queued behind others has touched nothing. It is left for a person's word, at the
// window's cutoff and after an install's time; the machine is what it was, and nothing begins later.
func TestAnInstallThatIsQueued(t *testing.T) {
	for _, c := range []struct {
		name    string
		busyFor string
		cutoff  time.Duration // of the window, after the wave's start; 0: none
		abort   bool          // ten minutes later
		want    patch.Outcome
		says    string
	}{
		{"its turn comes", "PT40M", 0, false, patch.Patched, ""},
		{"a person aborts", "PT8H", 0, true, patch.NotStarted, "cancelled"},
		{"the window's cutoff comes", "PT8H", 115 * time.Minute, false, patch.NotStarted, "cutoff"},
		{"for longer than an install may take", "PT8H", 0, false, patch.Failed, "has not begun it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Decide = []patch.Verb{patch.Abort}
			const soon = 15 * time.Minute
			var until time.Time // nobody waits for its turn any longer; zero: it may take an install's time
			if c.cutoff > 0 {
				opens := scene.Env.Now()
				until = opens.Add(c.cutoff + soon)
				scene.Plans.Within = &patch.Window{
					Opens: opens, Cutoff: opens.Add(c.cutoff), Closes: opens.Add(c.cutoff + time.Hour),
				}
			}
			it, before := "", ""
			scene.WhenAtStep(patch.StepSnapshot, func(instance string) {
				scene.Production(func(group *world.ScalingGroup) {
					it, before = instance, group.Region.Instance(instance).Disk().PackageList()
					keepBusy(t, group.Region, c.busyFor)
				})
				if c.abort {
					const later = 10 * time.Minute
					until = scene.Env.Now().Add(later + soon)
					scene.Env.RegisterDelayedCallback(func() { scene.Tell(patch.Abort, patch.Scope("")) }, later)
				}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.NotEmpty(t, it)
			first := result.Stages[1].Groups[0].Instances[0]
			require.Equal(t, it, first.ID)
			require.Equal(t, c.want, first.Outcome, first.Reason)
			require.Contains(t, first.Reason, c.says)
			require.True(t, until.IsZero() || first.Ended.Before(until), "it was left at %s only, not before %s",
				first.Ended, until)
			scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(24 * time.Hour)) })
			scene.Production(func(group *world.ScalingGroup) {
				if c.want != patch.Patched {
					require.Equal(t, before, group.Region.Instance(it).Disk().PackageList(), "patched after it was left")
				}
			})
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// keepBusy starts as many executions of somebody else's as Automation runs at once.
func keepBusy(t *testing.T, region *world.Region, length string) {
	_, err := region.CreateDocument("Sleep", "Automation", "JSON", fmt.Sprintf(
		`{"schemaVersion":"0.3","mainSteps":[{"name":"nap","action":"aws:sleep","inputs":{"Duration":%q}}]}`, length), "", nil)
	require.NoError(t, err)
	for range world.AutomationAtOnce {
		_, err := region.StartAutomation(world.StartSpec{Document: "Sleep"})
		require.NoError(t, err)
	}
}

// What AWS throttles until the window's cutoff is not begun after it, be it the way out of service or the install.
func TestNothingBeginsAfterTheCutoff(t *testing.T) {
	for _, operation := range []string{"SuspendProcesses", "EnterStandby", "StartAutomationExecution"} {
		t.Run(operation, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy",
				Config:   wavetest.PlanWith("    stages:\n", "    timing: {act_budget: 5h}\n    stages:\n"),
			})
			scene.Decide = []patch.Verb{patch.Abort}
			opens := scene.Env.Now()
			cutoff := opens.Add(130 * time.Minute)
			scene.Plans.Within = &patch.Window{Opens: opens, Cutoff: cutoff, Closes: cutoff.Add(time.Hour)}
			throttled := 0
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation == operation && call.Account == wavetest.Production && call.Time.Before(cutoff.Add(time.Minute)) {
					throttled++
					return awssim.Fault{Kind: awssim.FaultThrottle}
				}
				return awssim.Fault{}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Positive(t, throttled)
			first := result.Stages[1].Groups[0].Instances[0]
			require.Equal(t, patch.NotStarted, first.Outcome, first.Reason)
			require.Contains(t, first.Reason, "cutoff")
			for _, event := range scene.Effects("EnterStandby") {
				require.True(t, event.Time.Before(cutoff), "went out at %s", event.Time)
			}
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// An instance that stays in Standby, as nobody may return it, was not put back, whatever it was that kept it from being
// begun.
func TestOneThatIsStrandedAtTheCutoffIsNotCalledPutBack(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.Decide, scene.Impatient = []patch.Verb{patch.Abort}, true
	opens := scene.Env.Now()
	cutoff := opens.Add(115 * time.Minute)
	scene.Plans.Within = &patch.Window{Opens: opens, Cutoff: cutoff, Closes: cutoff.Add(time.Hour)}
	scene.WhenAtStep(patch.StepSnapshot, func(string) {
		scene.Production(func(group *world.ScalingGroup) { keepBusy(t, group.Region, "PT8H") })
	})
	denies(scene, wavetest.Production, "ExitStandby", 1)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	first := result.Stages[1].Groups[0].Instances[0]
	require.NotEmpty(t, first.Stranded)
	require.Equal(t, patch.Failed, first.Outcome)
	require.NotContains(t, first.Reason, "put back")
}
