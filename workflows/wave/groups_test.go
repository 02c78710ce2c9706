package wave_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

func TestGroupsOfAStage(t *testing.T) {
	for _, c := range []struct {
		name    string
		old     []string
		overlap bool
	}{
		{"one after the other by default", []string{"service: web", "max_failures: 0"}, false},
		{"two at once when the stage allows it", []string{"service: web", "max_parallel_groups: 2"}, true},
		{
			"a service is taken one group at a time", []string{
				"service: web", "service: web\n        max_parallel_groups: 2",
			}, false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.TwoGroups,
				Config: wavetest.PlanWith(append(c.old, wavetest.WebOnly, wavetest.WebAndAPI)...),
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, 8, wavetest.CountInProduction(result, patch.Patched))
			scene.RequireInvariants(result, wavetest.Except{})
			require.Equal(t, c.overlap, overlap(scene, "web", "api"))
		})
	}
}

// overlap reports whether instances of both groups were ever out of service at the same time.
func overlap(scene *wavetest.Scene, one, other string) bool {
	out := map[string]int{}
	type moment struct {
		at    time.Time
		group string
		out   bool
	}
	var moments []moment
	for _, line := range scene.Sim.Timeline() {
		for _, point := range line.Points {
			moments = append(moments, moment{point.Time, line.Group, point.Out})
		}
	}
	for len(moments) > 0 {
		first := 0
		for i := range moments {
			if moments[i].at.Before(moments[first].at) || moments[i].at.Equal(moments[first].at) && moments[first].out &&
				!moments[i].out {
				first = i
			}
		}
		if moments[first].out {
			out[moments[first].group]++
		} else {
			out[moments[first].group]--
		}
		if out[one] > 0 && out[other] > 0 {
			return true
		}
		moments = append(moments[:first], moments[first+1:]...)
	}
	return false
}

// While one group waits for a decision another that runs beside it pauses between two instances, and goes on
// afterwards.
func TestAFailureInOneGroupHoldsTheOthersBetweenInstances(t *testing.T) {
	for _, c := range []struct {
		decide patch.Verb
		want   patch.Outcome
	}{
		{patch.Retry, patch.Succeeded},
		{patch.Skip, patch.SucceededWithSkips},
		{patch.RollBack, patch.RolledBack},
		{patch.Abort, patch.Aborted},
	} {
		t.Run(string(c.decide), func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy",
				Fleet: wavetest.WithFaults(wavetest.TwoGroups, world.WorldFault{
					Kind: world.FaultInstallFails, Account: "production", Group: "web", Nth: 2,
				}),
				Config: wavetest.PlanWith("service: web", "max_parallel_groups: 2", wavetest.WebOnly, wavetest.WebAndAPI),
			})
			scene.Decide = []patch.Verb{c.decide}
			holds := 0
			scene.OnHold = func(patch.WaveStatus) {
				holds++
				scene.RequireNobodyOut()
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, 1, holds)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// Without the window's time no instance is started, and that is no success.
func TestTheWindowClosesMeanwhile(t *testing.T) {
	for _, c := range []struct {
		name   string
		cutoff time.Duration // from the wave's start
		staged int
		some   int // production instances that are patched
		why    string
	}{
		{
			"in staging", 22 * time.Minute, 1, 0,
			"staging/ap-northeast-1/Role=web: WindowEndsTooSoon: staging/ap-northeast-1/Role=web/i-...: " +
				"too little of the window is left: 5m0s until its cutoff at 2036-11-22T02:22:00Z, " +
				"and an instance may need 11m30s (patching 11m0s, putting back 0s, draining 30s, " +
				"slow start 0s, snapshot 0s, volume 0s); " +
				"the rest is patched in another window",
		},
		{
			"before production", 42 * time.Minute, 2, 0,
			"production/ap-northeast-1/web: WindowEndsTooSoon: production/ap-northeast-1/web: " +
				"too little of the window is left: 8m40s until its cutoff at 2036-11-22T02:42:00Z, " +
				"and an instance may need 11m0s (patching 11m0s, putting back 0s, draining 0s, " +
				"slow start 0s, snapshot 0s, volume 0s); " +
				"the rest is patched in another window",
		},
		{
			"in production", 60 * time.Minute, 2, 2,
			"production/ap-northeast-1/web: WindowEndsTooSoon: production/ap-northeast-1/web/i-...: " +
				"too little of the window is left: 3m10s until its cutoff at 2036-11-22T03:00:00Z, " +
				"and an instance may need 12m0s (patching 11m0s, putting back 0s, draining 1m0s, " +
				"slow start 0s, snapshot 0s, volume 0s); " +
				"the rest is patched in another window",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: estimated("{patch: 11m, rollback: 0s, snapshot: 0s, volume: 0s}"),
			})
			start := scene.Env.Now()
			scene.Plans.Within = &patch.Window{
				Opens: start.Add(-time.Hour), Cutoff: start.Add(c.cutoff), Closes: start.Add(c.cutoff + time.Hour),
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
			require.Equal(t, c.why, regexp.MustCompile(`/i-[0-9a-f]{17}`).ReplaceAllString(result.Reason, "/i-..."))
			require.Equal(t, c.staged, wavetest.Count(wavetest.Outcomes(result)["staging"], patch.Patched))
			require.Equal(t, c.some, wavetest.CountInProduction(result, patch.Patched))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

func TestOutsideTheWindowNothingBegins(t *testing.T) {
	for name, by := range map[string]time.Duration{"not yet": time.Minute, "no more": -5 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			opens := scene.Env.Now().Add(by)
			scene.Plans.Within = &patch.Window{Opens: opens, Cutoff: opens.Add(3 * time.Hour), Closes: opens.Add(4 * time.Hour)}
			_, err := scene.Run(wavetest.WebWave)
			require.ErrorContains(t, err, "OutsideWindow")
			require.ErrorContains(t, err, "start the wave inside the window")
			require.Empty(t, scene.Sim.Calls())
		})
	}
}

// An instance that is ill, or an alarm that rings, before we begin holds the wave; what is healthy is not begun
// meanwhile.
func TestWhatIsIllBeforeWeBegin(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*world.ScalingGroup)
		want string
	}{
		{"an alarm rings", func(g *world.ScalingGroup) {
			_ = g.Region.SetAlarm("web-5xx", "ALARM", "it was so")
		}, "AlarmNotOK"},
		{"an agent is offline", func(g *world.ScalingGroup) {
			for _, member := range g.Members() {
				member.Instance.ForgetAgent()
			}
		}, "AgentOffline"},
		{"one is stopped", func(g *world.ScalingGroup) {
			_ = g.Suspend([]string{"ReplaceUnhealthy"}) // or the group replaces it at once
			for _, member := range g.Members() {
				_ = member.Instance.Stop()
			}
		}, "UnhealthyBefore"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy",
				Config: wavetest.ProductionOnly(wavetest.PlanWith("approval: {required: true, timeout: 24h}",
					"approval: {required: false}")),
			})
			scene.Production(c.do)
			scene.Decide = []patch.Verb{patch.Abort}
			reasons := ""
			scene.OnHold = func(status patch.WaveStatus) { reasons = status.Awaiting }
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Contains(t, reasons, c.want)
			require.Equal(t, patch.Aborted, result.Outcome)
			require.Empty(t, scene.Effects("EnterStandby"))
		})
	}
}
