package wave_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// quick are estimates of the scene's machines: eleven minutes an instance.
var quick = estimated("{patch: 11m, rollback: 0s, snapshot: 0s, volume: 0s}")

// twoWindows gives the scene a window that ends on the wave after a while, and one a day later.
func twoWindows(scene *wavetest.Scene, cutoff time.Duration) (next time.Time) {
	start := scene.Env.Now()
	scene.Plans.Within = &patch.Window{
		Opens: start.Add(-time.Hour), Cutoff: start.Add(cutoff), Closes: start.Add(cutoff + time.Hour),
	}
	next = start.Add(24 * time.Hour)
	scene.Plans.Following = []patch.Window{{Opens: next, Cutoff: next.Add(3 * time.Hour), Closes: next.Add(4 * time.Hour)}}
	return next
}

// inTheMiddle ends a window after two of production's instances.
const inTheMiddle = 60 * time.Minute

func isParked(s patch.WaveStatus) bool { return s.State == patch.StateParked && len(s.Verbs) > 0 }

// requireParked requires that nothing of the wave is left in AWS.
func requireParked(scene *wavetest.Scene) {
	scene.T.Helper()
	scene.RequireNobodyOut()
	scene.RequireNothingOfOurs(wavetest.Except{})
}

func TestAParkedWaveGoesOnInTheNextWindow(t *testing.T) {
	for name, fleet := range map[string][3]int{"decrement": {2, 4, 6}, "surge": {4, 4, 4}} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: quick, Fleet: wavetest.Sized(fleet[0], fleet[1], fleet[2]),
			})
			next := twoWindows(scene, inTheMiddle)
			began, parked := 0, false
			scene.When(isParked, func(status patch.WaveStatus) {
				parked, began = true, len(scene.Effects("EnterStandby"))
				require.Contains(t, status.Awaiting, "of production/ap-northeast-1/web")
				require.Contains(t, status.Awaiting, "The next window opens at "+next.UTC().Format("2006-01-02 15:04:05 UTC"))
				require.Equal(t, ofAService(patch.VerbsParked("")), status.Verbs)
				require.True(t, next.Equal(status.NextWindow.Opens))
				requireParked(scene)
				scene.Env.RegisterDelayedCallback(func() {
					scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
					scene.MustTake(patch.Resume, wavetest.Because("go on at night")) // sent twice, taken once
				}, time.Hour)
			})
			scene.When(func(s patch.WaveStatus) bool {
				return isParked(s) && s.Verbs[0] != patch.Resume
			}, func(status patch.WaveStatus) {
				require.Contains(t, status.Awaiting, "resume by tester (go on at night)")
				require.Contains(t, status.Awaiting, "acts when the window opens at "+next.UTC().Format("2006-01-02 15:04:05 UTC"))
				scene.Refuses(patch.Resume, wavetest.Because("now"), "acts when the window opens at")
				scene.Env.RegisterDelayedCallback(func() {
					scene.MustTake(patch.Resume, wavetest.Because("go on at night"))
					requireParked(scene)
					require.Len(t, scene.Effects("EnterStandby"), began, "nothing began meanwhile")
				}, next.Sub(scene.Env.Now())-time.Minute)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, parked)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
			require.Len(t, scene.Effects("EnterStandby"), 4, "each instance went out once")
			require.True(t, scene.Effects("EnterStandby")[began].Time.After(next))
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
			var document activities.WaveDocument
			require.NoError(t, scene.Store.GetWave(t.Context(), "wave-test", &document))
			require.Len(t, document.Status.Decisions, 2, "approve and resume")
			require.True(t, next.Equal(document.Status.Decisions[1].Acts))
			require.True(t, next.Equal(document.Plan.Window.Opens), "the evidence tells the window it ended in")
		})
	}
}

// What a parked wave is told at once, and what becomes of one that is told nothing.
func TestWhatEndsAParkedWave(t *testing.T) {
	for _, c := range []struct {
		name    string
		say     func(*wavetest.Scene)
		want    patch.Outcome
		reason  string
		patched int
		begins  bool // in the next window
	}{
		{"nobody", func(*wavetest.Scene) {}, patch.Aborted, "nobody resumed it by the cutoff of the next window", 2, false},
		{"abort", func(scene *wavetest.Scene) {
			scene.MustTake(patch.Abort, wavetest.Because("enough"))
		}, patch.Aborted, "aborted: tester: enough", 2, false},
		{"roll_back", func(scene *wavetest.Scene) {
			scene.MustTake(patch.RollBack, wavetest.Because("bad"))
		}, patch.RolledBack, "rolled back by tester: bad", 0, false},
		{"a cancel", func(scene *wavetest.Scene) {
			scene.Env.CancelWorkflow()
		}, patch.Aborted, "aborted: the wave was cancelled", 2, false},
		{"resume, then abort", func(scene *wavetest.Scene) {
			scene.MustTake(patch.Resume, wavetest.Because("go on"))
			scene.Env.RegisterDelayedCallback(func() { scene.MustTake(patch.Abort, wavetest.Because("no")) }, time.Hour)
		}, patch.Aborted, "aborted: tester: no", 2, false},
		{"extended, then resumed at once", func(scene *wavetest.Scene) {
			until := scene.Env.Now().Add(5 * time.Hour)
			scene.MustTake(patch.ExtendWindow, workflows.VerbRequest{
				Actor: "tester", Reason: "two are left", Until: until.Format(time.RFC3339),
			})
			scene.Env.RegisterDelayedCallback(func() {
				status, _ := scene.Status()
				if !strings.Contains(status.Awaiting, "Its window was extended, and is open until its cutoff at ") {
					scene.T.Errorf("it asks: %s", status.Awaiting)
				}
				scene.MustTake(patch.Resume, wavetest.Because("go on"))
			}, time.Second)
		}, patch.Succeeded, "", 4, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: quick})
			next := twoWindows(scene, inTheMiddle)
			scene.When(isParked, func(patch.WaveStatus) { c.say(scene) })
			result, err := scene.Run(wavetest.WebWave)
			if c.name != "a cancel" {
				require.NoError(t, err)
			}
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, c.reason)
			require.Equal(t, c.patched, wavetest.CountInProduction(result, patch.Patched))
			require.Equal(t, c.name == "nobody", !scene.Env.Now().Before(next.Add(3*time.Hour)),
				"only nobody's word is waited for")
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// Verbs that let a wave go on and are sent outside the window act when it opens, and are recorded as taken.
func TestVerbsOutsideTheWindowActWhenItOpens(t *testing.T) {
	for _, c := range []struct {
		name    string
		fleet   bool // one install fails
		decide  patch.Verb
		want    patch.Outcome
		patched int
	}{
		{"approve", false, patch.Approve, patch.Succeeded, 4},
		{"retry", true, patch.Retry, patch.Succeeded, 4},
		{"skip", true, patch.Skip, patch.SucceededWithSkips, 3},
		{"resume of a pause", false, patch.Resume, patch.Succeeded, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
				return wavetest.PlanWith("timeout: 30m", "timeout: 20h")(quick(file))
			}}
			if c.fleet {
				options.Fleet = wavetest.FailsOnce(nil)
			}
			scene := wavetest.New(t, options)
			scene.Silent = true
			next := twoWindows(scene, 3*time.Hour)
			late := func(patch.WaveStatus) {
				scene.Env.RegisterDelayedCallback(func() {
					scene.MustTake(c.decide, wavetest.Because("not before the window"))
					scene.MustTake(c.decide, wavetest.Because("not before the window"))
				}, 5*time.Hour)
			}
			asks := map[patch.Verb]patch.WaveState{
				patch.Approve: patch.StateAwaitingApproval, patch.Resume: patch.StatePaused,
			}[c.decide]
			if asks == "" {
				asks = patch.StateOnHold
			}
			if c.decide != patch.Approve {
				scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) {
					scene.MustTake(patch.Approve, wavetest.Because("in time"))
				})
			}
			if c.decide == patch.Resume {
				scene.When(scene.InProduction, func(patch.WaveStatus) { scene.MustTake(patch.Pause, wavetest.Because("lunch")) })
			}
			scene.When(func(s patch.WaveStatus) bool { return s.State == asks }, late)
			began, parked := 0, false
			scene.When(isParked, func(status patch.WaveStatus) {
				parked, began = true, len(scene.Effects("EnterStandby"))
				require.Contains(t, status.Awaiting, c.decide.Words()+" by tester (not before the window)")
				require.Contains(t, status.Awaiting, "acts when the window opens at "+next.UTC().Format("2006-01-02 15:04:05 UTC"))
				require.Equal(t, ofAService(patch.VerbsParked(c.decide)), status.Verbs)
				requireParked(scene)
				scene.MustTake(c.decide, wavetest.Because("not before the window"))
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, parked)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Equal(t, c.patched, wavetest.CountInProduction(result, patch.Patched))
			require.True(t, scene.Effects("EnterStandby")[began].Time.After(next))
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// An approval that has not acted yet is taken back at once.
func TestAnApprovalOutsideTheWindowMayBeRejected(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: quick})
	scene.Silent = true
	next := twoWindows(scene, 3*time.Hour)
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) {
		scene.Env.RegisterDelayedCallback(func() { scene.MustTake(patch.Approve, wavetest.Because("well")) }, 5*time.Hour)
	})
	scene.When(isParked, func(patch.WaveStatus) { scene.MustTake(patch.Reject, wavetest.Because("not well after all")) })
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome)
	require.Contains(t, result.Reason, "production was not approved: tester: not well after all")
	require.True(t, scene.Env.Now().Before(next))
	require.Empty(t, scene.Effects("EnterStandby"))
	scene.RequireInvariants(result, wavetest.Except{})
}

// A parked wave's groups are free: another wave may take them, and a resume that cannot act while it has them names it
// and is tried again. Once it has ended, resume finds nothing left to patch.
func TestAParkedWaveWaitsForOneThatTookItsGroup(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
		return wavetest.Unattended(quick(file))
	}})
	next := twoWindows(scene, inTheMiddle)
	scene.Locks[wavetest.ProductionLock] = "wave-2"
	scene.Locks["patch-group/222233334444/ap-northeast-1/Role=web"] = "wave-2"
	status := func(id string) (s patch.WaveStatus) {
		value, err := scene.Env.QueryWorkflowByID(id, names.QueryStatus)
		require.NoError(t, err)
		require.NoError(t, value.Get(&s))
		return s
	}
	resume := func(reason string) {
		require.NoError(t, scene.Env.UpdateWorkflowByID("wave-1", string(patch.Resume), reason, &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) {
				t.Errorf("resume was rejected: %v", err)
			}, OnComplete: func(_ any, err error) { require.NoError(t, err) },
		}, wavetest.Because(reason)))
	}
	scene.Play(func(story wavetest.Story) {
		first := story.Begin("wave-1", "web")
		story.Later(2 * time.Hour)
		require.Equal(t, patch.StateParked, status("wave-1").State)
		story.Until(next)
		second := story.Begin("wave-2", "web")
		story.Later(10 * time.Minute)
		resume("go on")
		story.Later(time.Minute)
		parked := status("wave-1")
		require.Equal(t, patch.StateParked, parked.State)
		require.Contains(t, parked.Awaiting, "resume by tester (go on) could not be carried out: ")
		require.Contains(t, parked.Awaiting, "is being patched by wave wave-2")
		require.Contains(t, parked.Awaiting, "resume by tester (go on) at ")
		require.Contains(t, parked.Awaiting, "is tried again at ")
		require.Equal(t, ofAService(patch.VerbsParked(patch.Resume)), parked.Verbs)
		require.Equal(t, patch.Succeeded, story.Ends(second).Outcome)
		result := story.Ends(first)
		require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
		require.Equal(t, []patch.Outcome{
			patch.Patched, patch.Patched, patch.AlreadyCompliant, patch.AlreadyCompliant,
		}, wavetest.Outcomes(result)["production"])
	})
	require.Len(t, scene.Effects("EnterStandby"), 4, "each instance went out once, whichever wave patched it")
	scene.RequireInvariants(nil, wavetest.Except{})
}

// The next opening is told by the clock on the wall: on the day on which a time of day does not come it is a week
// later, on the one on which it comes twice it is the first.
func TestTheNextWindowOfAParkedWaveOverAChangeOfTheClocks(t *testing.T) {
	const weekly = `{schedule: "cron(30 2 ? * SUN *)", time_zone: Europe/Berlin, duration: 2h, cutoff: 1h}`
	for _, c := range []struct {
		name         string
		opens, again time.Time
		lasts        time.Duration
	}{
		{
			"forward: half past two does not come", time.Date(2037, 3, 22, 1, 30, 0, 0, time.UTC),
			time.Date(2037, 4, 5, 0, 30, 0, 0, time.UTC), 2 * time.Hour,
		},
		{
			"back: it comes twice", time.Date(2037, 10, 18, 0, 30, 0, 0, time.UTC),
			time.Date(2037, 10, 25, 0, 30, 0, 0, time.UTC), 3 * time.Hour, // both are one
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
				return wavetest.InWindow(weekly)(quick(file))
			}, Start: c.opens})
			scene.Plans.Scheduled = true
			scene.Play(func(story wavetest.Story) {
				wave := story.Begin("wave-1", "web")
				story.Later(90 * time.Minute)
				value, err := scene.Env.QueryWorkflowByID("wave-1", names.QueryStatus)
				require.NoError(t, err)
				var status patch.WaveStatus
				require.NoError(t, value.Get(&status))
				require.Equal(t, patch.StateParked, status.State)
				require.True(t, c.again.Equal(status.NextWindow.Opens), "%s", status.NextWindow.Opens)
				require.Equal(t, c.lasts, status.NextWindow.Closes.Sub(status.NextWindow.Opens), "in hours that pass")
				require.NoError(t, scene.Env.UpdateWorkflowByID("wave-1", string(patch.Resume), "", &testsuite.TestUpdateCallback{
					OnAccept: func() {}, OnReject: func(err error) { t.Errorf("rejected: %v", err) }, OnComplete: func(any, error) {},
				}, wavetest.Because("go on")))
				began := len(scene.Effects("EnterStandby"))
				require.Equal(t, patch.Succeeded, story.Ends(wave).Outcome)
				require.WithinDuration(t, c.again, scene.Effects("EnterStandby")[began].Time, 30*time.Minute)
			})
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}

// ofAService are verbs without the one that a stage refuses whose groups are one service, as those of the plan are.
func ofAService(verbs []patch.Verb) []patch.Verb {
	return slices.DeleteFunc(slices.Clone(verbs), func(verb patch.Verb) bool { return verb == patch.SetConcurrency })
}
