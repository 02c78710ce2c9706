package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"go.temporal.io/sdk/testsuite"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// quick are estimates of the bench's machines: eleven minutes an instance.
var quick = estimated("{patch: 11m, rollback: 0s, snapshot: 0s, volume: 0s}")

// twoWindows gives the bench a window that ends on the wave after a while, and one a day later.
func (b *bench) twoWindows(cutoff time.Duration) (next time.Time) {
	start := b.env.Now()
	b.plans.window = &patch.Window{Opens: start.Add(-time.Hour), Cutoff: start.Add(cutoff), Closes: start.Add(cutoff + time.Hour)}
	next = start.Add(24 * time.Hour)
	b.plans.following = []patch.Window{{Opens: next, Cutoff: next.Add(3 * time.Hour), Closes: next.Add(4 * time.Hour)}}
	return next
}

// inTheMiddle ends a window after two of production's instances.
const inTheMiddle = 60 * time.Minute

func isParked(s patch.WaveStatus) bool { return s.State == patch.StateParked && len(s.Verbs) > 0 }

// requireParked requires that nothing of the wave is left in AWS.
func (b *bench) requireParked() {
	b.t.Helper()
	b.requireNobodyOut()
	b.requireNothingOfOurs(after{})
}

func TestAParkedWaveGoesOnInTheNextWindow(t *testing.T) {
	for name, fleet := range map[string][3]int{"decrement": {2, 4, 6}, "surge": {4, 4, 4}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", config: quick, fleet: sized(fleet[0], fleet[1], fleet[2])})
			next := b.twoWindows(inTheMiddle)
			began, parked := 0, false
			b.when(isParked, func(status patch.WaveStatus) {
				parked, began = true, len(b.effects("EnterStandby"))
				require.Contains(t, status.Awaiting, "of production/ap-northeast-1/web")
				require.Contains(t, status.Awaiting, "The next window opens at "+next.Format(time.RFC3339))
				require.Equal(t, patch.VerbsParked(""), status.Verbs)
				require.True(t, next.Equal(status.NextWindow.Opens))
				b.requireParked()
				b.env.RegisterDelayedCallback(func() {
					b.mustTake(patch.Resume, asked("go on at night"))
					b.mustTake(patch.Resume, asked("go on at night")) // sent twice, taken once
				}, time.Hour)
			})
			b.when(func(s patch.WaveStatus) bool { return isParked(s) && s.Verbs[0] != patch.Resume }, func(status patch.WaveStatus) {
				require.Contains(t, status.Awaiting, "resume by tester (go on at night)")
				require.Contains(t, status.Awaiting, "acts when the window opens at "+next.Format(time.RFC3339))
				b.refuses(patch.Resume, asked("now"), "acts when the window opens at")
				b.env.RegisterDelayedCallback(func() {
					b.mustTake(patch.Resume, asked("go on at night"))
					b.requireParked()
					require.Len(t, b.effects("EnterStandby"), began, "nothing began meanwhile")
				}, next.Sub(b.env.Now())-time.Minute)
			})
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.True(t, parked)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, 4, count(production(result), patch.Patched))
			require.Len(t, b.effects("EnterStandby"), 4, "each instance went out once")
			require.True(t, b.effects("EnterStandby")[began].Time.After(next))
			b.requireInvariants(result, after{})
			b.requireVersions(result)
			var document activities.WaveDocument
			require.NoError(t, b.store.GetWave(t.Context(), "wave-test", &document))
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
		say     func(*bench)
		want    patch.Outcome
		reason  string
		patched int
		begins  bool // in the next window
	}{
		{"nobody", func(*bench) {}, patch.Aborted, "nobody resumed it by the cutoff of the next window", 2, false},
		{"abort", func(b *bench) { b.mustTake(patch.Abort, asked("enough")) }, patch.Aborted, "aborted: tester: enough", 2, false},
		{"roll_back", func(b *bench) { b.mustTake(patch.RollBack, asked("bad")) }, patch.RolledBack, "rolled back by tester: bad", 0, false},
		{"a cancel", func(b *bench) { b.env.CancelWorkflow() }, patch.Aborted, "aborted: the wave was cancelled", 2, false},
		{"resume, then abort", func(b *bench) {
			b.mustTake(patch.Resume, asked("go on"))
			b.env.RegisterDelayedCallback(func() { b.mustTake(patch.Abort, asked("no")) }, time.Hour)
		}, patch.Aborted, "aborted: tester: no", 2, false},
		{"extended, then resumed at once", func(b *bench) {
			until := b.env.Now().Add(5 * time.Hour)
			b.mustTake(patch.ExtendWindow, workflows.VerbRequest{Actor: "tester", Reason: "two are left", Until: until.Format(time.RFC3339)})
			b.mustTake(patch.Resume, asked("go on"))
		}, patch.Succeeded, "", 4, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", config: quick})
			next := b.twoWindows(inTheMiddle)
			b.when(isParked, func(patch.WaveStatus) { c.say(b) })
			result, err := b.run(theWeb)
			if c.name != "a cancel" {
				require.NoError(t, err)
			}
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, c.reason)
			require.Equal(t, c.patched, count(production(result), patch.Patched))
			require.Equal(t, c.name == "nobody", !b.env.Now().Before(next.Add(3*time.Hour)), "only nobody's word is waited for")
			b.requireInvariants(result, after{})
			b.requireVersions(result)
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
			options := benchOptions{scenario: "healthy", config: func(file []byte) []byte { return plan("timeout: 30m", "timeout: 20h")(quick(file)) }}
			if c.fleet {
				options.fleet = failsOnce(nil)
			}
			b := newBench(t, options)
			b.silent = true
			next := b.twoWindows(3 * time.Hour)
			late := func(patch.WaveStatus) {
				b.env.RegisterDelayedCallback(func() {
					b.mustTake(c.decide, asked("not before the window"))
					b.mustTake(c.decide, asked("not before the window"))
				}, 5*time.Hour)
			}
			asks := map[patch.Verb]patch.WaveState{patch.Approve: patch.StateAwaitingApproval, patch.Resume: patch.StatePaused}[c.decide]
			if asks == "" {
				asks = patch.StateOnHold
			}
			if c.decide != patch.Approve {
				b.when(func(s patch.WaveStatus) bool { return s.State == patch.StateAwaitingApproval }, func(patch.WaveStatus) { b.mustTake(patch.Approve, asked("in time")) })
			}
			if c.decide == patch.Resume {
				b.when(b.inProduction, func(patch.WaveStatus) { b.mustTake(patch.Pause, asked("lunch")) })
			}
			b.when(func(s patch.WaveStatus) bool { return s.State == asks }, late)
			began, parked := 0, false
			b.when(isParked, func(status patch.WaveStatus) {
				parked, began = true, len(b.effects("EnterStandby"))
				require.Contains(t, status.Awaiting, string(c.decide)+" by tester (not before the window)")
				require.Contains(t, status.Awaiting, "acts when the window opens at "+next.Format(time.RFC3339))
				require.Equal(t, patch.VerbsParked(c.decide), status.Verbs)
				b.requireParked()
				b.mustTake(c.decide, asked("not before the window"))
			})
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.True(t, parked)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Equal(t, c.patched, count(production(result), patch.Patched))
			require.True(t, b.effects("EnterStandby")[began].Time.After(next))
			b.requireInvariants(result, after{})
			b.requireVersions(result)
		})
	}
}

// An approval that has not acted yet is taken back at once.
func TestAnApprovalOutsideTheWindowMayBeRejected(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: quick})
	b.silent = true
	next := b.twoWindows(3 * time.Hour)
	b.when(func(s patch.WaveStatus) bool { return s.State == patch.StateAwaitingApproval }, func(patch.WaveStatus) {
		b.env.RegisterDelayedCallback(func() { b.mustTake(patch.Approve, asked("well")) }, 5*time.Hour)
	})
	b.when(isParked, func(patch.WaveStatus) { b.mustTake(patch.Reject, asked("not well after all")) })
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome)
	require.Contains(t, result.Reason, "production was not approved: tester: not well after all")
	require.True(t, b.env.Now().Before(next))
	require.Empty(t, b.effects("EnterStandby"))
	b.requireInvariants(result, after{})
}

// A parked wave's groups are free: another wave may take them, and a resume that cannot act while it has them names it and is tried
// again. Once it has ended, resume finds nothing left to patch.
func TestAParkedWaveWaitsForOneThatTookItsGroup(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: func(file []byte) []byte { return unattended(quick(file)) }})
	next := b.twoWindows(inTheMiddle)
	b.locks[productionLock] = "wave-2"
	b.locks["patch-group/222233334444/ap-northeast-1/Role=web"] = "wave-2"
	status := func(id string) (s patch.WaveStatus) {
		value, err := b.env.QueryWorkflowByID(id, names.QueryStatus)
		require.NoError(t, err)
		require.NoError(t, value.Get(&s))
		return s
	}
	resume := func(reason string) {
		require.NoError(t, b.env.UpdateWorkflowByID("wave-1", string(patch.Resume), reason, &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) { t.Errorf("resume was rejected: %v", err) }, OnComplete: func(_ any, err error) { require.NoError(t, err) },
		}, asked(reason)))
	}
	b.play(func(h history) {
		first := h.begin("wave-1", "web")
		h.later(2 * time.Hour)
		require.Equal(t, patch.StateParked, status("wave-1").State)
		h.until(next)
		second := h.begin("wave-2", "web")
		h.later(10 * time.Minute)
		resume("go on")
		h.later(time.Minute)
		parked := status("wave-1")
		require.Equal(t, patch.StateParked, parked.State)
		require.Contains(t, parked.Awaiting, "resume by tester (go on) could not be carried out: ")
		require.Contains(t, parked.Awaiting, "is being patched by wave wave-2")
		require.Contains(t, parked.Awaiting, "resume by tester (go on) at ")
		require.Contains(t, parked.Awaiting, "is tried again at ")
		require.Equal(t, patch.VerbsParked(patch.Resume), parked.Verbs)
		require.Equal(t, patch.Succeeded, h.ends(second).Outcome)
		result := h.ends(first)
		require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
		require.Equal(t, []patch.Outcome{patch.Patched, patch.Patched, patch.AlreadyCompliant, patch.AlreadyCompliant}, outcomes(result)["production"])
	})
	require.Len(t, b.effects("EnterStandby"), 4, "each instance went out once, whichever wave patched it")
	b.requireInvariants(nil, after{})
}

// The next opening is told by the clock on the wall: on the day on which a time of day does not come it is a week later, on the
// one on which it comes twice it is the first.
func TestTheNextWindowOfAParkedWaveOverAChangeOfTheClocks(t *testing.T) {
	const weekly = `{schedule: "cron(30 2 ? * SUN *)", time_zone: Europe/Berlin, duration: 2h, cutoff: 1h}`
	for _, c := range []struct {
		name         string
		opens, again time.Time
	}{
		{"forward: half past two does not come", time.Date(2037, 3, 22, 1, 30, 0, 0, time.UTC), time.Date(2037, 4, 5, 0, 30, 0, 0, time.UTC)},
		{"back: it comes twice", time.Date(2037, 10, 18, 0, 30, 0, 0, time.UTC), time.Date(2037, 10, 25, 0, 30, 0, 0, time.UTC)},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", config: func(file []byte) []byte { return inWindow(weekly)(quick(file)) }, start: c.opens})
			b.plans.scheduled = true
			b.play(func(h history) {
				wave := h.begin("wave-1", "web")
				h.later(90 * time.Minute)
				value, err := b.env.QueryWorkflowByID("wave-1", names.QueryStatus)
				require.NoError(t, err)
				var status patch.WaveStatus
				require.NoError(t, value.Get(&status))
				require.Equal(t, patch.StateParked, status.State)
				require.True(t, c.again.Equal(status.NextWindow.Opens), "%s", status.NextWindow.Opens)
				require.Equal(t, 2*time.Hour, status.NextWindow.Closes.Sub(status.NextWindow.Opens), "in hours that pass")
				require.NoError(t, b.env.UpdateWorkflowByID("wave-1", string(patch.Resume), "", &testsuite.TestUpdateCallback{
					OnAccept: func() {}, OnReject: func(err error) { t.Errorf("rejected: %v", err) }, OnComplete: func(any, error) {},
				}, asked("go on")))
				began := len(b.effects("EnterStandby"))
				require.Equal(t, patch.Succeeded, h.ends(wave).Outcome)
				require.WithinDuration(t, c.again, b.effects("EnterStandby")[began].Time, 30*time.Minute)
			})
			b.requireInvariants(nil, after{})
		})
	}
}
