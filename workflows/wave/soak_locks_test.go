package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// urgent is a plan that patches production at once, beside the one whose production waits for staging to soak.
const urgent = `  - name: urgent
    baseline: amazon-linux-2023
    stages:
      - name: production
        groups: [{account: production, region: ap-northeast-1, auto_scaling_group: web}]

`

// besideUrgent has the gate of the plan web open, its production wait, and the plan urgent beside it.
func besideUrgent(file []byte) []byte {
	const after = "# Who is told. Nobody in the laboratory; for example:\n"
	return wavetest.PlanWith(after, urgent+after)(wavetest.Unattended(soaked("10h")(file)))
}

func statusIn(t *testing.T, scene *wavetest.Scene, id string) (s patch.WaveStatus) {
	t.Helper()
	value, err := scene.Env.QueryWorkflowByID(id, names.QueryStatus)
	require.NoError(t, err)
	require.NoError(t, value.Get(&s))
	return s
}

func sendTo(t *testing.T, scene *wavetest.Scene, id string, verb patch.Verb, reason string) {
	t.Helper()
	require.NoError(t, scene.Env.UpdateWorkflowByID(id, string(verb), reason, &testsuite.TestUpdateCallback{
		OnAccept: func() {}, OnReject: func(err error) { t.Errorf("%s was rejected: %v", verb, err) },
		OnComplete: func(any, error) {},
	}, wavetest.Because(reason)))
}

// A wave whose stage soaks holds nobody up: another plan's patches the same group meanwhile, and the first finds
// nothing left to do. One that still has the group when the soak is over is waited for.
func TestAnotherWaveMayTakeTheGroupsOfOneThatSoaks(t *testing.T) {
	for name, c := range map[string]struct {
		begins time.Duration // the other's, after the first began to soak
		waits  bool
	}{"in the middle": {2 * time.Hour, false}, "at its end": {590 * time.Minute, true}} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: besideUrgent})
			scene.Locks[wavetest.ProductionLock] = "wave-2"
			scene.Locks["patch-group/222233334444/ap-northeast-1/Role=web"] = "wave-2"
			var soaking, over patch.WaveStatus
			var first, second *patch.WaveResult
			scene.Play(func(story wavetest.Story) {
				one := story.Begin("wave-1", "web")
				story.Later(45 * time.Minute)
				soaking = statusIn(t, scene, "wave-1")
				story.Until(soaking.Since.Add(c.begins))
				other := story.Begin("wave-2", "urgent")
				story.Until(soaking.Since.Add(10*time.Hour + 2*time.Minute))
				over = statusIn(t, scene, "wave-1")
				second, first = story.Ends(other), story.Ends(one)
			})
			require.Equal(t, patch.StateSoaking, soaking.State)
			require.Equal(t, patch.Succeeded, second.Outcome, "%+v", second)
			require.Equal(t, patch.Succeeded, first.Outcome, "%+v", first)
			if c.waits {
				require.Equal(t, patch.StateSoaking, over.State)
				require.Contains(t, over.Awaiting, "resume by patchtide (staging soaked for 10h) could not be carried out: ")
				require.Contains(t, over.Awaiting, "production/ap-northeast-1/web is being patched by wave wave-2")
				require.Contains(t, over.Awaiting, "is tried again at ")
			}
			require.Equal(t, 4, wavetest.CountInProduction(first, patch.AlreadyCompliant))
			require.Len(t, scene.Effects("EnterStandby"), 4, "each instance went out once, whichever wave patched it")
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}

// What cannot be put back because another has its group is told; the stage soaks no longer, and people are asked again.
func TestARollBackOfAStageThatSoaksWaitsForItsLocks(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: besideUrgent})
	scene.Locks[wavetest.ProductionLock] = "wave-2"
	scene.Locks["patch-group/222233334444/ap-northeast-1/Role=web"] = "wave-2"
	var asks patch.WaveStatus
	var first *patch.WaveResult
	scene.Play(func(story wavetest.Story) {
		one := story.Begin("wave-1", "web")
		story.Later(2 * time.Hour)
		other := story.Begin("wave-2", "urgent")
		story.Later(10 * time.Minute)
		sendTo(t, scene, "wave-1", patch.RollBack, "bad")
		story.Later(time.Minute)
		asks = statusIn(t, scene, "wave-1")
		story.Ends(other)
		sendTo(t, scene, "wave-1", patch.RollBack, "bad indeed")
		first = story.Ends(one)
	})
	require.Equal(t, patch.StateParked, asks.State)
	require.Contains(t, asks.Awaiting, "roll back by tester (bad) could not be carried out: ")
	require.Contains(t, asks.Verbs, patch.Resume)
	require.Equal(t, "roll back by tester (bad)", asks.Stages[0].Soak.CutBy)
	require.Equal(t, patch.RolledBack, first.Outcome, "%+v", first)
	require.Equal(t, []patch.Outcome{patch.RolledBack, patch.RolledBack}, wavetest.Outcomes(first)["staging"])
	scene.RequireInvariants(nil, wavetest.Except{})
}

// A freeze at its end is waited for, as long as the window is open; then people are asked.
func TestAFreezeAtTheEndOfASoak(t *testing.T) {
	for name, c := range map[string]struct {
		lifted time.Duration // after the window has opened
		asks   bool
	}{"lifted in the window": {time.Hour, false}, "lifted after it": {4 * time.Hour, true}} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
				return wavetest.Unattended(soaked("10h")(file))
			}})
			next := twoWindows(scene, 3*time.Hour)
			later := next.Add(24 * time.Hour)
			scene.Plans.Following = append(scene.Plans.Following, patch.Window{
				Opens: later, Cutoff: later.Add(3 * time.Hour), Closes: later.Add(4 * time.Hour),
			})
			people := scene.Overhear()
			scene.OnLook = people.Looked
			var frozen, after patch.WaveStatus
			whileSoaking(scene, time.Hour, func() {
				scene.Frozen = patch.Freezes{{Account: "production", Actor: "boss", Reason: "sale"}}
				opens := next.Sub(scene.Env.Now())
				scene.Env.RegisterDelayedCallback(func() { frozen, _ = scene.Status() }, opens+2*time.Minute)
				scene.Env.RegisterDelayedCallback(func() {
					after, _ = scene.Status()
					scene.Frozen = nil
					if c.asks {
						scene.MustTake(patch.Resume, wavetest.Because("the sale is over"))
					}
				}, opens+c.lifted)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, patch.StateSoaking, frozen.State)
			require.Contains(t, frozen.Awaiting, "is frozen by boss")
			opens := next
			if c.asks {
				opens = later
				require.Equal(t, patch.StateParked, after.State)
				require.Contains(t, after.Awaiting, "it was tried until the window's cutoff, and stands no longer")
			} else {
				require.Equal(t, patch.StateSoaking, after.State)
			}
			first := scene.Effects("EnterStandby")[0].Time
			require.False(t, first.Before(opens), "%s", first)
			require.True(t, first.Before(opens.Add(3*time.Hour)), "%s", first)
			require.Empty(t, people.Untold(result))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}
