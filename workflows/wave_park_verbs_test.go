package workflows_test

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
	"github.com/patchtide/patchtide/workflows"
)

// slowlyParked makes a wave take minutes to park: it asks for the next window before it lets its locks go.
func (b *bench) slowlyParked() {
	b.env.OnActivity(b.control.NextWindow, mock.Anything, mock.Anything).Return(
		func(ctx context.Context, in activities.NextWindowInput) (*activities.NextWindow, error) {
			return b.control.NextWindow(ctx, in)
		},
	).After(3 * time.Minute)
}

// parks tells that production has met the end of its window and the wave has not parked yet.
func parks(s patch.WaveStatus) bool {
	return s.Stage == "production" && s.State != patch.StateParked && s.State != patch.StateClosed && s.Stages[1].Groups[0].Closed != ""
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
			b := newBench(t, benchOptions{scenario: "healthy", config: quick})
			b.twoWindows(inTheMiddle)
			if c.last {
				b.plans.following = nil
			}
			b.slowlyParked()
			told := time.Time{}
			b.when(parks, func(patch.WaveStatus) {
				told = b.env.Now()
				b.mustTake(c.verb, asked("now"))
			})
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.False(t, told.IsZero())
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Equal(t, c.reason, result.Reason)
			require.Equal(t, c.patched, count(production(result), patch.Patched))
			require.Less(t, b.env.Now().Sub(told), 3*time.Hour, "it acts at once")
			b.requireInvariants(result, after{})
			b.requireVersions(result)
		})
	}
}

// A paused wave's resume that comes while it parks is acted on as well: at once here, since the window is open still.
func TestAResumeToldWhileAWaveParksIsNotLost(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: twoGroups, config: func(file []byte) []byte { return sideBySide(quick(file)) }})
	b.twoWindows(3 * time.Hour)
	b.slowlyParked()
	turns := 0
	b.actingGroup("web", func(ctx workflow.Context, report func(patch.GroupCounts), next func() workflows.OrderKind) (*patch.GroupResult, error) {
		for {
			switch next() {
			case workflows.OrderGo:
				turns++
				report(patch.GroupCounts{Phase: patch.GroupPatching})
				require.NoError(t, workflow.Sleep(ctx, time.Minute))
				if turns == 1 {
					report(patch.GroupCounts{Phase: patch.GroupDone, Outcome: patch.Aborted, Closed: patch.RefusedWindowEnds})
				} else {
					report(patch.GroupCounts{Phase: patch.GroupDone, Outcome: patch.Succeeded})
				}
			case workflows.OrderPark, workflows.OrderRelease:
				return &patch.GroupResult{Account: "production", Region: tokyoRegion, Name: "web", Outcome: patch.Succeeded, Instances: []patch.InstanceResult{}}, nil
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
	b.when(func(s patch.WaveStatus) bool {
		return s.Stage == "production" && s.State == patch.StateRunning && of(s, "web").Closed != ""
	}, func(patch.WaveStatus) {
		b.mustTake(patch.Pause, asked("lunch"))
		b.when(func(s patch.WaveStatus) bool {
			return s.State == patch.StatePaused && of(s, "api").Phase == patch.GroupPaused
		}, func(patch.WaveStatus) {
			resumed = true
			b.mustTake(patch.Resume, asked("go on"))
		})
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.True(t, resumed)
	require.Equal(t, 2, turns)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	b.requireInvariants(result, after{})
}

// In a later window nobody's silence puts back what the earlier one patched.
func TestSilenceInALaterWindowAborts(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: func(file []byte) []byte { return unattended(quick(file)) }, fleet: also(nil,
		world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 3})})
	b.silent = true
	b.twoWindows(inTheMiddle)
	held := false
	b.when(isParked, func(patch.WaveStatus) {
		b.env.RegisterDelayedCallback(func() { b.mustTake(patch.Resume, asked("go on at night")) }, time.Hour)
		b.when(func(s patch.WaveStatus) bool { return s.State == patch.StateOnHold }, func(patch.WaveStatus) { held = true })
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.True(t, held)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	require.Contains(t, result.Reason, "aborted: patchtide: nobody answered within 30m0s, and what an earlier window patched is put back by a person only")
	require.Equal(t, 2, count(production(result), patch.Patched))
	b.requireInvariants(result, after{})
	b.requireVersions(result)
}

// A parked wave that was resumed but never got its locks in that window asks people again.
func TestAResumeThatNeverActsIsToldAndEndsWithItsWindow(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: quick})
	next := b.twoWindows(inTheMiddle)
	b.plans.following = append(b.plans.following, patch.Window{Opens: next.Add(24 * time.Hour), Cutoff: next.Add(27 * time.Hour), Closes: next.Add(28 * time.Hour)})
	asks := false
	b.when(isParked, func(patch.WaveStatus) {
		b.env.RegisterDelayedCallback(func() {
			b.mustTake(patch.Resume, asked("go on at night"))
			b.freezes = patch.Freezes{{Account: "production", Actor: "boss", Reason: "sale"}}
		}, time.Hour)
		b.env.RegisterDelayedCallback(func() {
			status, _ := b.status()
			require.Contains(t, status.Awaiting, "resume by tester (go on at night) could not be carried out: ")
			require.Contains(t, status.Awaiting, "is tried again at ")
			b.refuses(patch.Resume, asked("again"), "is tried again at ")
		}, next.Sub(b.env.Now())+90*time.Second)
		b.env.RegisterDelayedCallback(func() {
			status, _ := b.status()
			asks = true
			require.Equal(t, patch.StateParked, status.State)
			require.Contains(t, status.Awaiting, "it was tried until the window's cutoff, and stands no longer")
			require.Contains(t, status.Awaiting, "The next window opens at "+next.Add(24*time.Hour).Format(time.RFC3339))
			require.Equal(t, patch.VerbsParked(""), status.Verbs)
			b.freezes = patch.Freezes{}
			b.mustTake(patch.Resume, asked("now it may"))
		}, next.Sub(b.env.Now())+4*time.Hour)
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.True(t, asks)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Len(t, b.effects("EnterStandby"), 4)
	b.requireInvariants(result, after{})
}

// A history that has grown too large holds no other window, however few its events are.
func TestAWaveWhoseHistoryIsTooLargeDoesNotPark(t *testing.T) {
	for name, grow := range map[string]func(*bench){
		"large": func(b *bench) { b.env.SetCurrentHistorySize(26 << 20) },
		"long":  func(b *bench) { b.env.SetCurrentHistoryLength(26_000) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", config: quick})
			next := b.twoWindows(inTheMiddle)
			grow(b)
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome)
			require.Contains(t, result.Reason, "its history is too long to go on: start another wave in the next window")
			require.True(t, b.env.Now().Before(next))
			b.requireInvariants(result, after{})
		})
	}
}
