package wave_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows/soak"
)

// staging acts on one of staging's instances.
func staging(scene *wavetest.Scene, do func(*world.Instance)) (id string) {
	scene.Sim.Inspect(func(w *world.World) {
		instance := w.Account(wavetest.Staging).Region(wavetest.Tokyo).Instances()[0]
		id = instance.ID
		do(instance)
	})
	return id
}

// whileSoaking does something a while after a stage began to soak.
func whileSoaking(scene *wavetest.Scene, after time.Duration, do func()) {
	scene.When(isSoaking, func(patch.WaveStatus) { scene.Env.RegisterDelayedCallback(do, after) })
}

// What is ill while its stage soaks stops the wave, which holds no lock meanwhile and asks.
func TestAStageThatIsIllWhileItSoaksStopsTheWave(t *testing.T) {
	for _, c := range []struct {
		name    string
		heals   bool // before somebody answers
		answer  patch.Verb
		want    patch.Outcome
		staging patch.Outcome
		patched int // in production
		reason  string
	}{
		{"healed and looked at again", true, patch.Retry, patch.Succeeded, patch.Patched, 4, ""},
		{"taken as it is", false, patch.Skip, patch.Succeeded, patch.Patched, 4, ""},
		{"put back", true, patch.RollBack, patch.RolledBack, patch.RolledBack, 0, "rolled back by tester: it is the patch"},
		{"aborted", false, patch.Abort, patch.Aborted, patch.Patched, 0, "aborted: tester: it is the patch"},
		{"not answered", false, "", patch.Aborted, patch.Patched, 0, "nobody answered until the cutoff of the window"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: soaked("10h")})
			next := twoWindows(scene, 3*time.Hour)
			people := scene.Overhear()
			scene.Silent = true
			scene.OnLook = people.Looked
			scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) {
				scene.MustTake(patch.Approve, wavetest.Because("go"))
			})
			ill := ""
			whileSoaking(scene, 150*time.Minute, func() { ill = staging(scene, (*world.Instance).StopApp) })
			held := patch.WaveStatus{}
			scene.When(wavetest.InState(patch.StateOnHold), func(status patch.WaveStatus) {
				held = status
				requireParked(scene)
				if c.heals {
					staging(scene, (*world.Instance).StartApp)
				}
				scene.Env.RegisterDelayedCallback(func() {
					if c.answer != "" {
						scene.MustTake(c.answer, wavetest.Because("it is the patch"))
					}
				}, time.Hour)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Contains(t, held.Awaiting, "staging is not well while it soaks, by two looks: 1 ill: ")
			require.Contains(t, held.Awaiting, ill+" (")
			require.Contains(t, held.Awaiting, "production has not begun")
			require.Equal(t, patch.VerbsIn(patch.StateOnHold, true), held.Verbs)
			require.Equal(t, patch.Abort, held.Otherwise)
			require.True(t, held.Until.Equal(next.Add(3*time.Hour)), "the cutoff of the window in which it would go on")
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, c.reason)
			require.Equal(t, []patch.Outcome{c.staging, c.staging}, wavetest.Outcomes(result)["staging"])
			require.Equal(t, c.patched, wavetest.CountInProduction(result, patch.Patched))
			soak := soakOf(t, scene)
			require.Equal(t, 2, soak.Bad, "one look, and one that confirmed it")
			if c.patched > 0 {
				require.False(t, scene.Effects("EnterStandby")[0].Time.Before(next), "in the window only")
			} else {
				require.Empty(t, scene.Effects("EnterStandby"))
			}
			require.Empty(t, people.Untold(result))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// What passes, or is not there any more, or cannot be read, does not stop a wave.
func TestWhatDoesNotStopAStageThatSoaks(t *testing.T) {
	denied := func(scene *wavetest.Scene) {
		scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
			if call.Account == wavetest.Staging && call.Operation == "SendCommand" {
				return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDeniedException", Message: "for a test"}
			}
			return awssim.Fault{}
		})
	}
	for _, c := range []struct {
		name  string
		begin func(*wavetest.Scene)
		end   func(*wavetest.Scene)
		lasts time.Duration // from the 150th minute of ten hours
		check func(*testing.T, patch.Soak, patch.WaveStatus)
		late  bool // it goes on late
	}{
		{
			"one bad look", func(scene *wavetest.Scene) { staging(scene, (*world.Instance).StopApp) },
			func(scene *wavetest.Scene) { staging(scene, (*world.Instance).StartApp) }, 31 * time.Minute,
			func(t *testing.T, soak patch.Soak, _ patch.WaveStatus) { require.Equal(t, 1, soak.Bad) }, false,
		},
		{
			"one is terminated", func(scene *wavetest.Scene) { staging(scene, (*world.Instance).Terminate) },
			func(*wavetest.Scene) {}, time.Minute, func(t *testing.T, soak patch.Soak, _ patch.WaveStatus) {
				require.Zero(t, soak.Bad+soak.Unread)
				require.Equal(t, "1 well, 1 gone or at rest", soak.Last.String())
			}, false,
		},
		{
			"one is stopped", func(scene *wavetest.Scene) {
				staging(scene, func(i *world.Instance) { _ = i.Stop() })
			}, func(*wavetest.Scene) {}, time.Minute, func(t *testing.T, soak patch.Soak, _ patch.WaveStatus) {
				require.Zero(t, soak.Bad+soak.Unread)
			}, false,
		},
		{
			"it cannot be read for a while", denied, func(scene *wavetest.Scene) { scene.Sim.SetInterceptor(nil) },
			2 * time.Hour, func(t *testing.T, soak patch.Soak, seen patch.WaveStatus) {
				require.Zero(t, soak.Bad)
				require.Greater(t, soak.Unread, 3)
				require.Contains(t, seen.Awaiting, "2 could not be read: ")
				require.Contains(t, seen.Awaiting, "for a test")
			}, false,
		},
		{
			"it cannot be read at its end", denied, func(scene *wavetest.Scene) { scene.Sim.SetInterceptor(nil) },
			9 * time.Hour, func(t *testing.T, soak patch.Soak, seen patch.WaveStatus) {
				require.Contains(t, seen.Awaiting, "could not be carried out: the last look did not see it well: 2 could not be read")
				require.Contains(t, seen.Awaiting, "is tried again at ")
			}, true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: soaked("10h")})
			scene.OnHold = func(status patch.WaveStatus) { t.Error("it is on hold: " + status.Awaiting) }
			var began time.Time
			var seen patch.WaveStatus
			scene.When(isSoaking, func(status patch.WaveStatus) {
				began = status.Since
				scene.Env.RegisterDelayedCallback(func() { c.begin(scene) }, 150*time.Minute)
				scene.Env.RegisterDelayedCallback(func() {
					seen, _ = scene.Status()
					c.end(scene)
				}, 150*time.Minute+c.lasts)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, result.Outcome.EndsWell(), "%+v", result)
			require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
			soak := soakOf(t, scene)
			require.Equal(t, patch.SoakWell, soak.Last.Verdict())
			c.check(t, soak, seen)
			long := scene.Effects("EnterStandby")[0].Time.Sub(began)
			require.Equal(t, c.late, long > 11*time.Hour, "%s", long)
		})
	}
}

// The gate's alarms are looked at as well, and where all that a stage patched is gone nobody proves anything any more:
// people decide.
func TestAnAlarmAndAnEmptyStageKeepAWaveFromGoingOn(t *testing.T) {
	t.Run("an alarm", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
			return wavetest.PlanWith("        # How long each instance is watched after it is back in service.\n",
				"          - alarm: errors\n")(soaked("10h")(file))
		}})
		ring := func(state string) {
			scene.Sim.Inspect(func(w *world.World) {
				require.NoError(t, w.Account(wavetest.Staging).Region(wavetest.Tokyo).SetAlarm("errors", state, "for a test"))
			})
		}
		scene.Sim.Inspect(func(w *world.World) {
			w.Account(wavetest.Staging).Region(wavetest.Tokyo).PutAlarm(&world.Alarm{
				Name: "errors", Metric: "Errors", Namespace: "Web", Period: time.Minute, EvaluationPeriods: 1,
				Comparison: "GreaterThanThreshold", Statistic: "Maximum", TreatMissingData: "ignore",
			})
		})
		ring("OK")
		whileSoaking(scene, 3*time.Hour, func() { ring("ALARM") })
		held := ""
		scene.OnHold = func(status patch.WaveStatus) { held = status.Awaiting }
		scene.Decide = []patch.Verb{patch.Abort}
		result, err := scene.Run(wavetest.WebWave)
		require.NoError(t, err)
		require.Contains(t, held, "alarm errors entered ALARM at ")
		require.Equal(t, patch.Aborted, result.Outcome)
	})
	t.Run("nobody is left", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: soaked("5h")})
		var seen patch.WaveStatus
		whileSoaking(scene, 3*time.Hour, func() {
			scene.Sim.Inspect(func(w *world.World) {
				for _, instance := range w.Account(wavetest.Staging).Region(wavetest.Tokyo).Instances() {
					instance.Terminate()
				}
			})
			scene.Env.RegisterDelayedCallback(func() {
				seen, _ = scene.Status()
				scene.MustTake(patch.Resume, wavetest.Because("staging was scaled in"))
			}, 5*time.Hour)
		})
		result, err := scene.Run(wavetest.WebWave)
		require.NoError(t, err)
		require.Contains(t, seen.Awaiting, "the last look did not see it well: 2 gone or at rest")
		require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
	})
}

// The watch begins its history anew, and is begun anew where it ends otherwise, which is told.
func TestTheWatchOfAStageThatSoaksOutlivesItsHistory(t *testing.T) {
	t.Run("anew", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: soaked("5h")})
		runs := 0
		scene.InPlaceOf(names.WatchSoak, func(ctx workflow.Context, in soak.Input) (*patch.SoakLook, error) {
			runs++
			require.Equal(t, runs-1, in.Looks)
			return soak.WatchSoak(ctx, in)
		})
		short := wavetest.WebWave
		short.ContinueAfter = 1
		result, err := scene.Run(short)
		require.NoError(t, err)
		require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
		require.GreaterOrEqual(t, runs, 5)
		require.Zero(t, soakOf(t, scene).Unread)
	})
	t.Run("after somebody terminated it", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: soaked("5h")})
		runs := 0
		scene.InPlaceOf(names.WatchSoak, func(ctx workflow.Context, in soak.Input) (*patch.SoakLook, error) {
			if runs++; runs > 1 {
				return soak.WatchSoak(ctx, in)
			}
			if err := workflow.Sleep(ctx, time.Hour); err != nil {
				return nil, err
			}
			return nil, errors.New("terminated")
		})
		result, err := scene.Run(wavetest.WebWave)
		require.NoError(t, err)
		require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
		require.Equal(t, 2, runs)
		require.Equal(t, 1, soakOf(t, scene).Unread)
	})
}
