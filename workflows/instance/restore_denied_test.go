package instance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// A roll back's restore that AWS denies is tried again, for an hour, with the instance out: people are told within
// minutes, and an abort gives it up.
func TestARollBacksRestoreThatIsDeniedIsTold(t *testing.T) {
	for name, gives := range map[string]bool{"a person gives it up": true, "nobody does": false} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
			heard := scene.Listen("chat")
			var denied, gaveUp, isolated time.Time
			outs := 0
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Account != wavetest.Production {
					return awssim.Fault{}
				}
				fault := awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Message: "the role lost it", Status: 403}
				switch call.Operation {
				case "EnterStandby":
					if outs++; outs == 2 {
						return fault
					}
				case "CreateReplaceRootVolumeTask":
					if denied.IsZero() {
						denied = scene.Env.Now()
					}
					return fault
				case "DetachInstances":
					isolated = scene.Env.Now()
				}
				return awssim.Fault{}
			})
			scene.Decide = []patch.Verb{patch.RollBack}
			scene.Impatient = gives
			scene.GivesUp = func() bool {
				over := !denied.IsZero() && scene.Env.Now().After(denied.Add(15*time.Minute))
				if over && gaveUp.IsZero() {
					gaveUp = scene.Env.Now()
				}
				return over
			}
			_, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			told := heardOf(heard, patch.NoticeUndoFails)
			require.NotEmpty(t, told)
			require.LessOrEqual(t, told[0].At.Sub(denied), 6*time.Minute)
			require.Contains(t, told[0].Why, "the role lost it")
			require.Equal(t, []patch.Verb{patch.Abort}, told[0].Verbs)
			require.False(t, isolated.IsZero(), "an instance that is on neither version for sure is quarantined")
			if gives {
				require.Less(t, isolated.Sub(gaveUp), 10*time.Minute)
			} else {
				require.Greater(t, isolated.Sub(denied), 30*time.Minute, "it is tried for its whole budget")
			}
		})
	}
}

// So is a wait of a roll back whose looks AWS denies: the instance stands by meanwhile.
func TestARollBacksWaitThatIsDeniedIsTold(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	heard := scene.Listen("chat")
	var out time.Time
	outs := 0
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		fault := awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Message: "the role lost it", Status: 403}
		switch {
		case call.Account != wavetest.Production:
		case call.Operation == "EnterStandby":
			if outs++; outs == 2 {
				return fault
			}
			if outs > 2 && out.IsZero() {
				out = call.Time
			}
		case call.Operation == "DescribeTargetHealth" && !out.IsZero() && call.Time.Before(out.Add(20*time.Minute)):
			return fault
		}
		return awssim.Fault{}
	})
	scene.Decide = []patch.Verb{patch.RollBack}
	_, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	told := heardOf(heard, patch.NoticeUndoFails)
	require.NotEmpty(t, told)
	require.LessOrEqual(t, told[0].At.Sub(out), 8*time.Minute)
	require.Contains(t, told[0].Why, "the role lost it")
	require.NotEmpty(t, heardOf(heard, patch.NoticeUndoEnded))
	require.Len(t, scene.Effects("CreateReplaceRootVolumeTask"), 1, "then it goes on")
}
