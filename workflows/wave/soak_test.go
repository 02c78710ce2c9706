package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// soaked has production wait for staging, with backups that are young enough all the while.
func soaked(after string) func([]byte) []byte {
	return func(file []byte) []byte {
		return wavetest.PlanWith(
			"        service: web\n", "        service: web\n        after: "+after+"\n",
			"    restore: root_volume\n", "    restore: root_volume\n    retention: 30d\n    timing: {rollback_max_age: 20d}\n",
		)(quick(file))
	}
}

func isSoaking(s patch.WaveStatus) bool { return s.State == patch.StateSoaking && len(s.Verbs) > 0 }

// soakOf is the soak of a wave's first stage.
func soakOf(t *testing.T, scene *wavetest.Scene) patch.Soak {
	t.Helper()
	var document activities.WaveDocument
	require.NoError(t, scene.Store.GetWave(t.Context(), "wave-test", &document))
	require.NotNil(t, document.Status.Stages[0].Soak)
	return *document.Status.Stages[0].Soak
}

func TestAStageSoaksForThreeDaysAndTheWaveGoesOnInTheNextWindow(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: soaked("3d")})
	people := scene.Overhear()
	start := scene.Env.Now()
	scene.Plans.Within = &patch.Window{
		Opens: start.Add(-time.Hour), Cutoff: start.Add(time.Hour), Closes: start.Add(2 * time.Hour),
	}
	for _, day := range []int{1, 2, 3, 4, 7} { // the soak ends after the fourth
		opens := start.Add(time.Duration(day)*24*time.Hour - time.Hour)
		scene.Plans.Following = append(scene.Plans.Following, patch.Window{
			Opens: opens, Cutoff: opens.Add(time.Hour), Closes: opens.Add(2 * time.Hour),
		})
	}
	next := scene.Plans.Following[3].Opens
	var first, late patch.WaveStatus
	var asked patch.WaveStatus
	scene.OnLook = func(status patch.WaveStatus) {
		people.Looked(status)
		if status.State == patch.StateAwaitingApproval {
			asked = status
		}
	}
	scene.When(isSoaking, func(status patch.WaveStatus) {
		first = status
		requireParked(scene)
		scene.Env.RegisterDelayedCallback(func() {
			late, _ = scene.Status()
			requireParked(scene)
		}, 72*time.Hour+30*time.Minute)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
	soak := soakOf(t, scene)
	require.Equal(t, "production", soak.Before)
	require.Equal(t, 72*time.Hour, soak.Until.Sub(soak.Since))
	require.Equal(t, "staging", first.Stage, "a roll back of the stage puts back what soaks")
	require.Contains(t, first.Awaiting, "staging is done since "+brief.UTC(soak.Since)+" and soaks until "+brief.UTC(soak.Until))
	require.Contains(t, first.Awaiting, "Then the approval of production is asked in the window that opens at "+brief.UTC(next))
	require.Equal(t, []patch.Verb{patch.Resume, patch.RollBack, patch.Abort, patch.ExtendWindow}, first.Verbs)
	require.False(t, first.Asks(), "it goes on by itself")
	require.Contains(t, first.ETA.NotCounted, "the soak of staging until "+brief.UTC(soak.Until))
	require.Equal(t, patch.StateSoaking, late.State, "no window is open yet")
	require.Contains(t, late.Awaiting, "staging soaked for 3d")
	require.False(t, asked.Since.Before(next), "%s", asked.Since)
	require.Contains(t, asked.Awaiting, "staging soaked for 3d")
	require.Contains(t, asked.Awaiting, "2 well")
	require.InDelta(t, 95, soak.Looks, 3, "once an hour")
	require.Zero(t, soak.Bad+soak.Unread)
	require.Empty(t, people.Untold(result))
	scene.RequireInvariants(result, wavetest.Except{})
	scene.RequireVersions(result)
}

// What is said while a stage soaks, and what becomes of it.
func TestWhatIsSaidWhileAStageSoaks(t *testing.T) {
	for _, c := range []struct {
		name       string
		say        func(*wavetest.Scene)
		want       patch.Outcome
		reason     string
		staging    patch.Outcome // of each of its instances
		production int           // patched
		cutBy      string
	}{
		{"nothing", func(*wavetest.Scene) {}, patch.Succeeded, "", patch.Patched, 4, ""},
		{"abort", func(scene *wavetest.Scene) {
			scene.MustTake(patch.Abort, wavetest.Because("enough"))
		}, patch.Aborted, "aborted: tester: enough", patch.Patched, 0, "aborted: tester: enough"},
		{"a cancel", func(scene *wavetest.Scene) {
			scene.Env.CancelWorkflow()
		}, patch.Aborted, "aborted: the wave was cancelled", patch.Patched, 0, "aborted: the wave was cancelled"},
		{"roll_back", func(scene *wavetest.Scene) {
			scene.MustTake(patch.RollBack, wavetest.Because("bad"))
		}, patch.RolledBack, "rolled back by tester: bad", patch.RolledBack, 0, "roll back by tester (bad)"},
		{"roll_back of the wave", func(scene *wavetest.Scene) {
			request := wavetest.Because("bad")
			request.Scope = patch.ScopeWave
			scene.MustTake(patch.RollBack, request)
		}, patch.RolledBack, "rolled back by tester: bad", patch.RolledBack, 0, "roll back by tester (bad)"},
		{"resume", func(scene *wavetest.Scene) {
			scene.MustTake(patch.Resume, wavetest.Because("it is urgent"))
			scene.MustTake(patch.Resume, wavetest.Because("it is urgent")) // sent twice, taken once
		}, patch.Succeeded, "", patch.Patched, 4, "resume by tester (it is urgent)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: soaked("10h")})
			began := time.Time{}
			scene.When(isSoaking, func(status patch.WaveStatus) {
				began = status.Since
				requireParked(scene)
				scene.Refuses(patch.Pause, wavetest.Because("no"), "the wave is soaking: it takes resume, roll_back, abort, not pause")
				scene.Env.RegisterDelayedCallback(func() { c.say(scene) }, 5*time.Hour)
			})
			result, err := scene.Run(wavetest.WebWave)
			if c.name != "a cancel" {
				require.NoError(t, err)
			}
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, c.reason)
			require.Equal(t, []patch.Outcome{c.staging, c.staging}, wavetest.Outcomes(result)["staging"])
			require.Equal(t, c.production, wavetest.CountInProduction(result, patch.Patched))
			if c.production == 0 {
				require.Empty(t, scene.Effects("EnterStandby"), "production was not touched")
				require.NotEqual(t, patch.Succeeded, result.Stages[1].Outcome)
			} else {
				long := scene.Effects("EnterStandby")[0].Time.Sub(began)
				require.Equal(t, c.cutBy != "", long < 10*time.Hour, "%s", long)
			}
			soak := soakOf(t, scene)
			require.Equal(t, c.cutBy, soak.CutBy)
			require.False(t, soak.Ended.IsZero())
			require.InDelta(t, map[bool]int{true: 5, false: 11}[c.cutBy != ""], soak.Looks, 2)
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// A plan without windows has none after it has soaked, and what fails then is put back by silence as ever: it is no
// earlier window's.
func TestASoakGivesAPlanWithoutWindowsNone(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: soaked("2h"),
		Fleet: wavetest.WithFaults(nil, world.WorldFault{
			Kind: world.FaultInstallFails, Account: "production", Group: "web", Nth: 3,
		}),
	})
	scene.Silent = true
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(status patch.WaveStatus) {
		require.Nil(t, status.Window)
		require.NotContains(t, status.Verbs, patch.ExtendWindow)
		scene.MustTake(patch.Approve, wavetest.Because("go"))
	})
	scene.When(isSoaking, func(status patch.WaveStatus) {
		require.Nil(t, status.Window)
		require.NotContains(t, status.Verbs, patch.ExtendWindow)
		require.Contains(t, status.Awaiting, "Then the approval of production is asked. ")
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	require.Contains(t, result.Reason, "nobody answered within 30m0s")
	require.Equal(t, []patch.Outcome{patch.Patched, patch.Patched}, wavetest.Outcomes(result)["staging"])
	scene.RequireInvariants(result, wavetest.Except{})
}

// The backups of a stage that soaks for long are old by then: rolling it back is refused with what to do.
func TestARollBackOfAStageThatSoakedForLongTellsThatItsBackupsAreOld(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
		return wavetest.PlanWith("        service: web\n", "        service: web\n        after: {duration: 3d, healthy: false}\n")(
			quick(file))
	}})
	scene.When(isSoaking, func(status patch.WaveStatus) {
		require.Contains(t, status.Awaiting, "nobody looks at its health meanwhile")
		scene.Env.RegisterDelayedCallback(func() { scene.MustTake(patch.RollBack, wavetest.Because("bad")) }, 25*time.Hour)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
	require.Contains(t, result.Reason, "rollback_max_age (24h")
	require.Contains(t, result.Reason, "--accept-loss")
	require.Zero(t, soakOf(t, scene).Looks)
	scene.RequireInvariants(result, wavetest.Except{})
}

// The configuration counts as it is when the soak is over: a plan that has got a window keeps to it.
func TestAPlanThatGetsAWindowWhileAStageSoaksKeepsToIt(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
		return wavetest.Unattended(soaked("5h")(file))
	}})
	var opens time.Time
	var seen *patch.Window
	whileSoaking(scene, time.Hour, func() {
		opens = scene.Env.Now().Add(20 * time.Hour)
		scene.Plans.Within = &patch.Window{Opens: opens, Cutoff: opens.Add(4 * time.Hour), Closes: opens.Add(5 * time.Hour)}
	})
	scene.OnLook = func(status patch.WaveStatus) {
		if status.Stage == "production" && status.State == patch.StateRunning {
			seen = status.Window
		}
	}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.False(t, scene.Effects("EnterStandby")[0].Time.Before(opens))
	require.NotNil(t, seen)
	require.True(t, seen.Opens.Equal(opens))
}

// A short soak ends in the window that it began in; one that no window follows ends the wave, which says so at once.
func TestASoakWithoutAnotherWindow(t *testing.T) {
	for name, c := range map[string]struct {
		soaks  string
		want   patch.Outcome
		reason string
	}{
		"over in its own window": {"1h", patch.Succeeded, ""},
		"over after the last":    {"10h", patch.Aborted, "cannot act any more: no other window follows"},
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: soaked(c.soaks)})
			start := scene.Env.Now()
			scene.Plans.Within = &patch.Window{Opens: start, Cutoff: start.Add(6 * time.Hour), Closes: start.Add(7 * time.Hour)}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, c.reason)
			require.Equal(t, c.want == patch.Succeeded, len(scene.Effects("EnterStandby")) == 4)
			require.True(t, scene.Env.Now().Before(start.Add(6*time.Hour)))
			require.Equal(t, []patch.Outcome{patch.Patched, patch.Patched}, wavetest.Outcomes(result)["staging"])
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// Who paused a wave before its stage was done, and sends resume while that soaks, lifts the pause and does not cut the
// soak short; a second one does.
func TestAResumeWhileAPausedStageSoaksLiftsThePauseOnly(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: soaked("10h")})
	scene.When(func(status patch.WaveStatus) bool {
		return status.Stage == "staging" && status.State == patch.StateRunning && status.Stages[0].Groups[0].Done == 1
	}, func(patch.WaveStatus) { scene.MustTake(patch.Pause, wavetest.Because("looking")) })
	var paused, lifted patch.WaveStatus
	whileSoaking(scene, time.Hour, func() {
		paused, _ = scene.Status()
		scene.MustTake(patch.Resume, wavetest.Because("looked"))
		scene.Env.RegisterDelayedCallback(func() {
			lifted, _ = scene.Status()
			scene.MustTake(patch.Resume, wavetest.Because("it is urgent"))
		}, time.Hour)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, paused.Paused())
	require.Contains(t, paused.Awaiting, "It is paused by tester: looking. Send resume to lift that, roll back or abort.")
	require.Equal(t, patch.StateSoaking, lifted.State)
	require.False(t, lifted.Paused())
	require.Contains(t, lifted.Awaiting, "Send resume to go on without the rest of it")
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, "resume by tester (it is urgent)", soakOf(t, scene).CutBy)
	scene.RequireInvariants(result, wavetest.Except{})
}
