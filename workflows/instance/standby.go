package instance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/room"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
)

// suspend keeps Auto Scaling from working against us while the instance is out; only what nobody had suspended before.
func (s *saga) suspend(ctx workflow.Context) error {
	if len(s.suspended) == 0 {
		return nil
	}
	var done activities.Suspension
	if err := s.doGet(ctx, aws.SuspendProcesses, activities.ProcessesInput{
		Group: s.in.Group, Processes: s.suspended, Fresh: !s.left, Pace: s.pace(),
	}, &done); err != nil {
		return err
	}
	if len(done.Theirs) > 0 {
		s.note("%s was suspended by somebody else meanwhile, and stays so", strings.Join(done.Theirs, ", "))
		s.ownsSuspended(ctx, slices.DeleteFunc(slices.Clone(s.suspended), func(process string) bool {
			return slices.Contains(done.Theirs, process)
		}))
	}
	return nil
}

// resume takes the Unhealthy marks off that were made while it was suspended, if the instance is proven healthy, and
// resumes what we suspended: a mark left would have it replaced at that moment.
func (s *saga) resume(ctx workflow.Context) error {
	if len(s.suspended) == 0 && !slices.Contains(s.in.Suspends, patch.ProcessReplaceUnhealthy) {
		return nil
	}
	if s.health.proven {
		if err := s.undone(ctx, aws.MarkHealthy, activities.MarkHealthyInput{
			Group: s.in.Group, Instances: []string{s.in.Instance},
		}); err != nil {
			return err
		}
	}
	if len(s.suspended) == 0 {
		return nil
	}
	// In its turn: another may be about to leave the group for good, which needs one of them suspended.
	return s.withTurn(ctx, func() error {
		return s.undone(ctx, aws.ResumeProcesses, activities.ProcessesInput{
			Group: s.in.Group, Processes: s.suspended, Pace: s.pace(),
		})
	})
}

// own are the registrations that standby neither drains nor brings back: those in target groups that are not attached
// to the group, and all of an instance that was chosen by tags.
func (s *saga) own() []patch.Target {
	attached := s.attached()
	return slices.DeleteFunc(slices.Clone(s.member.Targets), func(target patch.Target) bool {
		return slices.Contains(attached, target.TargetGroupARN)
	})
}

// attached are the target groups that Auto Scaling registered the instance with when it was looked at first.
func (s *saga) attached() []string {
	var arns []string
	for _, group := range s.before.TargetGroups {
		if group.Attached {
			arns = append(arns, group.ARN)
		}
	}
	return arns
}

// takeOut takes the instance out of service and waits until nothing is sent to it any more. Where its group counts
// weights it is looked at what that took: here it can still return untouched.
func (s *saga) takeOut(ctx workflow.Context) error {
	weight := 0
	if s.before.Counts != patch.CountsInstances {
		weight = s.weightIn(s.before)
	}
	err := s.leaveService(ctx, s.doInTime, weight)
	s.miscounted = run.IsType(err, activities.ErrCountedOtherwise)
	return err
}

// leaveService is how an instance goes out, the first time and again; act is how it is asked.
func (s *saga) leaveService(
	ctx workflow.Context, act func(workflow.Context, any, any) error, weight int,
) error {
	if err := s.withTurn(ctx, func() error {
		s.turn.out = true
		if s.in.Group.IsAutoScaling() {
			if err := act(ctx, aws.EnterStandby, activities.EnterStandbyInput{
				Instance: s.instance(), Weight: weight, Pace: s.pace(),
			}); err != nil {
				return err
			}
		}
		if own := s.own(); len(own) > 0 {
			return act(ctx, aws.DeregisterTargets, activities.TargetsInput{Instance: s.instance(), Targets: own})
		}
		return nil
	}); err != nil {
		return err
	}
	if s.turn.mine {
		s.endTurn(ctx)
	}
	return s.await(ctx, s.in.Policy.Timing.Drain, aws.AwaitOutOfService, activities.AwaitOutOfServiceInput{
		Instance: s.instance(), Targets: s.member.Targets, Pace: s.pace(),
	}, nil)
}

// returnPatched returns the patched instance to service. From here on no cancel is looked at.
func (s *saga) returnPatched(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if err := s.readClock(s.act(ctx)); err != nil {
		return err
	}
	if own := s.own(); len(own) > 0 {
		if err := s.do(ctx, aws.RegisterTargets, activities.TargetsInput{Instance: s.instance(), Targets: own}); err != nil {
			return err
		}
	}
	if s.in.Group.IsAutoScaling() {
		if err := s.exitStandby(ctx, s.act(ctx)); err != nil {
			return err
		}
	}
	return s.awaitIn(clean)
}

// readClock notes AWS's time just before the instance returns: an alarm counts only if it rang after that.
func (s *saga) readClock(options workflow.Context) error {
	look := s.observe()
	look.Checks, look.TargetGroups = nil, nil
	return undo.Act(options, aws.ObserveHealth, look, &s.health.since)
}

// exitStandby leaves standby in its turn.
func (s *saga) exitStandby(ctx, options workflow.Context) error {
	return s.withTurn(options, func() error {
		if s.turn.mine { // the turn was waited for: no alarm that rang meanwhile is for this one
			if err := s.readClock(options); err != nil {
				return err
			}
		}
		err := s.leaveStandby(ctx, options)
		s.turn.out = err != nil
		return err
	})
}

// leaveStandby leaves standby; where desired has reached max meanwhile, max is raised first, and that is journalled
// before. Where the journal does not take it in time the instance comes back all the same, and that is told.
func (s *saga) leaveStandby(ctx, options workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	clean = run.WhileOut(clean)
	exit := activities.ExitStandbyInput{Instance: s.instance(), Pace: s.pace()}
	// Out of service for as long as max leaves no room would be stranded: this wait must not be an endless retry of the
	// activity, so MaxReached is final here whatever the options say.
	err := undo.Act(finalOn(options, activities.ErrMaxReached), aws.ExitStandby, exit, nil)
	if !run.IsType(err, activities.ErrMaxReached) {
		return err
	}
	var now patch.GroupState
	if err := undo.Act(options, aws.InspectGroup, s.inspect(), &now); err != nil {
		return err
	}
	was, by := s.record.Intended, max(now.Desired+s.weightIn(now)-now.Max, 1)
	s.record.Intended.RaiseMax, s.record.Intended.MaxBefore = by, now.Max
	unrecorded := run.WriteRecord(clean, &s.record)
	var raised activities.Raised
	if err := undo.Act(options, aws.RaiseMax, activities.MaxInput{
		Group: s.in.Group, MaxBefore: now.Max, By: by, Pace: s.pace(),
	}, &raised); err != nil {
		return err
	}
	if raised.MaxTheirs {
		s.record.Intended = was
		if err := run.WriteRecord(clean, &s.record); err != nil && unrecorded == nil {
			s.note("the journal still says that max was raised, which it was not: %s", run.Reason(err))
		}
		return undo.Act(options, aws.ExitStandby, exit, nil)
	}
	if err := undo.Act(options, aws.ExitStandby, exit, nil); err != nil {
		return err
	}
	// Desired stands at the raised max now: lowering max would have Auto Scaling terminate an instance of its choice.
	left := s.raisedMax(now.Max, by)
	if unrecorded != nil {
		s.note("max was raised without a record of it in the journal: %s", run.Reason(unrecorded))
		left.WhatToDo = fmt.Sprintf("set max back to %d by hand once desired is there again: the journal does not tell of "+
			"it, and `patchtide reconcile` cannot", now.Max)
	}
	s.status.Result.Stranded = append(s.status.Result.Stranded, left)
	return nil
}

func (s *saga) raisedMax(before, by int) patch.Stranded {
	return patch.Stranded{
		Account: s.in.Group.Account.Name, Region: s.in.Group.Region, Resource: "auto scaling group " + s.in.Group.Name(),
		State: fmt.Sprintf(
			"max was raised from %d to %d so that %s could leave standby", before, before+by, s.in.Instance,
		),
		WhatToDo: fmt.Sprintf("set max back to %d once desired is there again; `patchtide reconcile` does", before),
	}
}

func (s *saga) awaitIn(ctx workflow.Context) error {
	var returned activities.Returned
	err := s.await(ctx, s.in.Policy.Timing.InService, aws.AwaitInService, activities.AwaitInServiceInput{
		Instance: s.instance(), Before: s.member.Targets, Attached: s.attached(), Pace: s.pace(),
	}, &returned)
	for _, change := range returned.Changes {
		s.note("%s: it is judged by the target groups that there are now", change)
	}
	return err
}

// takeOutToPutBack is takeOutAgain before something is put back. One that cannot be taken out serves as it is: what was
// to be done to it out of service is left, and it is told as stranded. So does a node that no target group has.
func (s *saga) takeOutToPutBack(ctx workflow.Context) error {
	if s.stays() {
		s.serves = true
		return nil
	}
	s.again(ctx, patch.BeforeOut)
	err := s.takeOutAgain(ctx)
	s.serves = err != nil && !run.IsType(err, activities.ErrGone, activities.ErrGroupNotFound)
	if err == nil {
		s.again(ctx, patch.BeforeSnapshot)
		s.again(ctx, patch.BeforeInstall)
	}
	return err
}

// takeOutAgain takes the failed instance out of service once more. Where desired is at min by now, one more instance is
// launched first: the group must not shrink below min for our sake.
func (s *saga) takeOutAgain(ctx workflow.Context) error {
	return s.withNumbers(ctx, func() error { return s.leaveAgain(ctx) })
}

func (s *saga) leaveAgain(ctx workflow.Context) error {
	if s.in.Group.IsAutoScaling() {
		var now patch.GroupState
		if err := s.read(ctx, aws.InspectGroup, s.inspect(), &now); err != nil {
			return err
		}
		member, found := now.Member(s.in.Instance)
		if !found || !member.Present() {
			return s.gone()
		}
		short := now.Desired-now.WeightOf(member.ID) < now.Min && s.room == nil && !staysOut(member)
		switch other := s.roomBeside(); {
		case short && now.Counts != patch.CountsInstances:
			s.note("no room could be made before taking it out again: its group counts %s, and AWS chooses what one that is "+
				"launched weighs", now.Counts)
		case short && other != "": // the group's record tells of one that was launched, and not of two
			s.note("no room was made before taking it out again: one more has been launched for %s already", other)
		case short:
			s.room = room.New(s.in.Group, s.in.Policy, s.in.WaveID, patch.SurgeOfOne(now))
			s.room.Suspends = s.in.Suspends
			err := s.room.Journal(ctx, now)
			if err == nil {
				err = s.room.Make(ctx, s.undoAct(ctx))
			}
			if err != nil {
				s.note("no room could be made before taking it out again: %s", run.Reason(err))
			}
		}
	}
	return s.leaveService(ctx, s.undone, 0)
}

// staysOut tells an instance that never came out of standby: it needs no room to be out, and with more room than before
// max would be too low for it to come back.
func staysOut(member patch.Member) bool {
	return member.Lifecycle == patch.LifecycleStandby || member.Lifecycle == patch.LifecycleEnteringStandby
}

// returnUnpatched undoes leave: it returns the instance on its old version and checks its health, or quarantines one
// that must not go back into service. One that somebody terminated meanwhile is gone, and so is what a deleted group
// had.
func (s *saga) returnUnpatched(ctx workflow.Context) error {
	if s.serves {
		return nil
	}
	if s.unfitReason != "" && s.stays() { // a quarantine would say that it does not serve
		return errors.New(s.unfitReason)
	}
	for again := 0; ; again++ {
		err := s.readClock(s.undoAct(ctx))
		if err == nil {
			if s.unfitReason != "" {
				err = s.quarantine(ctx)
			} else {
				err = s.returnAsBefore(ctx)
			}
		}
		if run.IsType(err, activities.ErrGone, activities.ErrGroupNotFound) {
			err = s.handleGone(ctx, err)
		}
		if !errors.Is(err, errListedAgain) || again == mostListedAgain {
			return err
		}
	}
}

// returnAsBefore brings the instance back and checks its health; what is not healthy on its old version is quarantined.
func (s *saga) returnAsBefore(ctx workflow.Context) error {
	if own := s.own(); len(own) > 0 {
		if err := s.undone(ctx, aws.RegisterTargets, activities.TargetsInput{
			Instance: s.instance(), Targets: own,
		}); err != nil {
			return err
		}
	}
	if s.in.Group.IsAutoScaling() {
		if err := s.exitStandby(ctx, s.undoAct(ctx)); err != nil {
			return err
		}
	}
	err := s.awaitIn(ctx)
	changed := len(s.patching.tries) > 0 || s.hookedOut()
	if err == nil && changed {
		err = s.awaitHealth(ctx)
	}
	if err == nil {
		s.health.proven = true
		s.again(ctx, patch.AfterIn)
		if s.status.Result.Outcome == patch.Failed && s.patching.report.Touched(s.in.Policy.Platform) &&
			len(s.patching.tries) > 0 {
			s.status.Result.Outcome = patch.RolledBack
		}
		return nil
	}
	if !changed && s.putBack == nil || run.IsType(err, activities.ErrGone) {
		return err
	}
	if s.stays() {
		return err // nothing takes it out of service
	}
	s.unfitReason = "put back, but not healthy: " + run.Reason(err)
	if again := s.takeOutAgain(ctx); again != nil {
		return again
	}
	return s.quarantine(ctx)
}
