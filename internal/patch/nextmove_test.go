package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// Groups of a stage, as the cases below have them.
var (
	fresh   = patch.GroupNow{Phase: patch.GroupIdle}
	atWork  = patch.GroupNow{Phase: patch.GroupPatching, Started: true}
	waits   = patch.GroupNow{Phase: patch.GroupPaused, Started: true, Waits: true}
	frozen  = patch.GroupNow{Phase: patch.GroupPaused, Started: true}
	onHold  = patch.GroupNow{Phase: patch.GroupHeld, Started: true}
	done    = patch.GroupNow{Phase: patch.GroupDone, Started: true}
	tooLate = patch.GroupNow{Phase: patch.GroupDone, Started: true, Closed: patch.RefusedOutsideWindow}
	blacked = patch.GroupNow{Phase: patch.GroupDone, Started: true, Closed: patch.RefusedBlackout}
	shut    = patch.GroupNow{Phase: patch.GroupDone, Started: true, Closed: patch.RefusedCalendar}
	ended   = patch.GroupNow{Phase: patch.GroupPatching, Started: true, Ended: true}
	lost    = patch.GroupNow{Phase: patch.GroupDone, Started: true, Ended: true, Lost: true}
	baked   = patch.GroupNow{Phase: patch.GroupStepDone, Started: true}
	behind  = patch.GroupNow{Phase: patch.GroupStepDone, Started: true, Behind: true}
)

func serving(group patch.GroupNow, targets ...string) patch.GroupNow {
	group.Targets = targets
	return group
}

func toldToWait(group patch.GroupNow) patch.GroupNow {
	group.Waits = true
	return group
}

func withCanary(group patch.GroupNow) patch.GroupNow {
	group.Owes = true
	return group
}

func TestTheNextMoveOfAStage(t *testing.T) {
	for _, c := range []struct {
		name   string
		now    patch.StageNow
		groups []patch.GroupNow
		move   patch.MoveKind
		about  []int
	}{
		{"the first group goes", patch.StageNow{}, []patch.GroupNow{fresh, fresh}, patch.MoveStart, []int{0}},
		{"one after the other", patch.StageNow{}, []patch.GroupNow{atWork, fresh}, patch.MoveWait, nil},
		{"side by side", patch.StageNow{Parallel: 2}, []patch.GroupNow{atWork, fresh, fresh}, patch.MoveStart, []int{1}},
		{"a frozen one takes up its place", patch.StageNow{}, []patch.GroupNow{frozen, fresh}, patch.MoveWait, nil},
		{"the next once one is done", patch.StageNow{}, []patch.GroupNow{done, fresh}, patch.MoveStart, []int{1}},
		{
			"not beside one of the same service",
			patch.StageNow{Parallel: 2},
			[]patch.GroupNow{serving(atWork, "a"), serving(fresh, "b", "a"), serving(fresh, "b")},
			patch.MoveStart,
			[]int{2},
		},
		{
			"after one of the same service",
			patch.StageNow{Parallel: 2},
			[]patch.GroupNow{serving(done, "a"), serving(fresh, "a")},
			patch.MoveStart,
			[]int{1},
		},
		{"all done", patch.StageNow{}, []patch.GroupNow{done, done}, patch.MoveJudge, nil},
		{"a stage without groups", patch.StageNow{}, nil, patch.MoveJudge, nil},

		{"the window let none begin", patch.StageNow{}, []patch.GroupNow{done, tooLate}, patch.MovePark, nil},
		{"one is at work still", patch.StageNow{Parallel: 2}, []patch.GroupNow{atWork, tooLate}, patch.MoveWait, nil},
		{"the next finds out for itself", patch.StageNow{}, []patch.GroupNow{tooLate, fresh}, patch.MoveStart, []int{1}},
		{
			"paused in the meantime",
			patch.StageNow{Paused: true, Pausing: true},
			[]patch.GroupNow{tooLate, fresh},
			patch.MovePark, nil,
		},
		{"a blackout is parked for", patch.StageNow{}, []patch.GroupNow{done, blacked}, patch.MovePark, nil},
		{"a calendar that closes is as a window that does", patch.StageNow{}, []patch.GroupNow{done, shut}, patch.MovePark, nil},
		{"nor where one is lost", patch.StageNow{}, []patch.GroupNow{lost, tooLate}, patch.MoveJudge, nil},
		{"the window is longer", patch.StageNow{Extended: true}, []patch.GroupNow{atWork, fresh}, patch.MoveTellWindow, nil},

		{"a canary first", patch.StageNow{}, []patch.GroupNow{baked, withCanary(fresh)}, patch.MoveStart, []int{1}},
		{"a canary bakes", patch.StageNow{Parallel: 2}, []patch.GroupNow{baked, withCanary(atWork)}, patch.MoveWait, nil},
		{"all canaries have baked", patch.StageNow{}, []patch.GroupNow{baked, baked}, patch.MoveStep, nil},
		{"the step after it", patch.StageNow{}, []patch.GroupNow{behind, behind}, patch.MoveStart, []int{0}},
		{"a later step first", patch.StageNow{}, []patch.GroupNow{baked, withCanary(behind)}, patch.MoveStart, []int{1}},
		{"the others, one group after the other", patch.StageNow{}, []patch.GroupNow{atWork, behind}, patch.MoveWait, nil},
		{"the others side by side", patch.StageNow{Parallel: 2}, []patch.GroupNow{atWork, behind}, patch.MoveStart, []int{1}},
		{
			"the others not beside one of the same service",
			patch.StageNow{Parallel: 2},
			[]patch.GroupNow{serving(atWork, "a"), serving(behind, "a")},
			patch.MoveWait, nil,
		},
		{"the last group's others", patch.StageNow{}, []patch.GroupNow{done, behind}, patch.MoveStart, []int{1}},
		{"a canary fails", patch.StageNow{}, []patch.GroupNow{baked, withCanary(onHold)}, patch.MoveHold, []int{1}},
		{"a canary has no time left", patch.StageNow{}, []patch.GroupNow{baked, withCanary(tooLate)}, patch.MovePark, nil},
		{"a canary's group ended without it", patch.StageNow{}, []patch.GroupNow{baked, withCanary(done)}, patch.MoveJudge, nil},
		{"a canary's group is lost", patch.StageNow{}, []patch.GroupNow{baked, lost}, patch.MoveJudge, nil},
		{
			"paused once canaries have baked",
			patch.StageNow{Paused: true, Pausing: true},
			[]patch.GroupNow{baked},
			patch.MoveWait, nil,
		},
		{
			"roll back once canaries have baked",
			patch.StageNow{Sent: patch.RollBack},
			[]patch.GroupNow{baked},
			patch.MoveStopToPutBack, nil,
		},
		{
			"which first have to hear that they stop",
			patch.StageNow{Stopping: true, PutsBack: true},
			[]patch.GroupNow{baked},
			patch.MoveWait, nil,
		},

		{"a failure", patch.StageNow{}, []patch.GroupNow{onHold, fresh}, patch.MoveHold, []int{0}},
		{"another is at work", patch.StageNow{Parallel: 2}, []patch.GroupNow{onHold, atWork}, patch.MoveMakeWait, []int{1}},
		{
			"one that a freeze holds waits for it as well",
			patch.StageNow{Parallel: 3},
			[]patch.GroupNow{onHold, toldToWait(atWork), frozen},
			patch.MoveMakeWait,
			[]int{2},
		},
		{
			"both were told",
			patch.StageNow{Parallel: 3},
			[]patch.GroupNow{onHold, toldToWait(atWork), fresh},
			patch.MoveWait, nil,
		},
		{"nothing is under way", patch.StageNow{Parallel: 2}, []patch.GroupNow{onHold, waits}, patch.MoveHold, []int{0}},
		{"two failures at once", patch.StageNow{}, []patch.GroupNow{onHold, done, onHold}, patch.MoveHold, []int{0, 2}},
		{"abort answers the hold", patch.StageNow{Sent: patch.Abort}, []patch.GroupNow{onHold}, patch.MoveHold, []int{0}},

		{"a workflow is gone", patch.StageNow{}, []patch.GroupNow{ended, fresh}, patch.MoveWriteOff, []int{0}},
		{"also one that was held", patch.StageNow{}, []patch.GroupNow{{
			Phase: patch.GroupHeld, Started: true, Ended: true,
		}}, patch.MoveWriteOff, []int{0}},
		{"one that was never begun has a lock only", patch.StageNow{}, []patch.GroupNow{{
			Phase: patch.GroupIdle, Ended: true,
		}, atWork}, patch.MoveWait, nil},
		{"none is begun after one was lost", patch.StageNow{}, []patch.GroupNow{lost, fresh}, patch.MoveJudge, nil},
		{"who waited for it stops", patch.StageNow{}, []patch.GroupNow{lost, waits}, patch.MoveStopWaiting, []int{1}},
		{"who waits for a thaw goes on then", patch.StageNow{}, []patch.GroupNow{lost, frozen}, patch.MoveWait, nil},
		{
			"another is held as well", patch.StageNow{}, []patch.GroupNow{lost, waits, onHold}, patch.MoveHold, []int{2},
		},

		{"pause", patch.StageNow{Paused: true}, []patch.GroupNow{atWork, fresh}, patch.MovePause, nil},
		{"paused", patch.StageNow{Paused: true, Pausing: true}, []patch.GroupNow{frozen, fresh}, patch.MoveWait, nil},
		{"resume", patch.StageNow{Pausing: true}, []patch.GroupNow{frozen, fresh}, patch.MoveResume, nil},
		{
			"a failure while it pauses",
			patch.StageNow{Paused: true, Pausing: true},
			[]patch.GroupNow{onHold},
			patch.MoveHold,
			[]int{0},
		},

		{"an answer to what nobody asks", patch.StageNow{Sent: patch.Skip}, []patch.GroupNow{atWork}, patch.MoveForget, nil},
		{"abort", patch.StageNow{Sent: patch.Abort}, []patch.GroupNow{atWork, fresh}, patch.MoveStopToAbort, nil},
		{"a cancel", patch.StageNow{Cancelled: true}, []patch.GroupNow{atWork}, patch.MoveStopToAbort, nil},
		{
			"a cancel before what was sent",
			patch.StageNow{Cancelled: true, Sent: patch.RollBack},
			[]patch.GroupNow{atWork},
			patch.MoveStopToAbort, nil,
		},
		{
			"abort while paused",
			patch.StageNow{Sent: patch.Abort, Paused: true, Pausing: true},
			[]patch.GroupNow{frozen},
			patch.MoveStopToAbort, nil,
		},
		{"roll back", patch.StageNow{Sent: patch.RollBack}, []patch.GroupNow{atWork, fresh}, patch.MoveStopToPutBack, nil},
		{
			"roll back while it pauses",
			patch.StageNow{Sent: patch.RollBack, Paused: true, Pausing: true},
			[]patch.GroupNow{atWork, fresh},
			patch.MoveStopToPutBack, nil,
		},
		{
			"roll back once it has paused",
			patch.StageNow{Sent: patch.RollBack, Paused: true, Pausing: true},
			[]patch.GroupNow{frozen, fresh},
			patch.MoveStopToPutBack, nil,
		},

		{"it stops", patch.StageNow{Stopping: true}, []patch.GroupNow{atWork, fresh}, patch.MoveWait, nil},
		{"it has stopped", patch.StageNow{Stopping: true}, []patch.GroupNow{onHold, fresh}, patch.MoveAbort, nil},
		{
			"it has stopped and is put back",
			patch.StageNow{Stopping: true, PutsBack: true},
			[]patch.GroupNow{done, fresh},
			patch.MovePutBack, nil,
		},
		{
			"it has stopped to be put back, and was cancelled",
			patch.StageNow{Stopping: true, PutsBack: true, Cancelled: true},
			[]patch.GroupNow{done, fresh},
			patch.MoveAbort, nil,
		},
		{
			"a cancelled one stops first",
			patch.StageNow{Stopping: true, Cancelled: true},
			[]patch.GroupNow{atWork},
			patch.MoveWait, nil,
		},
		{"give up", patch.StageNow{Stopping: true, Sent: patch.Abort}, []patch.GroupNow{atWork}, patch.MoveGiveUp, nil},
		{"one is gone while it stops", patch.StageNow{Stopping: true}, []patch.GroupNow{ended}, patch.MoveWriteOff, []int{0}},
		{
			"what was paused is not resumed",
			patch.StageNow{Stopping: true, Pausing: true, Extended: true},
			[]patch.GroupNow{atWork},
			patch.MoveWait, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.now.Groups, c.now.Parallel = c.groups, max(c.now.Parallel, 1)
			require.Equal(t, patch.Move{Kind: c.move, Groups: c.about}, patch.NextMove(c.now))
		})
	}
}

// What answers a hold or a gate that has ended by itself meanwhile is forgotten; what stops or puts back is not.
func TestAnAnswerToWhatHasEndedIsForgotten(t *testing.T) {
	for verb, kept := range map[patch.Verb]bool{
		patch.Approve: false, patch.Reject: false, patch.Retry: false, patch.Skip: false,
		patch.Abort: true, patch.RollBack: true,
	} {
		move := patch.NextMove(patch.StageNow{Groups: []patch.GroupNow{atWork}, Parallel: 1, Sent: verb})
		require.Equal(t, kept, move.Kind != patch.MoveForget, verb)
	}
}
