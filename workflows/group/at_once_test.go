package group_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// atOnce is production of so many members, of which a share may be out.
func atOnce(members int, share string, faults ...world.WorldFault) wavetest.Options {
	return wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithFaults(wavetest.Sized(2, members, members), faults...),
		Config: wavetest.ProductionOnly(wavetest.PlanWith("max_unavailable: 1", "max_unavailable: "+share)),
	}
}

// Several of a group are out at once where the plan lets them, and never more; as many times faster is the group.
func TestSeveralAtOnce(t *testing.T) {
	took := map[string]time.Duration{}
	for share, most := range map[string]int{"1": 1, "25%": 5} {
		scene := wavetest.New(t, atOnce(20, share))
		began := scene.Env.Now()
		result, err := scene.Run(wavetest.WebWave)
		require.NoError(t, err)
		require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
		scene.RequireInvariants(result, wavetest.Except{MaxUnavailable: most})
		scene.RequireVersions(result)
		require.Equal(t, most, scene.Sim.MaxOutOfService(scene.AccountID("production"), wavetest.Tokyo, "web"), share)
		took[share] = scene.Env.Now().Sub(began)
	}
	t.Logf("one at a time %s, five at once %s", took["1"], took["25%"])
	require.Less(t, 3*took["25%"], took["1"])
}

// A failure lets nobody else begin. Those under way come to their end, and a retry takes all that is left.
func TestAFailureOfSeveralStopsNewOnes(t *testing.T) {
	scene := wavetest.New(t, atOnce(12, "3", world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 2}))
	scene.Decide = []patch.Verb{patch.Retry}
	var held patch.GroupCounts
	scene.OnHold = func(status patch.WaveStatus) { held = status.Stages[0].Groups[0] }
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, 3, held.Done, "those under way: %s", held.Reason)
	require.Equal(t, 2, held.Patched)
	require.Empty(t, held.Now, "nobody is under way at a hold")
	require.Contains(t, held.Serving, "12 of its 12 members were in service")
	require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
	require.Equal(t, strings.Repeat("patched ", 12), said(wavetest.Outcomes(result)["production"]))
	scene.RequireInvariants(result, wavetest.Except{MaxUnavailable: 3})
}

func said(outcomes []patch.Outcome) (all string) {
	for _, outcome := range outcomes {
		all += string(outcome) + " "
	}
	return all
}

// While several are out, what works against them is suspended by their group, for as long as any is.
func TestAGroupSuspendsForAllThatAreOut(t *testing.T) {
	scene := wavetest.New(t, atOnce(4, "2"))
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
	require.Len(t, scene.Effects("SuspendProcesses"), 1)
	require.Len(t, scene.Effects("ResumeProcesses"), 1)
	scene.RequireInvariants(result, wavetest.Except{MaxUnavailable: 2})
}

// Two that looked at the same moment would each count the other as serving, and go out beside one that has fallen ill:
// each has its turn, and the second waits until the first is back.
func TestSeveralDecideInTurn(t *testing.T) {
	options := atOnce(6, "2")
	options.Config = wavetest.ProductionOnly(wavetest.PlanWith("max_unavailable: 1", "max_unavailable: 2",
		"          - alarm: web-5xx # must be OK before we begin and stay so while we watch\n", ""))
	scene := wavetest.New(t, options)
	scene.Production(func(g *world.ScalingGroup) { require.NoError(t, g.Suspend([]string{"ReplaceUnhealthy"})) })
	scene.When(func(status patch.WaveStatus) bool {
		under := underWay(status)
		return len(under) == 2 && under[0].Step == patch.StepScan && under[1].Step == patch.StepScan
	}, func(status patch.WaveStatus) {
		scene.Sim.Inspect(func(w *world.World) {
			for _, member := range scene.WebIn(w).Members() {
				if !slices.ContainsFunc(underWay(status), func(now patch.InstanceNow) bool { return now.ID == member.Instance.ID }) {
					member.Instance.StopApp()
					w.Advance(w.Now().Add(noticed))
					return
				}
			}
		})
	})
	scene.Decide = []patch.Verb{patch.Abort}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	t.Logf("%v", reasons(result))
	out, went := 0, 0
	for _, event := range scene.Sim.Events() {
		switch {
		case !event.Effect || event.Account != wavetest.Production:
		case event.Operation == "EnterStandby":
			out, went = out+1, went+1
			require.Equal(t, 1, out, "one is ill: a second is one too many")
		case event.Operation == "ExitStandby":
			out--
		}
	}
	require.GreaterOrEqual(t, went, 2)
}

func underWay(status patch.WaveStatus) []patch.InstanceNow {
	if len(status.Stages) == 0 || len(status.Stages[0].Groups) == 0 {
		return nil
	}
	return status.Stages[0].Groups[0].Now
}

// A group that is cancelled with several out is put back whole: each of them, and what the group suspended.
func TestACancelWithSeveralOut(t *testing.T) {
	scene := wavetest.New(t, atOnce(6, "3"))
	scene.When(func(patch.WaveStatus) bool {
		return len(scene.Effects("EnterStandby")) == 3 // the order in which they are listed is not that of going out
	}, func(patch.WaveStatus) { scene.Env.CancelWorkflow() })
	_, err := scene.Run(wavetest.WebWave)
	require.ErrorContains(t, err, "canceled")
	require.Len(t, scene.Effects("EnterStandby"), 3)
	scene.RequireInvariants(nil, wavetest.Except{MaxUnavailable: 3})
}

// surging is production of four at its min and max, of which two may be out.
func surging(faults ...world.WorldFault) wavetest.Options {
	options := atOnce(4, "2", faults...)
	options.Fleet = wavetest.WithFaults(wavetest.Sized(4, 4, 4), faults...)
	return options
}

// Where min allows none fewer, as many are launched first as are out, by one raise; all of it is given back.
func TestSeveralAtOnceBySurge(t *testing.T) {
	scene := wavetest.New(t, surging())
	var during patch.Strategy
	scene.WhenAtStep(patch.StepInstall, func(string) {
		status, _ := scene.Status()
		during = status.Stages[0].Groups[0].Strategy
		scene.Production(func(g *world.ScalingGroup) { require.Equal(t, 6, g.Max) })
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
	require.Equal(t, patch.Strategy{Mode: patch.CapacitySurge, AtOnce: 2, RaiseMax: 2}, during)
	require.Equal(t, 2, scene.Sim.MaxOutOfService(scene.AccountID("production"), wavetest.Tokyo, "web"))
	require.Len(t, scene.Effects("UpdateAutoScalingGroup"), 2, "raised by two at once, and given back")
	require.Len(t, scene.Effects("TerminateInstanceInAutoScalingGroup"), 2)
	scene.RequireInvariants(result, wavetest.Except{MaxUnavailable: 2})
	scene.RequireVersions(result)
}

// What goes wrong with the room for several: nothing of it stays.
func TestARoomForSeveralThatFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  world.WorldFault
		change func(*wavetest.Scene)
		held   string
	}{
		{
			"none is launched",
			world.WorldFault{Kind: world.FaultNoCapacity, Account: "production", Times: -1},
			nil,
			"0 of 2 instances have been launched for the surge yet",
		},
		{
			"one of two is launched",
			world.WorldFault{Kind: world.FaultNoCapacity, Account: "production", Nth: 2, Times: -1},
			nil,
			"1 of 2 instances have been launched for the surge yet",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, surging(c.fault))
			scene.Decide = []patch.Verb{patch.Abort}
			held := ""
			scene.OnHold = func(status patch.WaveStatus) { held = status.Stages[0].Groups[0].Reason }
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Contains(t, held, c.held)
			require.Empty(t, scene.Effects("EnterStandby"), "nobody goes without room")
			scene.RequireInvariants(result, wavetest.Except{MaxUnavailable: 2})
		})
	}
}

// A wave that is cancelled, or of which one fails, with several out by surge, is put back whole.
func TestACancelWithSeveralOutBySurge(t *testing.T) {
	scene := wavetest.New(t, surging())
	scene.When(func(patch.WaveStatus) bool { return len(scene.Effects("EnterStandby")) == 2 }, func(patch.WaveStatus) {
		scene.Env.CancelWorkflow()
	})
	_, err := scene.Run(wavetest.WebWave)
	require.ErrorContains(t, err, "canceled")
	require.Len(t, scene.Effects("TerminateInstanceInAutoScalingGroup"), 2)
	scene.RequireInvariants(nil, wavetest.Except{MaxUnavailable: 2})
}

// A hundred instances of which a tenth may be out take a tenth of the time of their own steps, and little more.
func TestAHundredATenthAtOnce(t *testing.T) {
	if os.Getenv("PATCHTIDE_LARGE") == "" {
		t.Skip("a minute of work; PATCHTIDE_LARGE is not set; `make large` sets it")
	}
	const atOnceOf, members = 10, 100
	options := atOnce(members, "10%")
	options.Fleet = wavetest.Sized(members/2, members, members)
	scene := wavetest.New(t, options)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
	require.Equal(t, atOnceOf, scene.Sim.MaxOutOfService(scene.AccountID("production"), wavetest.Tokyo, "web"))
	var document activities.WaveDocument
	require.NoError(t, scene.Store.GetWave(t.Context(), result.WaveID, &document))
	var own time.Duration
	var first, last time.Time
	for _, one := range document.Result.Stages[0].Groups[0].Instances {
		own += one.Ended.Sub(one.Started)
		if first.IsZero() || one.Started.Before(first) {
			first = one.Started
		}
		if one.Ended.After(last) {
			last = one.Ended
		}
	}
	whole := last.Sub(first)
	t.Logf("%d instances, %d at once: %s of their own steps, done in %s", members, atOnceOf, own, whole)
	require.Less(t, whole.Seconds(), 1.2*own.Seconds()/atOnceOf)
}
