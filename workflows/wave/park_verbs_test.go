package wave_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows/group"
)

// slowlyParked makes a wave take minutes to park: it asks for the next window before it lets its locks go.
func slowlyParked(scene *wavetest.Scene) {
	scene.Env.OnActivity(scene.Control.NextWindow, mock.Anything, mock.Anything).Return(
		func(ctx context.Context, in activities.NextWindowInput) (*activities.NextWindow, error) {
			return scene.Control.NextWindow(ctx, in)
		},
	).After(3 * time.Minute)
}

// parks reports whether production has met the end of its window and the wave has not parked yet.
func parks(s patch.WaveStatus) bool {
	return s.Stage == "production" && s.State != patch.StateParked && s.State != patch.StateClosed &&
		s.Stages[1].Groups[0].Closed != ""
}

// What is told in the moments in which a wave lets its locks go acts as if it was told of the parked wave.
func TestAVerbToldWhileAWaveParksIsNotLost(t *testing.T) {
	for _, c := range []struct {
		name    string
		verb    patch.Verb
		last    bool // no other window follows
		want    patch.Outcome
		reason  string
		patched int
	}{
		{"roll_back", patch.RollBack, false, patch.RolledBack, "rolled back by tester: now", 0},
		{"abort", patch.Abort, false, patch.Aborted, "aborted: tester: now", 2},
		{"roll_back, and no other window follows", patch.RollBack, true, patch.RolledBack, "rolled back by tester: now", 0},
		{"abort, and no other window follows", patch.Abort, true, patch.Aborted, "aborted: tester: now", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: quick})
			twoWindows(scene, inTheMiddle)
			if c.last {
				scene.Plans.Following = nil
			}
			slowlyParked(scene)
			told := time.Time{}
			scene.When(parks, func(patch.WaveStatus) {
				told = scene.Env.Now()
				scene.MustTake(c.verb, wavetest.Because("now"))
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.False(t, told.IsZero())
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Equal(t, c.reason, result.Reason)
			require.Equal(t, c.patched, wavetest.CountInProduction(result, patch.Patched))
			require.Less(t, scene.Env.Now().Sub(told), 3*time.Hour, "it acts at once")
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// A paused wave's resume that comes while it parks is acted on as well: at once here, since the window is open still.
func TestAResumeToldWhileAWaveParksIsNotLost(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.TwoGroups, Config: func(file []byte) []byte { return sideBySide(quick(file)) },
	})
	twoWindows(scene, 3*time.Hour)
	slowlyParked(scene)
	turns := 0
	actingGroup(scene, "web", func(it actor) (*patch.GroupResult, error) {
		for {
			switch it.next() {
			case group.OrderGo:
				turns++
				it.report(patch.GroupCounts{Phase: patch.GroupPatching})
				require.NoError(t, workflow.Sleep(it.ctx, time.Minute))
				if turns == 1 {
					it.report(patch.GroupCounts{Phase: patch.GroupDone, Outcome: patch.Aborted, Closed: patch.RefusedWindowEnds})
				} else {
					it.report(patch.GroupCounts{Phase: patch.GroupDone, Outcome: patch.Succeeded})
				}
			case group.OrderPark, group.OrderRelease:
				return &patch.GroupResult{
					Account: "production", Region: wavetest.Tokyo, Name: "web", Outcome: patch.Succeeded,
					Instances: []patch.InstanceResult{},
				}, nil
			}
		}
	})
	of := func(s patch.WaveStatus, name string) (counts patch.GroupCounts) {
		for _, group := range s.Stages[0].Groups {
			if strings.HasSuffix(group.Group, "/"+name) {
				counts = group
			}
		}
		return counts
	}
	resumed := false
	scene.When(func(s patch.WaveStatus) bool {
		return s.Stage == "production" && s.State == patch.StateRunning && of(s, "web").Closed != ""
	}, func(patch.WaveStatus) {
		scene.MustTake(patch.Pause, wavetest.Because("lunch"))
		scene.When(func(s patch.WaveStatus) bool {
			return s.State == patch.StatePaused && of(s, "api").Phase == patch.GroupPaused
		}, func(patch.WaveStatus) {
			resumed = true
			scene.MustTake(patch.Resume, wavetest.Because("go on"))
		})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, resumed)
	require.Equal(t, 2, turns)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	scene.RequireInvariants(result, wavetest.Except{})
}

// In a later window nobody's silence puts back what the earlier one patched.
func TestSilenceInALaterWindowAborts(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
		return wavetest.Unattended(quick(file))
	}, Fleet: wavetest.WithFaults(nil,
		world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 3})})
	scene.Silent = true
	twoWindows(scene, inTheMiddle)
	held := false
	scene.When(isParked, func(patch.WaveStatus) {
		scene.Env.RegisterDelayedCallback(func() {
			scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
		}, time.Hour)
		scene.When(wavetest.InState(patch.StateOnHold), func(patch.WaveStatus) { held = true })
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, held)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	require.Contains(t, result.Reason,
		"aborted: patchtide: nobody answered within 30m0s, and what an earlier window patched is put back by a person only")
	require.Equal(t, 2, wavetest.CountInProduction(result, patch.Patched))
	scene.RequireInvariants(result, wavetest.Except{})
	scene.RequireVersions(result)
}

// A parked wave that was resumed but never got its locks in that window asks people again.
func TestAResumeThatNeverActsIsToldAndEndsWithItsWindow(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: quick})
	next := twoWindows(scene, inTheMiddle)
	scene.Plans.Following = append(scene.Plans.Following, patch.Window{
		Opens: next.Add(24 * time.Hour), Cutoff: next.Add(27 * time.Hour), Closes: next.Add(28 * time.Hour),
	})
	asks := false
	scene.When(isParked, func(patch.WaveStatus) {
		scene.Env.RegisterDelayedCallback(func() {
			scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
			scene.Frozen = patch.Freezes{{Account: "production", Actor: "boss", Reason: "sale"}}
		}, time.Hour)
		scene.Env.RegisterDelayedCallback(func() {
			status, _ := scene.Status()
			require.Contains(t, status.Awaiting, "resume by tester (go on at night) could not be carried out: ")
			require.Contains(t, status.Awaiting, "is tried again at ")
			scene.Refuses(patch.Resume, wavetest.Because("again"), "is tried again at ")
		}, next.Sub(scene.Env.Now())+90*time.Second)
		scene.Env.RegisterDelayedCallback(func() {
			status, _ := scene.Status()
			asks = true
			require.Equal(t, patch.StateParked, status.State)
			require.Contains(t, status.Awaiting, "it was tried until the window's cutoff, and stands no longer")
			require.Contains(t, status.Awaiting, "The next window opens at "+next.Add(24*time.Hour).UTC().Format("2006-01-02 15:04:05 UTC"))
			require.Equal(t, ofAService(patch.VerbsParked("")), status.Verbs)
			scene.Frozen = patch.Freezes{}
			scene.MustTake(patch.Resume, wavetest.Because("now it may"))
		}, next.Sub(scene.Env.Now())+4*time.Hour)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, asks)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Len(t, scene.Effects("EnterStandby"), 4)
	scene.RequireInvariants(result, wavetest.Except{})
}

// A history that has grown too large holds no other window, however few its events are.
func TestAWaveWhoseHistoryIsTooLargeDoesNotPark(t *testing.T) {
	for name, grow := range map[string]func(*wavetest.Scene){
		"large": func(scene *wavetest.Scene) { scene.Env.SetCurrentHistorySize(26 << 20) },
		"long":  func(scene *wavetest.Scene) { scene.Env.SetCurrentHistoryLength(26_000) },
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: quick})
			next := twoWindows(scene, inTheMiddle)
			grow(scene)
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome)
			require.Contains(t, result.Reason, "its history is too long to go on: start another wave in the next window")
			require.True(t, scene.Env.Now().Before(next))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}
