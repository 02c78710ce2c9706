package instance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// bell makes the alarm that judges production one that stays as a person sets it, and gives what sets it.
func bell(t *testing.T, scene *wavetest.Scene) func(state string) {
	scene.Production(func(group *world.ScalingGroup) {
		group.Region.DeleteAlarms([]string{"web-5xx"})
		group.Region.PutAlarm(&world.Alarm{
			Name: "web-5xx", Metric: "Errors", Namespace: "Web", Period: time.Minute, EvaluationPeriods: 1,
			Comparison: "GreaterThanThreshold", Statistic: "Maximum", TreatMissingData: "ignore",
		})
	})
	ring := func(state string) {
		scene.Production(func(group *world.ScalingGroup) {
			require.NoError(t, group.Region.SetAlarm("web-5xx", state, "for a test"))
		})
	}
	ring("OK")
	return ring
}

// An alarm that judges is heeded whenever it rings: while an instance is out, and before the next one goes.
func TestAnAlarmRingsInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		name  string
		at    patch.Step // of the first production instance
		clear bool       // it stops ringing some minutes later
		want  patch.Outcome
		says  string
	}{
		{"while one is out, and stays", patch.StepInstall, false, patch.RolledBack, "entered ALARM"},
		{"while one is out, and passes", patch.StepInstall, true, patch.Patched, ""},
		{"while one bakes, and passes before anybody looks again", patch.StepBake, false, patch.RolledBack, "entered ALARM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Decide = []patch.Verb{patch.Abort}
			ring := bell(t, scene)
			scene.WhenAtStep(c.at, func(string) {
				ring("ALARM")
				if c.clear {
					scene.Env.RegisterDelayedCallback(func() { ring("OK") }, 2*time.Minute)
				}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			first := result.Stages[1].Groups[0].Instances[0]
			require.Equal(t, c.want, first.Outcome, first.Reason)
			require.Contains(t, first.Reason, c.says)
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// The next instance waits for an alarm to be OK, and is a failure if it does not become so: nobody could tell what it
// does from what rings already.
func TestTheNextInstanceWaitsForAnAlarm(t *testing.T) {
	for _, passes := range []bool{true, false} {
		name := map[bool]string{true: "it passes", false: "it stays"}[passes]
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Decide = []patch.Verb{patch.Abort}
			ring := bell(t, scene)
			rung := false
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				// The first instance's mark comes off: it is done, and the next one's turn comes.
				if call.Operation == "DeleteTags" && call.Account == wavetest.Production && !rung {
					rung = true
					scene.Env.RegisterDelayedCallback(func() { ring("ALARM") }, 0)
					if passes {
						scene.Env.RegisterDelayedCallback(func() { ring("OK") }, 5*time.Minute)
					}
				}
				return awssim.Fault{}
			})
			held := ""
			scene.OnHold = func(status patch.WaveStatus) { held = status.Awaiting }
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, rung)
			if passes {
				require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
				return
			}
			require.Contains(t, held, "AlarmNotOK")
			second := result.Stages[1].Groups[0].Instances[1]
			require.Equal(t, patch.Failed, second.Outcome)
			require.Contains(t, second.Reason, "web-5xx")
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// A scan takes minutes. What rings meanwhile is heeded before the instance goes out: it may be the doing of the one
// before it.
func TestAnAlarmRingsDuringAScan(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.Decide = []patch.Verb{patch.Abort}
	ring := bell(t, scene)
	unmarked, asked := 0, 0
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		switch {
		case call.Account != wavetest.Production:
		case call.Operation == "DeleteTags" && call.Service == "ec2":
			unmarked++
		case call.Operation == "SendCommand" && unmarked == 3:
			if asked++; asked == 2 { // the last instance's first facts come first, then its scan
				scene.Env.RegisterDelayedCallback(func() { ring("ALARM") }, 0)
			}
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.GreaterOrEqual(t, asked, 2)
	last := result.Stages[1].Groups[0].Instances[3]
	require.Equal(t, patch.Failed, last.Outcome)
	require.Contains(t, last.Reason, "AlarmNotOK")
	require.Len(t, scene.Effects("EnterStandby"), 3)
	scene.RequireInvariants(result, wavetest.Except{})
}
