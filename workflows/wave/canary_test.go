package wave_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// canaries is production alone, of two groups in which one of four is the canary and bakes for an hour.
func canaries(keys string, faults ...world.WorldFault) wavetest.Options {
	return wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithFaults(wavetest.TwoGroups, faults...),
		Config: wavetest.ProductionOnly(wavetest.PlanWith(wavetest.WebOnly, wavetest.WebAndAPI,
			"        service: web\n", "", "approval: {required: true, timeout: 24h}", "approval: {required: false}",
			"        max_unavailable: 1\n", "        max_unavailable: 1\n        canary: {instances: 1, bake: 1h}\n"+keys)),
	}
}

// byStart are a wave's instances that were changed, in the order in which they were.
func byStart(result *patch.WaveResult) (all []patch.InstanceResult) {
	for _, group := range result.Stages[0].Groups {
		for _, instance := range group.Instances {
			if instance.Canary || !instance.Started.IsZero() { // of one that was put back after all there is no start
				all = append(all, instance)
			}
		}
	}
	slices.SortFunc(all, func(a, b patch.InstanceResult) int { return a.Started.Compare(b.Started) })
	return all
}

// Each group's canary goes first and bakes for longer; nobody else is begun before all of them have.
func TestCanariesOfAllGroupsBakeFirst(t *testing.T) {
	for _, c := range []struct {
		name, keys string
	}{
		{"one group after the other", ""},
		{"side by side", "        max_parallel_groups: 2\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, canaries(c.keys))
			waited := false
			scene.When(func(status patch.WaveStatus) bool {
				return slices.ContainsFunc(status.Stages[0].Groups, func(g patch.GroupCounts) bool {
					return g.Phase == patch.GroupStepDone
				})
			}, func(patch.WaveStatus) { waited = true })
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
			all := byStart(result)
			require.Len(t, all, 8)
			var baked time.Time
			for i, one := range all {
				require.Equal(t, i < 2, one.Canary, one.ID)
				took := one.Ended.Sub(one.Started)
				if one.Canary {
					require.Greater(t, took, time.Hour)
					baked = slices.MaxFunc([]time.Time{baked, one.Ended}, time.Time.Compare)
					continue
				}
				require.Less(t, took, time.Hour)
				require.False(t, one.Started.Before(baked), "nobody before the last canary has baked")
			}
			require.Equal(t, c.keys == "", waited, "side by side they may end at once")
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// A canary that fails holds the wave with everybody else untouched, whatever the stage may carry. Each answer means
// what it means.
func TestACanaryFails(t *testing.T) {
	fails := world.WorldFault{Kind: world.FaultInstallFails, Account: "production"}
	for _, c := range []struct {
		name   string
		nth    int // of the installs
		answer patch.Verb
		ends   patch.Outcome
		starts int // instances that were changed in all
		canary int // of them canaries, the one that failed included
	}{
		{"the first, tried again", 1, patch.Retry, patch.Succeeded, 8, 2},
		{"the first, skipped: the next is the canary", 1, patch.Skip, patch.SucceededWithSkips, 8, 3},
		{"the first, put back", 1, patch.RollBack, patch.RolledBack, 1, 1},
		{"the first, aborted", 1, patch.Abort, patch.Aborted, 1, 1},
		{"the second group's, tried again", 2, patch.Retry, patch.Succeeded, 8, 2},
		{"the second group's, put back with the first's", 2, patch.RollBack, patch.RolledBack, 2, 2},
		{"the second group's, aborted", 2, patch.Abort, patch.Aborted, 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			fails.Nth = c.nth
			scene := wavetest.New(t, canaries("        max_failures: 3\n", fails))
			scene.Decide = []patch.Verb{c.answer}
			var held patch.WaveStatus
			scene.OnHold = func(status patch.WaveStatus) { held = status }
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Contains(t, held.Awaiting, "(canary)")
			began := 0
			for _, group := range held.Stages[0].Groups {
				began += group.Done
			}
			require.Equal(t, c.nth, began, "the others are untouched")
			require.Equal(t, c.ends, result.Outcome, result.Reason)
			all := byStart(result)
			require.Len(t, all, c.starts)
			canary := 0
			for _, one := range all {
				if one.Canary {
					canary++
				}
			}
			require.Equal(t, c.canary, canary)
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// An alarm that rings late in a canary's bake, when the others would have been done for long, is heeded.
func TestAnAlarmRingsInACanarysBake(t *testing.T) {
	scene := wavetest.New(t, canaries(""))
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
	scene.WhenAtStep(patch.StepBake, func(string) {
		scene.Env.RegisterDelayedCallback(func() { ring("ALARM") }, 50*time.Minute)
	})
	scene.Decide = []patch.Verb{patch.Abort}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	all := byStart(result)
	require.Len(t, all, 1, "the others are untouched")
	require.Equal(t, patch.RolledBack, all[0].Outcome)
	require.Contains(t, all[0].Reason, "entered ALARM")
	scene.RequireInvariants(result, wavetest.Except{})
}

// A window that closes once canaries have baked parks the wave; in the next one the others are taken, with no canary
// more. One that is too short for a canary begins none, though it is long enough for another instance.
func TestAWindowClosesOnCanaries(t *testing.T) {
	for _, c := range []struct {
		name   string
		cutoff time.Duration
		before int // canaries that bake before
	}{
		{"once the first has baked", 100 * time.Minute, 1},
		{"once both have", 160 * time.Minute, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := canaries("")
			production := options.Config
			options.Config = func(file []byte) []byte { return production(quick(file)) }
			scene := wavetest.New(t, options)
			next := twoWindows(scene, c.cutoff)
			scene.Plans.Following[0].Cutoff = next.Add(20 * time.Hour)
			scene.Plans.Following[0].Closes = next.Add(21 * time.Hour)
			before := -1
			scene.When(isParked, func(patch.WaveStatus) {
				before = len(scene.Effects("EnterStandby"))
				requireParked(scene)
				scene.Env.RegisterDelayedCallback(func() {
					scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
				}, time.Hour)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
			canaries := 0
			for _, one := range byStart(result) {
				if one.Canary {
					canaries++
				}
			}
			require.Equal(t, 2, canaries, "no group has a second")
			require.GreaterOrEqual(t, before, c.before)
			require.Len(t, scene.Effects("EnterStandby"), 8, "each instance went out once")
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// A history that begins anew, and who joins meanwhile, change nothing of who is a canary.
func TestAHistoryBeginsAnewAfterACanary(t *testing.T) {
	scene := wavetest.New(t, canaries(""))
	request := wavetest.WebWave
	request.ContinueAfter = 1
	scene.WhenAtStep(patch.StepInstall, func(string) {
		scene.Production(func(group *world.ScalingGroup) { require.NoError(t, group.SetDesired(group.Desired+1)) })
	})
	result, err := scene.Run(request)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
	all := byStart(result)
	require.Len(t, all, 9)
	for i, one := range all {
		require.Equal(t, i < 2, one.Canary)
	}
}
