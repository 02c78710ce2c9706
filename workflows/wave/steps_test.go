package wave_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// inSteps is production alone, of two groups of four that go in steps.
func inSteps(steps, keys string, faults ...world.WorldFault) wavetest.Options {
	return wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithFaults(wavetest.TwoGroups, faults...),
		Config: wavetest.ProductionOnly(wavetest.PlanWith(wavetest.WebOnly, wavetest.WebAndAPI,
			"        service: web\n", "", "approval: {required: true, timeout: 24h}", "approval: {required: false}",
			"        max_unavailable: 1\n", "        max_unavailable: 1\n        steps: "+steps+"\n"+keys)),
	}
}

// stepsOf are the steps of a wave's only stage, as its evidence has them.
func stepsOf(t *testing.T, scene *wavetest.Scene) []patch.StepStatus {
	t.Helper()
	var document activities.WaveDocument
	require.NoError(t, scene.Store.GetWave(t.Context(), "wave-test", &document))
	return document.Status.Stages[0].Steps
}

// All groups come as far as a step before any goes beyond it: once it has soaked, without locks, and somebody approved.
func TestAllGroupsReachAStepBeforeTheNext(t *testing.T) {
	scene := wavetest.New(t, inSteps("[{to: 1, soak: 1h}, {to: 50%, approval: true}, 100%]", ""))
	people := scene.Overhear()
	var soaks, asked patch.WaveStatus
	scene.OnLook = func(status patch.WaveStatus) {
		people.Looked(status)
		if status.State == patch.StateAwaitingApproval {
			asked = status
		}
	}
	scene.When(isSoaking, func(status patch.WaveStatus) {
		soaks = status
		requireParked(scene)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)

	all := byStart(result)
	require.Len(t, all, 8)
	steps := stepsOf(t, scene)
	require.Len(t, steps, 3)
	require.Equal(t, steps, result.Stages[0].Steps)
	for i, one := range all {
		switch {
		case i >= 4:
			require.False(t, one.Started.Before(steps[1].Done), "%d", i)
		case i >= 2:
			require.False(t, one.Started.Before(steps[0].Done.Add(time.Hour)), "%d", i)
		default:
			require.False(t, one.Ended.After(steps[0].Done), "%d", i)
		}
	}
	for _, group := range result.Stages[0].Groups {
		slices.SortFunc(group.Instances, func(a, b patch.InstanceResult) int { return a.Started.Compare(b.Started) })
		require.False(t, group.Instances[1].Ended.After(steps[1].Done), "half of each group")
	}
	require.Equal(t, "step 2 (50%) of production", steps[0].Soak.Before)
	require.Equal(t, time.Hour, steps[0].Soak.Until.Sub(steps[0].Soak.Since))
	require.Equal(t, patch.SoakWell, steps[0].Soak.Last.Verdict())
	require.Contains(t, soaks.Awaiting, "step 1 (1) of production is done since ")
	require.Contains(t, soaks.Awaiting, "Then step 2 (50%) of production follows")
	require.Equal(t, "step 1 of 3, to 1 of each group", soaks.Stages[0].StepWords())
	require.Contains(t, soaks.ETA.NotCounted, "the approval after step 2 (50%) of production")
	require.Contains(t, asked.Awaiting, "step 2 (50%) of production is done: production/ap-northeast-1/")
	require.Contains(t, asked.Awaiting, ": 2 of 4 patched")
	require.Contains(t, asked.Awaiting, "Then step 3 (100%) of production. Send approve or reject")
	require.Equal(t, []patch.Verb{patch.Approve, patch.Reject}, asked.Verbs[:2])
	require.Len(t, asked.Case.Before, 1)
	require.Equal(t, "production", asked.Case.Before[0].Stage)
	require.Equal(t, 4, asked.Case.Before[0].Patched)
	require.Empty(t, people.Untold(result))
	scene.RequireInvariants(result, wavetest.Except{})
	scene.RequireVersions(result)
}

// A failure holds the wave: in the first step whatever the stage may carry, in a later one as ever. No next step begins
// before it is decided.
func TestAStepFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		keys   string
		nth    int // of the installs
		answer patch.Verb
		ends   patch.Outcome
		starts int // instances that were changed in all
		held   int // of them until then
	}{
		{"the first step, aborted", "        max_failures: 3\n", 1, patch.Abort, patch.Aborted, 1, 1},
		{"the first step, skipped: another is taken", "        max_failures: 3\n", 1, patch.Skip, patch.SucceededWithSkips, 8, 1},
		{"the second step, put back", "", 3, patch.RollBack, patch.RolledBack, 3, 3},
		{"the second step, tried again", "", 3, patch.Retry, patch.Succeeded, 8, 3},
		{"the second step, which the stage may carry", "        max_failures: 1\n", 3, "", patch.SucceededWithSkips, 8, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, inSteps("[1, 2, 100%]", c.keys, world.WorldFault{
				Kind: world.FaultInstallFails, Account: "production", Nth: c.nth,
			}))
			scene.Decide = []patch.Verb{c.answer}
			held := 0
			scene.OnHold = func(patch.WaveStatus) { held = len(scene.Effects("EnterStandby")) }
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.ends, result.Outcome, result.Reason)
			require.Equal(t, c.held, held)
			changed := 0
			for _, group := range result.Stages[0].Groups {
				for _, one := range group.Instances {
					if one.Outcome != patch.NotStarted {
						changed++
					}
				}
			}
			require.Equal(t, c.starts, changed)
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// Who does not approve a step, or says nothing, leaves what is patched as it is, and nothing more is begun.
func TestAStepThatNobodyApproves(t *testing.T) {
	for _, c := range []struct {
		name   string
		step   string
		say    func(*wavetest.Scene)
		ends   patch.Outcome
		reason string
	}{
		{"rejected", "{to: 1, approval: true}", func(scene *wavetest.Scene) {
			scene.MustTake(patch.Reject, wavetest.Because("not today"))
		}, patch.Aborted, "step 2 (100%) of production was not approved: tester: not today"},
		{
			"not answered", "{to: 1, approval: {required: true, timeout: 2h}}", func(*wavetest.Scene) {}, patch.Aborted,
			"step 2 (100%) of production was not approved: patchtide: nobody approved within 2h",
		},
		{
			"cancelled", "{to: 1, approval: true}", func(scene *wavetest.Scene) { scene.Env.CancelWorkflow() }, patch.Aborted,
			"step 2 (100%) of production was not approved: temporal",
		},
		{"approved", "{to: 1, approval: true}", func(scene *wavetest.Scene) {
			scene.MustTake(patch.Approve, wavetest.Because("well"))
		}, patch.Succeeded, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, inSteps("["+c.step+", 100%]", ""))
			scene.Silent = true
			people := scene.Overhear()
			scene.OnLook = people.Looked
			out := 0
			scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) {
				out = len(scene.Effects("EnterStandby"))
				c.say(scene)
			})
			result, err := scene.Run(wavetest.WebWave)
			if c.name == "cancelled" {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, 2, out, "one of each group was out by then")
			patched := 2
			if c.ends == patch.Succeeded {
				patched = 8
			}
			require.Len(t, scene.Effects("EnterStandby"), patched)
			if result == nil {
				return
			}
			require.Equal(t, c.ends, result.Outcome, result.Reason)
			require.Contains(t, result.Reason, c.reason)
			require.Empty(t, people.Untold(result))
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// An alarm that rings while a step soaks stops the wave before the next.
func TestAStepThatIsIllWhileItSoaks(t *testing.T) {
	for _, c := range []struct {
		answer patch.Verb
		ends   patch.Outcome
		out    int // instances that were taken out of service in all
	}{
		{patch.Skip, patch.Succeeded, 8},
		{patch.RollBack, patch.RolledBack, 4},
		{patch.Abort, patch.Aborted, 2},
	} {
		t.Run(string(c.answer), func(t *testing.T) {
			scene := wavetest.New(t, inSteps("[{to: 1, soak: 10h}, 100%]", ""))
			ring := func(state string) {
				scene.Production(func(group *world.ScalingGroup) {
					require.NoError(t, group.Region.SetAlarm("web-5xx", state, "for a test"))
				})
			}
			scene.Production(func(group *world.ScalingGroup) {
				group.Region.DeleteAlarms([]string{"web-5xx"})
				group.Region.PutAlarm(&world.Alarm{
					Name: "web-5xx", Metric: "Errors", Namespace: "Web", Period: time.Minute, EvaluationPeriods: 1,
					Comparison: "GreaterThanThreshold", Statistic: "Maximum", TreatMissingData: "ignore",
				})
			})
			ring("OK")
			whileSoaking(scene, 150*time.Minute, func() { ring("ALARM") })
			scene.Decide = []patch.Verb{c.answer}
			var held patch.WaveStatus
			scene.OnHold = func(status patch.WaveStatus) {
				held = status
				requireParked(scene)
				ring("OK")
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Contains(t, held.Awaiting, "step 1 (1) of production is not well while it soaks, by two looks")
			require.Contains(t, held.Awaiting, "step 2 (100%) of production has not begun")
			require.Equal(t, c.ends, result.Outcome, result.Reason)
			require.Len(t, scene.Effects("EnterStandby"), c.out)
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// A window that closes on a step parks the wave; in the next one it goes on with that step, and not with all.
func TestAWindowClosesOnAStep(t *testing.T) {
	options := inSteps("[2, {to: 3, soak: 30m}, 100%]", "")
	production := options.Config
	options.Config = func(file []byte) []byte { return production(quick(file)) }
	scene := wavetest.New(t, options)
	next := twoWindows(scene, 40*time.Minute)
	scene.Plans.Following[0].Cutoff = next.Add(20 * time.Hour)
	scene.Plans.Following[0].Closes = next.Add(21 * time.Hour)
	parked, soaked := 0, 0
	scene.When(isParked, func(patch.WaveStatus) {
		parked = len(scene.Effects("EnterStandby"))
		scene.Env.RegisterDelayedCallback(func() {
			scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
		}, time.Hour)
	})
	scene.When(isSoaking, func(patch.WaveStatus) { soaked = len(scene.Effects("EnterStandby")) })
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
	require.Positive(t, parked)
	require.Less(t, parked, 6)
	require.Equal(t, 6, soaked, "three of each group")
	require.Len(t, scene.Effects("EnterStandby"), 8, "each instance went out once")
	scene.RequireInvariants(result, wavetest.Except{})
}

// A history that begins anew changes nothing of how far a group goes.
func TestAHistoryBeginsAnewBetweenSteps(t *testing.T) {
	scene := wavetest.New(t, inSteps("[1, 50%, 100%]", "        max_parallel_groups: 2\n"))
	request := wavetest.WebWave
	request.ContinueAfter = 1
	result, err := scene.Run(request)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
	steps := stepsOf(t, scene)
	for i, one := range byStart(result) {
		require.Equal(t, i >= 2, one.Started.After(steps[0].Done))
		require.Equal(t, i >= 4, one.Started.After(steps[1].Done))
	}
	scene.RequireInvariants(result, wavetest.Except{})
}
