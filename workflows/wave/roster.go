package wave

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// follow shows what the instances of groups are doing.
func (w *wave) follow(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	news := workflow.GetSignalChannelWithOptions(clean, names.SignalInstanceNow, workflow.SignalChannelOptions{
		Description: "What an instance is doing; for groups only",
	})
	workflow.Go(clean, func(c workflow.Context) {
		for {
			var now patch.InstanceNow
			news.Receive(c, &now)
			for _, held := range w.groups {
				if held.group.String() == now.Group && run.Newer(held.now, now) {
					held.now = &now
					w.show(c)
				}
			}
		}
	})
}

// followsInstances tells whether the wave is small enough to be told each step.
func (w *wave) followsInstances() bool {
	instances := 0
	for _, held := range w.groups {
		instances += len(held.members)
	}
	return patch.FollowsInstances(instances)
}

// sharesService tells whether a group of the stage that is under way serves through one of the same target groups: to those who
// use it they are one service, whose instances are taken one at a time in all.
func (w *wave) sharesService(number int, held *lockedGroup) bool {
	return slices.ContainsFunc(w.stageGroups(number), func(other *lockedGroup) bool {
		return other != held && other.started && !idle(other) && patch.ShareTargets(other.targetGroups, held.targetGroups)
	})
}

// lockedGroup is a group whose lock this wave holds.
type lockedGroup struct {
	group        patch.Group
	stage        int
	workflowID   string
	members      []string               // in order, as preflight found them
	targetGroups []string               // ARNs of those that serve it; nil: not read yet
	results      []patch.InstanceResult // of a RollBackWave: what the wave did, and what is to become of it
	child        workflow.ChildWorkflowFuture
	runbook      activities.Runbook
	baselineID   string
	missing      int       // patches missing in all, by the scan before
	compliant    int       // instances that have nothing to do, by the same scan
	expected               // how long it is likely to take
	since        time.Time // when it was told to go or go on, or told its counts last
	started      bool
	lost         bool // its workflow ended before it was released
	counts       patch.GroupCounts
	now          *patch.InstanceNow // what its instance under way is doing, as far as it was told
	result       *patch.GroupResult // nil while the lock is held
	kept         *patch.GroupResult // what it had done when the wave was parked last; nil: it was not, or had no lock yet
	carried      *group.Carried     // what a parked group goes on with
}

func (w *wave) stageGroups(number int) []*lockedGroup {
	var groups []*lockedGroup
	for _, held := range w.groups {
		if held.stage == number {
			groups = append(groups, held)
		}
	}
	return groups
}

func (w *wave) onHold(number int) []*lockedGroup {
	var groups []*lockedGroup
	for _, held := range w.stageGroups(number) {
		if held.counts.Phase == patch.GroupHeld {
			groups = append(groups, held)
		}
	}
	return groups
}

// running counts the groups that may have an instance under way.
func (w *wave) running(number int) int {
	count := 0
	for _, held := range w.stageGroups(number) {
		if held.started && !idle(held) && held.counts.Phase != patch.GroupPaused {
			count++
		}
	}
	return count
}

// begun counts the groups that take up a place of max_parallel_groups: also those that a freeze or a pause holds, for they go on
// by themselves.
func (w *wave) begun(number int) int {
	count := 0
	for _, held := range w.stageGroups(number) {
		if held.started && !idle(held) {
			count++
		}
	}
	return count
}

// stageDone tells that the stage has nothing more to do.
func (w *wave) stageDone(number int, stopping bool) bool {
	for _, held := range w.stageGroups(number) {
		switch {
		case !held.started && !stopping && !w.stopsForLost(number):
			return false
		case held.started && !idle(held):
			return false
		case held.counts.Phase == patch.GroupHeld && !stopping:
			return false
		}
	}
	return true
}

// stopsForLost tells that a group of the stage ended without its word: what became of its instances nobody knows, and so no
// other group is begun.
func (w *wave) stopsForLost(number int) bool {
	return slices.ContainsFunc(w.stageGroups(number), func(held *lockedGroup) bool { return held.lost })
}

// failures counts the stage's failed instances.
func (w *wave) failures(number int) int {
	count := 0
	for _, held := range w.stageGroups(number) {
		count += len(held.counts.Failed)
	}
	return count
}

// judge names the outcome of a stage that ran to its end.
func (w *wave) judge(number int) patch.Outcome {
	outcome := patch.Succeeded
	for _, held := range w.stageGroups(number) {
		if held.counts.Outcome == patch.Failed || held.counts.Phase != patch.GroupDone {
			return patch.Failed
		}
		if held.counts.Outcome == patch.Aborted { // the window closed
			w.reason = held.group.String() + ": " + held.counts.Reason
			return patch.Aborted
		}
		if held.counts.Outcome != patch.Succeeded {
			outcome = patch.SucceededWithSkips
		}
	}
	w.status.Stages[number].Outcome = outcome
	return outcome
}

// lockedOnly are the groups whose lock was taken.
func lockedOnly(groups []*lockedGroup) []*lockedGroup {
	var locked []*lockedGroup
	for _, held := range groups {
		if held.child != nil {
			locked = append(locked, held)
		}
	}
	return locked
}

// count takes what is missing in a group from its scans.
func (h *lockedGroup) count(scans []patch.Scan) {
	h.missing, h.compliant = 0, 0
	for _, scan := range scans {
		h.missing += len(scan.Missing)
		if scan.Compliant() {
			h.compliant++
		}
	}
}

func (w *wave) byGroup(group patch.Group) *lockedGroup {
	for _, held := range w.groups {
		if held.group.String() == group.String() {
			return held
		}
	}
	return nil
}

// idle tells that nothing of the group is under way any more.
func idle(held *lockedGroup) bool {
	return held.counts.Phase == patch.GroupDone || held.counts.Phase == patch.GroupHeld || held.child.IsReady()
}

// lostReason is told of a group that nobody released and that reports no more.
const lostReason = "its workflow ended before the wave released it; was it terminated?"

// noticeLost writes off the groups whose workflow has closed although nobody released it.
func (w *wave) noticeLost(ctx workflow.Context, number int) {
	for held := w.lost(number); held != nil; held = w.lost(number) {
		held.counts.Phase, held.counts.Outcome = patch.GroupDone, patch.Failed
		held.counts.Reason = lostReason
		held.lost = true
		w.show(ctx)
	}
}

// lost finds a group whose workflow has closed although nobody released it.
func (w *wave) lost(number int) *lockedGroup {
	for _, held := range w.stageGroups(number) {
		if held.started && held.child.IsReady() && held.counts.Phase != patch.GroupDone {
			return held
		}
	}
	return nil
}

// startNext lets groups go while the stage has room for them.
func (w *wave) startNext(ctx workflow.Context, number int) {
	if w.paused != nil || w.stopsForLost(number) {
		return
	}
	parallel := w.parallelIn(number)
	for _, held := range w.stageGroups(number) {
		if held.started || w.begun(number) >= parallel || len(w.onHold(number)) > 0 || w.sharesService(number, held) {
			continue
		}
		held.started = true
		held.goesOn(ctx)
		w.order(ctx, held, group.Order{Kind: group.OrderGo, Runbook: held.runbook, BaselineID: held.baselineID})
	}
}

// parallelIn is how many groups of a stage may be worked on at once.
func (w *wave) parallelIn(number int) int {
	stage := w.plan.Stages[number]
	if stage.Service != "" {
		return 1 // groups of one service are taken one instance at a time in all
	}
	if told, ok := w.parallel[stage.Name]; ok {
		return told
	}
	return max(stage.MaxParallelGroups, 1)
}

// heard takes a group's report. What it says of failures is told at once, unless the stage goes on hold with it: one notice
// then says both.
func (w *wave) heard(ctx workflow.Context, counts patch.GroupCounts) {
	var reporter *lockedGroup
	for _, held := range w.groups {
		if held.workflowID == counts.WorkflowID {
			reporter, held.counts = held, counts
			held.since, held.launch = workflow.Now(ctx), 0
		}
	}
	w.news++
	w.show(ctx)
	if reporter != nil && (counts.Phase != patch.GroupHeld || w.running(reporter.stage) > 0) {
		w.tellFailures(ctx, reporter)
	}
}
