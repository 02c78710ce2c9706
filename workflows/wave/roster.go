package wave

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/preflight"
	"github.com/patchtide/patchtide/workflows/service"
)

// roster is the groups of a wave, and the locks that it holds.
type roster struct {
	groups   []*lockedGroup // in the plan's fixed order
	services service.Locks  // by name
}

// lockedGroup is a group whose lock this wave holds, or is about to take.
type lockedGroup struct {
	group      patch.Group
	stage      int // its index in the plan
	gates      int // steps of its stage after which that waits: see patch.Stage.Gates
	workflowID string
	child      workflow.ChildWorkflowFuture // nil: the lock was not taken yet
	prepared
	expected
	progress
	past
}

// prepared is what preflight found and registered.
type prepared struct {
	members    []string     // in order
	reach      patch.Reach  // the same, and who is excluded, or not taken by this wave
	behind     patch.Behind // nothing, not even an empty All, until it is read
	runbook    activities.Runbook
	baselineID string
	differed   string // how its baseline differed from the file before this wave made it equal; "": it did not
	missing    int    // patches missing in all, by the scan before
	compliant  int    // instances that have nothing to do, by the same scan
}

// progress is where a group stands.
type progress struct {
	started    bool              // it was told to go
	waits      bool              // it was told to wait while another of its stage is held
	lost       bool              // its workflow ended before it was released
	wasPutBack bool              // it was put back, as far as it could be
	at         int               // the stage's present step, from 0
	step       int               // as far as which of the stage's steps it was told to go, from 0
	since      time.Time         // when it was told to go or go on, or told its counts last
	counts     patch.GroupCounts // as it told last
	now        patch.GroupAtWork // what its instances under way are doing, as far as it was told
}

// past is what a group has done, and goes on with.
type past struct {
	results []patch.InstanceResult // of a RollBackWave: what the wave did, and what is to become of it
	image   *patch.ImageRenewal    // of a RollBackWave: what became of its image
	judged  preflight.Judged       // of a RollBackWave: what stands against it
	result  *patch.GroupResult     // nil while the lock is held
	kept    *patch.GroupResult     // what it had done when the wave was parked last; nil: not, or it had no lock yet
	carried *group.Carried         // what a parked group goes on with
}

// of are the groups of a stage.
func (r *roster) of(stage int) []*lockedGroup {
	return r.which(func(held *lockedGroup) bool { return held.stage == stage })
}

// now is a stage's groups as patch.NextMove looks at them.
func (r *roster) now(stage int) []patch.GroupNow {
	var groups []patch.GroupNow
	for _, held := range r.groups {
		if held.stage == stage {
			groups = append(groups, held.view())
		}
	}
	return groups
}

// pick are groups of a stage by their indices in it.
func (r *roster) pick(stage int, indices []int) []*lockedGroup {
	if len(indices) == 0 {
		return nil
	}
	groups := r.of(stage)
	picked := make([]*lockedGroup, len(indices))
	for i, index := range indices {
		picked[i] = groups[index]
	}
	return picked
}

// onHold are those of a stage that a person is to decide about.
func (r *roster) onHold(stage int) []*lockedGroup {
	return r.pick(stage, patch.StageNow{Groups: r.now(stage)}.OnHold())
}

// running counts the groups of a stage that may have an instance under way.
func (r *roster) running(stage int) int { return patch.StageNow{Groups: r.now(stage)}.Running() }

// pausable are the groups of a stage that heed a pause.
func (r *roster) pausable(stage int) []*lockedGroup {
	return r.which(func(held *lockedGroup) bool { return held.stage == stage && held.view().Pausable() })
}

// rollsBack counts what a roll back of the current stage, or of all, would put back, or what stays patched whatever is
// rolled back.
func (r *roster) rollsBack(plan patch.Plan, current string, stages []patch.StageStatus) (count patch.RollsBack) {
	wave, stage := 0, 0
	for _, held := range r.groups {
		patched := held.counts.Patched
		if plan.NoPutBack() != "" {
			patched += held.counts.StillPatched
		}
		wave += patched
		if held.stage < len(stages) && stages[held.stage].Name == current {
			stage += patched
		}
	}
	switch why := plan.NoPutBack(); {
	case wave == 0:
		return patch.RollsBack{}
	case why != "":
		return patch.RollsBack{WhyNot: why, StageStays: stage, WaveStays: wave}
	}
	return patch.RollsBack{Stage: stage, Wave: wave, Loses: plan.RollBackLoses()}
}

// members counts a stage's instances, of groups that have not begun as preflight found them.
func (r *roster) members(stage int) int {
	count := 0
	for _, held := range r.of(stage) {
		count += max(held.counts.Total, len(held.members))
	}
	return count
}

// failures counts a stage's failed instances.
func (r *roster) failures(stage int) int {
	count := 0
	for _, held := range r.of(stage) {
		count += len(held.counts.Failed)
	}
	return count
}

// unproven are the instances that a stage did not prove; none of a stage before the first.
func (r *roster) unproven(stage int) []patch.NoticedInstance {
	var left []patch.NoticedInstance
	for _, held := range r.of(stage) {
		left = append(left, held.counts.Unproven...)
	}
	return left
}

// instances counts those of all groups, as preflight found them.
func (r *roster) instances() int {
	count := 0
	for _, held := range r.groups {
		count += len(held.members)
	}
	return count
}

// stranded is all that is left so far, by what the groups report and, of those that ended, by their results: whoever
// decides at a hold must know of it.
func (r *roster) stranded() []patch.Stranded {
	var left []patch.Stranded
	for _, held := range r.groups {
		if held.result != nil {
			left = append(left, held.result.Stranded...)
		} else {
			left = append(left, held.counts.Stranded...)
		}
	}
	return left
}

// failing are the undos that do not end, of groups whose workflow runs.
func (r *roster) failing() []patch.FailingUndo {
	var failing []patch.FailingUndo
	for _, held := range r.groups {
		if held.result == nil && !held.lost {
			failing = append(failing, held.counts.Failing...)
		}
	}
	return failing
}

// keepLocked forgets the groups whose lock was not taken.
func (r *roster) keepLocked() {
	r.groups = r.which(func(held *lockedGroup) bool { return held.child != nil })
}

// anyLost reports whether a group of a stage is.
func (r *roster) anyLost(stage int) bool {
	return slices.ContainsFunc(r.of(stage), func(held *lockedGroup) bool { return held.lost })
}

// planned is a group of the plan; nil where the wave has nothing to do with it.
func (r *roster) planned(group patch.Group) *lockedGroup {
	for _, held := range r.groups {
		if held.group.String() == group.String() {
			return held
		}
	}
	return nil
}

// report takes a group's counts, and returns whose they are; nil: nobody's.
func (r *roster) report(ctx workflow.Context, counts patch.GroupCounts) *lockedGroup {
	for _, held := range r.groups {
		if held.workflowID == counts.WorkflowID {
			held.counts = counts
			held.since, held.launch = workflow.Now(ctx), 0
			return held
		}
	}
	return nil
}

func (r *roster) which(is func(*lockedGroup) bool) []*lockedGroup {
	var found []*lockedGroup
	for _, held := range r.groups {
		if is(held) {
			found = append(found, held)
		}
	}
	return found
}

// nothingDue reports whether the scan before found nothing to do on any instance of a stage. A group without members
// may have got some since; who joins one of which a wave takes nobody is not patched without an approval.
func (r *roster) nothingDue(stage int, only *patch.Only) bool {
	return !slices.ContainsFunc(r.of(stage), func(held *lockedGroup) bool {
		nobody := len(held.members) == 0 && only.Empty()
		return held.missing > 0 || nobody || held.compliant < len(held.members)
	})
}

// view is the group as patch.NextMove looks at it.
func (h *lockedGroup) view() patch.GroupNow {
	return patch.GroupNow{
		Phase: h.counts.Phase, Started: h.started, Ended: h.child != nil && h.child.IsReady(), Lost: h.lost,
		Waits: h.waits, Closed: h.counts.Closed, Targets: h.behind.All, Owes: h.owes(), Behind: h.step < h.at,
		Stops: h.counts.Stops && !h.lost,
	}
}

// owes reports whether the group has yet to come as far as the stage's present step. One that ended well has nobody
// left for it: its instances had nothing to do, or a person skipped them.
func (h *lockedGroup) owes() bool {
	switch {
	case h.at >= h.gates:
		return false
	case h.counts.Phase == patch.GroupStepDone:
		return h.step < h.at
	case h.counts.Phase == patch.GroupDone && h.counts.Closed == "":
		return h.counts.Total > 0 && !h.counts.Outcome.EndsWell()
	}
	return true
}

// idle reports whether nothing of the group is under way any more.
func (h *lockedGroup) idle() bool { return h.view().Idle() }

// setGoing is done before groups are told to go, or to go on.
func setGoing(ctx workflow.Context, groups []*lockedGroup) {
	for _, held := range groups {
		held.counts.Phase, held.since, held.waits = patch.GroupPatching, workflow.Now(ctx), false
	}
}

// putsBack reports whether what it patched is put back, or was.
func (h *lockedGroup) putsBack() bool {
	return h.counts.Phase == patch.GroupRollingBack || h.counts.Outcome == patch.RolledBack ||
		h.counts.Outcome == patch.NothingPutBack
}

func isFailed(instance patch.InstanceResult) bool {
	return instance.Outcome == patch.Failed || instance.Outcome == patch.Quarantined
}
