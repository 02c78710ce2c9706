package instance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

const (
	beside  = wavetest.ErrorsBeside
	bounded = wavetest.ErrorsBounded
)

func judgedBy(check, bake string) func([]byte) []byte {
	return wavetest.ProductionOnly(func(file []byte) []byte {
		file = wavetest.PlanWith("          - http: {path: /healthz, port: 80}\n          - alarm: web-5xx # must be OK before "+
			"we begin and stay so while we watch\n", "          - "+check+"\n", "        bake: 5m\n", "        bake: "+bake+"\n",
		)(file)
		return wavetest.Unattended(file)
	})
}

func TestAPatchedInstanceIsComparedWithItsPeers(t *testing.T) {
	for _, c := range []struct {
		name    string
		check   string
		lag     time.Duration
		seen    func(rebooted bool, n int) wavetest.Minute
		outcome patch.Outcome // of the first instance
		says    string        // its reason, or its notes
		held    string        // what the wave waits for; "": it ends well
	}{
		{
			name: "as well as its peers", check: beside, outcome: patch.Patched, says: "of 3 unpatched peers",
			seen: func(bool, int) wavetest.Minute { return wavetest.Saw(100, 1) },
		},
		{
			name: "it answers with more errors than they", check: beside, outcome: patch.RolledBack,
			says: "error rate is 3, and may be at most 1.3: 1 of 3 unpatched peers", held: "error rate is 3",
			seen: func(rebooted bool, _ int) wavetest.Minute {
				if rebooted {
					return wavetest.Saw(100, 3)
				}
				return wavetest.Saw(100, 1)
			},
		},
		{
			name: "they are told minutes late", check: beside, lag: 90 * time.Second, outcome: patch.RolledBack,
			says: "error rate is 3, and may be at most 1.3", held: "error rate is 3",
			seen: func(rebooted bool, _ int) wavetest.Minute {
				if rebooted {
					return wavetest.Saw(100, 3)
				}
				return wavetest.Saw(100, 1)
			},
		},
		{
			name: "more errors than a bound", check: bounded + "}", outcome: patch.RolledBack,
			says: "error rate is 7, and may be at most 5", held: "error rate is 7",
			seen: func(rebooted bool, _ int) wavetest.Minute {
				if rebooted {
					return wavetest.Saw(100, 7)
				}
				return wavetest.Saw(100, 1)
			},
		},
		{
			name: "too few requests after the return", check: bounded + "}", outcome: patch.RolledBack,
			says: "not enough to judge: ", held: "not enough to judge: ",
			seen: func(rebooted bool, _ int) wavetest.Minute {
				if rebooted {
					return wavetest.Saw(3, 0)
				}
				return wavetest.Saw(100, 1)
			},
		},
		{
			name: "too few, which the plan takes", check: bounded + ", missing: ok}", outcome: patch.Patched,
			says: "requests, and it takes 100, in ",
			seen: func(rebooted bool, _ int) wavetest.Minute {
				if rebooted {
					return wavetest.Saw(3, 0)
				}
				return wavetest.Saw(100, 1)
			},
		},
		{
			name: "it tells nothing after the return", check: bounded + "}", outcome: patch.RolledBack,
			says: "not enough to judge: no data", held: "not enough to judge: no data",
			seen: func(rebooted bool, _ int) wavetest.Minute {
				if rebooted {
					return wavetest.Saw(-1, -1)
				}
				return wavetest.Saw(100, 1)
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: judgedBy(c.check, "10m")})
			scene.Decide = []patch.Verb{patch.Abort}
			scene.Serving(c.lag, c.seen)
			held := ""
			scene.OnHold = func(status patch.WaveStatus) { held = status.Awaiting }
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			first := result.Stages[0].Groups[0].Instances[0]
			require.Equal(t, c.outcome, first.Outcome, "%s %q %q", first.Reason, first.Notes, result.Reason)
			require.Contains(t, first.Reason+strings.Join(first.Notes, "\n"), c.says)
			if c.held == "" {
				require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
			}
			require.Contains(t, held, c.held)
			scene.RequireNobodyOut()
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// The last of a group has no unpatched peer: it is compared with itself as it was.
func TestTheLastOfAGroupIsComparedWithItself(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: judgedBy(beside, "10m")})
	scene.Serving(0, func(bool, int) wavetest.Minute { return wavetest.Saw(100, 1) })
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
	for n, says := range []string{
		"of 3 unpatched peers", "of 2 unpatched peers", "of 1 unpatched peer", "of itself before",
	} {
		one := result.Stages[0].Groups[0].Instances[n]
		require.Contains(t, strings.Join(one.Notes, "\n"), says)
		var details patch.InstanceDetails
		require.NoError(t, scene.Store.GetInstance(t.Context(), result.WaveID, one.ID, &details))
		require.Len(t, details.Metrics, 1, "the evidence has what was judged")
		require.Equal(t, 3-n, details.Metrics[0].Peers)
		require.Positive(t, details.Metrics[0].Own.Requests)
	}
}

// Of several that are under way none is a peer of another: each is compared with those that are not begun by the time
// it returns, and one of the last two with itself.
func TestPeersOfSeveralAtOnce(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
		return wavetest.PlanWith("max_unavailable: 1", "max_unavailable: 2")(judgedBy(beside, "10m")(file))
	}})
	scene.Serving(0, func(rebooted bool, _ int) wavetest.Minute {
		if rebooted { // as much worse as it may be, which no peer that was patched may hide
			return wavetest.Saw(100, 1.25)
		}
		return wavetest.Saw(100, 1)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
	for _, one := range result.Stages[0].Groups[0].Instances {
		notes := strings.Join(one.Notes, "\n")
		require.Contains(t, notes, "error rate is 1.25, and may be at most 1.3: 1 of ")
		require.NotContains(t, notes, "3 unpatched peers", "another was under way")
	}
	scene.RequireInvariants(result, wavetest.Except{MaxUnavailable: 2})
}

// What nothing can be told by is found out while the instance still serves.
func TestAMetricIsAskedWhileTheInstanceServes(t *testing.T) {
	steady := func(bool, int) wavetest.Minute { return wavetest.Saw(100, 1) }
	denied := func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "GetMetricData" {
			return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied"}
		}
		return awssim.Fault{}
	}
	for _, c := range []struct {
		name  string
		check string
		seen  func(bool, int) wavetest.Minute
		fault func(awssim.CallInfo) awssim.Fault
		ails  string
		says  string
	}{
		{name: "no permission", check: bounded + "}", seen: steady, fault: denied, says: "AccessDenied"},
		{name: "kept from us", check: bounded + "}", seen: steady, ails: "Forbidden", says: "cloudwatch:GetMetricData"},
		{
			name: "an expression that is none", check: strings.Replace(bounded, "/ requests", "/ requests)", 1) + "}",
			seen: steady, says: "CloudWatch does not take the metric check",
		},
		{
			name: "a dimension that no metric has", check: strings.ReplaceAll(bounded, "InstanceId:", "Instance:") + "}",
			seen: steady, says: "not enough to judge: no data",
		},
		{
			name: "few requests", check: bounded + "}", seen: func(bool, int) wavetest.Minute { return wavetest.Saw(3, 0) },
			says: "not enough to judge: 30 requests, and it takes 100",
		},
		{
			name: "bad before", check: bounded + "}", seen: func(bool, int) wavetest.Minute { return wavetest.Saw(100, 9) },
			says: "error rate is 9, and may be at most 5",
		},
		{
			name: "CloudWatch in trouble", check: bounded + "}", seen: steady, ails: "InternalError",
			says: "CloudWatch answered InternalError",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: judgedBy(c.check, "10m")})
			scene.Decide = []patch.Verb{patch.Abort}
			scene.Serving(0, c.seen)
			scene.Production(func(group *world.ScalingGroup) { group.Region.Alarms.Ails = c.ails })
			if c.fault != nil {
				scene.Sim.SetInterceptor(c.fault)
			}
			said := ""
			scene.OnHold = func(status patch.WaveStatus) { said = status.Awaiting }
			result, err := scene.Run(wavetest.WebWave)
			if err != nil {
				said += err.Error()
			} else {
				said += result.Reason
				require.Zero(t, wavetest.CountInProduction(result, patch.Patched))
			}
			require.Contains(t, said, c.says)
			scene.RequireNobodyOut()
			require.Empty(t, scene.Effects("EnterStandby"), "nothing was taken out to find it out")
		})
	}
}
