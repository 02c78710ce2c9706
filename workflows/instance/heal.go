package instance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Heal asks for what a dead workflow left of an instance to be put back from the journal's record.
type Heal struct {
	Record journal.Record
	// Marked tells that the instance carries the journal's tag. The tag comes off last: one without it needs nothing,
	// unless it is gone and its group is not what it was.
	Marked bool
}

// HealInput starts HealInstance.
type HealInput struct {
	Common
	Heal
}

// HealInstance rebuilds the saga from its record and runs the saga's own undos for what it finds changed: out of
// service, it stops an install that may still run, restores the root if it may have been touched, and returns it, or
// quarantines it; then it resumes what was suspended and takes the mark off. An instance in service stays there. It
// always ends with a result.
func HealInstance(ctx workflow.Context, in HealInput) (*patch.InstanceResult, error) {
	s := &healed{saga: &saga{in: in.Common, heals: true}, marked: in.Marked}
	return s.begin(ctx, s.heal)
}

// healed is the saga of an instance that a dead workflow left.
type healed struct {
	*saga
	marked bool // see Heal.Marked
}

func (s *healed) heal(ctx workflow.Context) {
	result := &s.status.Result
	result.Outcome = patch.Failed
	s.enter(ctx, patch.StepPreflight)
	// The record as it is now: what it was when somebody looked for marks may have ended since.
	read, err := s.readRecord(ctx)
	switch {
	case err != nil:
		s.strand(patch.StepPreflight, err)
		return
	case read.Record == nil:
		s.strand(patch.StepPreflight, errors.New(read.Untrusted))
		return
	}
	s.record, s.putBack = *read.Record, read.Record.PutBack
	s.remember()
	s.status.Undoing = true
	clean, stop := s.undoing(ctx)
	defer stop()
	if s.record.Ended {
		result.Reason = "its record had ended: only its mark was taken off"
		s.undos.push(step{patch.StepMark, nil, s.unmarkHealed})
		s.undos.unwind(clean, func(step patch.Step) { s.enter(clean, step) }, s.strand)
		if len(result.Stranded) == 0 {
			result.Outcome = patch.NotStarted
		}
		return
	}
	var now patch.GroupState
	err = s.read(clean, aws.InspectGroup, s.inspect(), &now)
	if err != nil && !run.IsType(err, activities.ErrGroupNotFound) {
		s.strand(patch.StepPreflight, err)
		return
	}
	s.push(clean, now)
	s.undos.unwind(clean, func(step patch.Step) { s.enter(clean, step) }, s.strand)
	s.status.Undoing = false
	if result.Outcome == patch.Failed && len(result.Stranded) == 0 {
		result.Outcome = patch.NotStarted
	}
}

// remember fills the saga with what it knew before it acted.
func (s *saga) remember() {
	s.before = s.record.Before.State()
	s.member = patch.Member{
		ID: s.in.Instance, Targets: s.record.Targets, RootVolumeID: s.record.RootVolume, Weight: s.record.Weight,
	}
	s.suspended = s.record.Intended.Suspend
	s.rest.was, s.status.Result.WasStopped = s.record.Intended.Start, s.record.Intended.Start
	switch {
	case s.putBack != nil:
		s.point = s.putBack.Point
	case s.record.Point != nil:
		s.point = *s.record.Point
	}
	if s.point.SnapshotID != "" {
		s.status.Result.Backup = &s.point
	}
}

// push puts the undos on the stack that what is seen now calls for.
func (s *healed) push(ctx workflow.Context, now patch.GroupState) {
	member, listed := now.Member(s.in.Instance)
	if !s.marked && (member.Present() || !listed) {
		s.status.Result.Reason = "it carries no mark: it had been put back"
		return
	}
	if s.record.Quarantine != nil {
		s.pushQuarantine()
		return
	}
	s.undos.push(step{patch.StepMark, nil, s.unmarkHealed})
	s.undos.push(step{patch.StepSuspend, nil, s.resume})
	if s.record.Intended.RaiseMax > 0 {
		s.undos.push(step{patch.StepFinish, nil, s.lowerMax})
	}
	if s.rest.was {
		s.pushStarted(member)
		return
	}
	why := s.outOfService(member, listed)
	if why == "" && s.hookedOut() && !s.in.Group.IsAutoScaling() && len(s.own()) == 0 {
		why = "it was left somewhere between its hooks, and nothing outside shows whether it serves"
	}
	if why == "" && s.stays() && s.record.Installing { // nothing outside shows it either
		why = "it was left with an install begun"
	}
	switch {
	case why != "":
		s.status.Result.Reason = why
		s.pushHooks(patch.BeforeOut)
		s.undos.push(step{patch.StepStandby, nil, s.returnUnpatched})
		s.pushHooks(patch.BeforeSnapshot, patch.BeforeInstall)
		s.pushInstall()
		s.pushHooks(patch.AfterInstall, patch.AfterIn)
	case s.in.Group.IsAutoScaling() && !listed:
		s.status.Result.Reason = "it is no member of its group any more"
		s.pushHooks(patch.HookPoints()...)
		s.tellCapacity(now)
	case s.in.Group.IsAutoScaling() && member.Leaving():
		s.status.Result.Reason = "its group is letting it go: " + member.Lifecycle
		s.status.Result.Outcome = patch.Gone
		s.pushHooks(patch.HookPoints()...) // which tells that they are not undone
	default:
		s.status.Result.Reason = "it is in service and stays as it is"
		s.pushHooks(patch.BeforeOut) // what they did for its way out is over
		s.undos.push(step{patch.AfterIn.Step(), nil, s.stopAllBegun})
		s.sameRoot = member.RootVolumeID != "" && member.RootVolumeID == s.record.PatchedRoot()
		if s.sameRoot && s.record.Installing && s.putBack == nil {
			s.status.Result.Reason += ", with what was installed on it"
		}
		s.lookHealthy(ctx)
	}
}

// outOfService says why the instance is not in service as it was before; "" when it is, or when nothing can be done
// about it.
func (s *saga) outOfService(now patch.Member, listed bool) string {
	if s.in.Group.IsAutoScaling() {
		switch {
		case !listed:
			return ""
		case now.Lifecycle == patch.LifecycleStandby, now.Lifecycle == patch.LifecycleEnteringStandby:
			if !now.Present() {
				return "it was terminated while it was in standby"
			}
			return "it was left in " + now.Lifecycle
		case strings.HasPrefix(now.Lifecycle, patch.LifecyclePending):
			return "it was left on its way back: " + now.Lifecycle
		case now.Leaving():
			return ""
		}
	}
	for _, target := range s.own() {
		at := slices.IndexFunc(now.Targets, func(is patch.Target) bool {
			return is.TargetGroupARN == target.TargetGroupARN && is.ID == target.ID && is.Port == target.Port
		})
		if at < 0 || now.Targets[at].Health == patch.TargetDraining {
			return "it was left deregistered from " + target.Where()
		}
	}
	return ""
}

// pushHooks adds the undos of those hooks of the points that may have been begun.
func (s *saga) pushHooks(points ...patch.HookPoint) {
	for _, point := range points {
		if slices.ContainsFunc(s.record.Hooks, func(begun journal.Hook) bool { return begun.Point == point }) {
			s.undos.push(s.hooks(point))
		}
	}
}

// pushInstall adds the undo of an install, if one may have begun. Of one that was being rolled back, the roll back is
// finished: a person had decided it, and half a restore is neither version.
func (s *saga) pushInstall() {
	switch {
	case s.putBack != nil:
		s.undos.push(step{patch.StepRestore, nil, func(ctx workflow.Context) error {
			// Not proven makes it unfit, and returnUnpatched quarantines it.
			_ = s.restoreOrQuarantine(ctx)
			return nil
		}})
	case s.record.Installing:
		for _, token := range s.record.Intended.InstallTokens {
			s.patching.tries = append(s.patching.tries, installTry{attempt: s.recorded(token)})
		}
		s.undos.push(step{patch.StepInstall, nil, s.restore})
	}
}

// lookHealthy proves an instance in service healthy, so that the Unhealthy mark it may have got while ReplaceUnhealthy
// was suspended does not have it replaced. An ill one is left to its group.
func (s *saga) lookHealthy(ctx workflow.Context) {
	if len(s.suspended) == 0 && !slices.Contains(s.in.Suspends, patch.ProcessReplaceUnhealthy) {
		return
	}
	err := s.readClock(s.undoAct(ctx))
	if err == nil {
		err = s.awaitHealth(ctx)
	}
	if err != nil {
		s.note("in service, but not proven healthy: %s", run.Reason(err))
	}
}

// tellCapacity tells of an instance that left its group alive while its group has fewer than before: a quarantine that
// died between the two would leave it so, and so would a person.
func (s *saga) tellCapacity(now patch.GroupState) {
	if now.Desired >= s.record.Before.Desired {
		return
	}
	s.status.Result.Stranded = append(s.status.Result.Stranded, patch.Stranded{
		Account: s.in.Group.Account.Name, Region: s.in.Group.Region, Resource: "instance " + s.in.Instance,
		State: fmt.Sprintf("it is no member of %s any more, whose desired is %d and was %d", s.in.Group.Name(),
			now.Desired, s.record.Before.Desired),
		WhatToDo: fmt.Sprintf("raise desired by %d if nobody has lowered it on purpose; then remove the tag %s from the "+
			"instance", s.weightIn(now), names.TagJournal),
	})
}

// lowerMax takes back the max that had to be raised for the instance to leave standby.
func (s *saga) lowerMax(ctx workflow.Context) error {
	before := s.record.Intended.MaxBefore
	err := s.undone(ctx, aws.LowerMax, activities.MaxInput{
		Group: s.in.Group, MaxBefore: before, By: s.record.Intended.RaiseMax, Pace: s.pace(),
	})
	if err != nil && !run.IsType(err, activities.ErrGroupNotFound) {
		s.status.Result.Stranded = append(s.status.Result.Stranded, patch.Stranded{
			Account: s.in.Group.Account.Name, Region: s.in.Group.Region, Resource: "auto scaling group " + s.in.Group.Name(),
			State: "its max is still raised: " + run.Reason(err), WhatToDo: fmt.Sprintf("set max back to %d once desired "+
				"is there again", before),
		})
	}
	return nil
}

// unmarkHealed takes the mark off once nothing is left: what is left must be found again.
func (s *healed) unmarkHealed(ctx workflow.Context) error {
	if s.room != nil {
		s.status.Result.Stranded = append(s.status.Result.Stranded, s.room.GiveBack(ctx)...)
		s.room = nil
	}
	if !s.marked {
		s.endRecord(ctx)
		return nil
	}
	return s.unmark(ctx)
}

// pushQuarantine puts the undo on the stack of a quarantine, or of a release from it, that was under way.
func (s *healed) pushQuarantine() {
	s.undos.push(step{patch.StepMark, nil, s.unmarkHealed})
	s.undos.push(step{patch.StepSuspend, nil, s.resume})
	if s.record.Intended.RaiseMax > 0 {
		s.undos.push(step{patch.StepFinish, nil, s.lowerMax})
	}
	if s.record.Release != nil {
		s.status.Result.Reason = "its release from quarantine was under way"
		s.undos.push(step{patch.StepRelease, nil, s.finishRelease})
		return
	}
	s.status.Result.Reason = "its quarantine was under way"
	s.unfitReason = s.record.Quarantine.Why
	if s.rest.was {
		s.undos.push(step{patch.StepQuarantine, nil, s.stopAgain})
		return
	}
	s.undos.push(step{patch.StepQuarantine, nil, func(ctx workflow.Context) error {
		err := s.quarantine(ctx)
		if run.IsType(err, activities.ErrGone, activities.ErrGroupNotFound) {
			return s.handleGone(ctx, err)
		}
		return err
	}})
}
