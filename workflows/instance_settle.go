package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// Settle asks for an end of an instance's quarantine.
type Settle struct {
	Verb    patch.QuarantineVerb // release or terminate
	Record  Record               // by which it was quarantined
	Actor   string
	Reason  string
	GiveWay string // the instance that goes in its place when there is no room; "": the one launched in its place
}

// Release is what a release from quarantine is about to change, by whose word.
type Release struct {
	Actor         string
	Reason        string
	DesiredBefore int    // of its Auto Scaling group
	GiveWay       string // the instance that is terminated with decrement first; "" for none
}

// settleQuarantine releases or terminates a quarantined instance. What it writes into the journal stands under its own wave id,
// so that nothing is lost of what the wave wrote.
func (s *saga) settleQuarantine(ctx workflow.Context) {
	settle := s.in.Settle
	s.status.Result.Outcome = patch.Quarantined
	s.record = settle.Record
	s.record.WaveID, s.record.PutBack, s.record.Installing, s.record.Try = s.in.WaveID, nil, false, s.in.Try
	s.before = s.record.Before.state()
	s.member = patch.Member{ID: s.in.Instance, Targets: s.record.Targets, RootVolumeID: s.record.RootVolume}
	s.enter(ctx, patch.StepPreflight)
	var seen activities.QuarantinedInstance
	err := s.doGet(ctx, aws.DescribeQuarantined, s.instance(), &seen)
	switch {
	case err != nil:
		s.status.Result.Reason = "nothing was changed: " + reason(err)
	case !seen.Present:
		s.status.Result.Outcome, s.status.Result.Reason = patch.Gone, "EC2 no longer has it"
	case s.settled(ctx, seen):
		s.status.Result.Outcome = patch.NotStarted
		s.status.Result.Reason = "nothing was changed: it is not in the quarantine any more that was asked about; see `patchtide quarantine list`"
	case settle.Verb == patch.QuarantineTerminate:
		s.terminateQuarantined(ctx)
	default:
		s.release(ctx, seen)
	}
}

// settled tells that the quarantine which is to end has ended already: the instance's tag does not point to its record. The request may
// have been made twice, and read the tag before the first one was through. A run that began before did not ask.
func (s *saga) settled(ctx workflow.Context, seen activities.QuarantinedInstance) bool {
	return seen.Quarantine.WaveID != s.in.Settle.Record.WaveID &&
		workflow.GetVersion(ctx, "settle-asks-the-tag", workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// terminateQuarantined ends the instance, journalled first.
func (s *saga) terminateQuarantined(ctx workflow.Context) {
	s.enter(ctx, patch.StepTerminate)
	clean, _ := workflow.NewDisconnectedContext(ctx)
	s.record.Ends = &patch.Decision{Verb: patch.Verb(s.in.Settle.Verb), Actor: s.in.Settle.Actor, Reason: s.in.Settle.Reason, At: workflow.Now(ctx)}
	err := s.record.write(clean)
	if err == nil {
		err = s.do(ctx, aws.TerminateQuarantined, s.instance())
	}
	if err != nil {
		s.status.Result.Reason = "it was not terminated: " + reason(err)
		return
	}
	s.status.Result.Outcome = patch.Terminated
}

// release returns the instance to its group, or to its target groups, with its old security groups, and checks its health. One
// that does not become healthy goes back into quarantine.
func (s *saga) release(ctx workflow.Context, seen activities.QuarantinedInstance) {
	result := &s.status.Result
	if refused := s.planRelease(ctx, seen); refused != "" {
		result.Reason = "nothing was changed: " + refused
		return
	}
	failed, err := s.run(ctx, []step{
		{patch.StepMark, s.markRelease, s.unmark},
		{patch.StepSuspend, s.suspend, s.resume},
		{patch.StepRelease, s.letBack, s.quarantineAgain},
		{patch.StepHealth, s.awaitHealth, nil},
		{patch.StepFinish, s.settleRelease, nil},
	})
	if err != nil {
		s.compensate(ctx, failed, err)
		if isType(err, activities.ErrGone) {
			result.Outcome, result.Reason = patch.Gone, "gone meanwhile: "+reason(err)
		} else {
			result.Outcome, result.Reason = patch.Quarantined, "it stays in quarantine: "+string(failed)+": "+reason(err)
		}
		return
	}
	result.Outcome = patch.Released
}

// planRelease reads the group again and decides what the release takes; it says why there is none.
func (s *saga) planRelease(ctx workflow.Context, seen activities.QuarantinedInstance) string {
	switch {
	case seen.State != "running":
		return "the instance is " + seen.State + "; start it, then release it"
	case seen.Member != "" && seen.Member != s.in.Group.AutoScalingGroup:
		return "it is a member of Auto Scaling group " + seen.Member + " meanwhile"
	}
	release := &Release{Actor: s.in.Settle.Actor, Reason: s.in.Settle.Reason}
	s.record.Release = release
	if !s.in.Group.IsAutoScaling() {
		return ""
	}
	var now patch.GroupState
	if err := s.doGet(ctx, aws.InspectGroup, activities.InspectGroupInput{Group: s.in.Group}, &now); err != nil {
		return reason(err)
	}
	s.before.Min, s.before.Max, s.before.Desired, s.before.Suspended, s.before.Members = now.Min, now.Max, now.Desired, now.Suspended, now.Members
	release.DesiredBefore = now.Desired
	if seen.Member != "" { // attached by hand: desired counts it already
		release.DesiredBefore--
		return ""
	}
	quarantine := s.record.Quarantine
	giveWay, refused := patch.PlanRelease(s.in.Group, now, s.in.Policy.stage(), patch.ReleaseView{
		ID: s.in.Instance, Since: quarantine.At, Known: quarantine.Members, GiveWay: s.in.Settle.GiveWay,
	})
	if refused != nil {
		return refused.Error()
	}
	release.GiveWay = giveWay
	return ""
}

// markRelease journals the release and puts its pointer on the instance.
func (s *saga) markRelease(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	s.suspended = s.toSuspend()
	s.record.Before = groupBefore(s.before)
	s.record.Intended = Intended{Suspend: s.suspended}
	if err := s.record.write(clean); err != nil {
		return err
	}
	return s.do(ctx, aws.MarkInstance, s.journal())
}

// letBack opens its network again and returns it; the instance in its place goes first where there is no room for both.
func (s *saga) letBack(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if isolation := s.record.Quarantine.Isolation; isolation != nil {
		if err := s.unlessChanged(s.do(ctx, aws.SetSecurityGroups, activities.SecurityGroupsInput{
			Instance: s.instance(), Isolation: *isolation, Restore: true,
		})); err != nil {
			return err
		}
	}
	// Alarms count only if they ring after its return.
	var now activities.QuarantinedInstance
	if err := s.doGet(ctx, aws.DescribeQuarantined, s.instance(), &now); err != nil {
		return err
	}
	s.since = patch.HealthObservation{At: now.At}
	if own := s.own(); len(own) > 0 {
		if err := s.do(ctx, aws.RegisterTargets, activities.TargetsInput{Instance: s.instance(), Targets: own}); err != nil {
			return err
		}
	}
	if s.in.Group.IsAutoScaling() {
		release, desired := s.record.Release, s.record.Release.DesiredBefore
		if release.GiveWay != "" {
			desired--
			if err := s.do(ctx, aws.TerminateReplacement, activities.TerminateReplacementInput{
				Instance: activities.Instance{Group: s.in.Group, ID: release.GiveWay}, DesiredBefore: release.DesiredBefore, Pace: s.pace(),
			}); err != nil {
				return err
			}
			s.note("%s went in its place", release.GiveWay)
		}
		if err := s.do(ctx, aws.Attach, activities.AttachInput{Instance: s.instance(), DesiredBefore: desired, Pace: s.pace()}); err != nil {
			return err
		}
	}
	return s.awaitIn(clean)
}

// quarantineAgain undoes letBack: out of its group, which gets the capacity back that it had, and isolated.
func (s *saga) quarantineAgain(ctx workflow.Context) error {
	if own := s.own(); len(own) > 0 {
		if err := s.undone(ctx, aws.DeregisterTargets, activities.TargetsInput{Instance: s.instance(), Targets: own}); err != nil {
			return err
		}
	}
	if s.in.Group.IsAutoScaling() {
		if err := s.undone(ctx, aws.Detach, activities.DetachInput{
			Instance: s.instance(), DesiredWanted: s.record.Release.DesiredBefore, WaveID: s.in.WaveID, Decrement: true, Pace: s.pace(),
		}); err != nil {
			return err
		}
	} else if err := s.await(ctx, s.in.Policy.Timing.Drain, aws.AwaitOutOfService, activities.AwaitOutOfServiceInput{
		Instance: s.instance(), Targets: s.own(), Pace: s.pace(),
	}, nil); err != nil {
		return err
	}
	s.status.Result.Outcome = patch.Quarantined
	if s.record.Quarantine.Isolation == nil {
		return nil
	}
	return s.unlessChanged(s.undone(ctx, aws.SetSecurityGroups, activities.SecurityGroupsInput{
		Instance: s.instance(), Isolation: *s.record.Quarantine.Isolation,
	}))
}

// unlessChanged lets security groups that a person gave the instance meanwhile be as they are, and says so.
func (s *saga) unlessChanged(err error) error {
	if !isType(err, activities.ErrSecurityGroupsChanged) {
		return err
	}
	s.note("%s", reason(err))
	return nil
}

// settleRelease takes off what a quarantined instance carries. It serves and is healthy whatever happens here.
func (s *saga) settleRelease(ctx workflow.Context) error {
	clean, stop := untilGivenUp(ctx)
	defer stop()
	if err := s.resume(clean); err != nil {
		s.strand(patch.StepSuspend, err)
	}
	if err := s.undone(clean, aws.UntagQuarantined, s.instance()); err != nil {
		s.strand(patch.StepQuarantine, err)
	}
	if err := s.unmark(clean); err != nil {
		s.strand(patch.StepMark, err)
	}
	s.undo = nil
	return nil
}

// finishRelease ends a release that died: an instance that came back and is healthy stays, any other is quarantined again.
func (s *saga) finishRelease(ctx workflow.Context) error {
	back, err := s.isBack(ctx)
	if err != nil {
		return err
	}
	if back {
		err := s.readClock(ctx, s.undoAct(ctx))
		if err == nil {
			err = s.awaitIn(ctx)
		}
		if err == nil {
			err = s.awaitHealth(ctx)
		}
		if err == nil {
			s.status.Result.Outcome = patch.Released
			return s.undone(ctx, aws.UntagQuarantined, s.instance())
		}
		s.note("released, but not healthy: %s", reason(err))
	}
	return s.quarantineAgain(ctx)
}

// isBack tells whether the instance is a member of its group again, or, chosen by tags, registered as before.
func (s *saga) isBack(ctx workflow.Context) (bool, error) {
	if s.in.Group.IsAutoScaling() {
		var seen activities.QuarantinedInstance
		err := s.read(ctx, aws.DescribeQuarantined, s.instance(), &seen)
		return seen.Member != "" && seen.Member == s.in.Group.AutoScalingGroup, err
	}
	// Its tag keeps it out of its group, so its target groups are asked: those it is not registered in are not ready.
	err := s.await(ctx, s.in.Policy.Timing.HealthBudget, aws.AwaitInService, activities.AwaitInServiceInput{Instance: s.instance(), Before: s.member.Targets, Pace: s.pace()}, nil)
	return err == nil, nil //nolint:nilerr // not back within the budget is an answer
}

// toSuspend are the processes to be suspended while the instance is out or on its way: only those nobody has suspended before.
func (s *saga) toSuspend() []string {
	var ours []string
	if s.in.Group.IsAutoScaling() {
		for _, process := range outProcesses {
			if !slices.Contains(s.before.Suspended, process) {
				ours = append(ours, process)
			}
		}
	}
	return ours
}
