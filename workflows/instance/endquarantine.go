package instance

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// QuarantineEnd asks for an end of an instance's quarantine.
type QuarantineEnd struct {
	Verb    patch.QuarantineVerb // release or terminate
	Record  journal.Record       // by which it was quarantined
	Actor   string
	Reason  string
	GiveWay string // the instance that goes in its place when there is no room; "": the one launched in its place
}

// EndQuarantineInput starts EndQuarantine.
type EndQuarantineInput struct {
	Common
	End QuarantineEnd
}

// EndQuarantine releases or terminates a quarantined instance. What it writes into the journal stands under its own
// wave id, so that nothing is lost of what the wave wrote. It always ends with a result.
func EndQuarantine(ctx workflow.Context, in EndQuarantineInput) (*patch.InstanceResult, error) {
	s := &quarantined{saga: &saga{in: in.Common}, ask: in.End}
	return s.begin(ctx, s.end)
}

// quarantined is the saga of an instance whose quarantine is to end.
type quarantined struct {
	*saga
	ask QuarantineEnd
}

const notQuarantined = "nothing was changed: it is not in the quarantine any more that was asked about; see " +
	"`patchtide quarantine list`"

func (s *quarantined) end(ctx workflow.Context) {
	s.status.Result.Outcome = patch.Quarantined
	s.enter(ctx, patch.StepPreflight)
	read, err := run.ReadRecord(ctx, run.RecordOf(s.ask.Record.WaveID, s.in.Group, s.in.Instance))
	switch {
	case err != nil:
		s.status.Result.Reason = "nothing was changed: its record could not be read: " + run.Reason(err)
		return
	case read.Record == nil || read.Record.Quarantine == nil:
		s.status.Result.Reason = "nothing was changed: its record tells of no quarantine; " + read.Untrusted
		return
	case !read.Record.Quarantine.Ended.IsZero():
		s.status.Result.Outcome = patch.NotStarted
		s.status.Result.Reason = notQuarantined
		return
	}
	s.ask.Record, s.record = *read.Record, *read.Record
	s.record.WaveID, s.record.PutBack, s.record.Installing, s.record.Try = s.in.WaveID, nil, false, s.in.Try
	s.before = s.record.Before.State()
	s.member = patch.Member{
		ID: s.in.Instance, Targets: s.record.Targets, RootVolumeID: s.record.RootVolume, Weight: s.record.Weight,
	}
	var seen activities.QuarantinedInstance
	err = s.doGet(ctx, aws.DescribeQuarantined, s.instance(), &seen)
	switch {
	case err != nil:
		s.status.Result.Reason = "nothing was changed: " + run.Reason(err)
	case !seen.Present:
		s.status.Result.Outcome, s.status.Result.Reason = patch.Gone, s.noLongerThere()
	case s.ended(seen):
		s.status.Result.Outcome = patch.NotStarted
		s.status.Result.Reason = notQuarantined
	case s.ask.Verb == patch.QuarantineTerminate:
		s.terminateQuarantined(ctx)
	default:
		s.release(ctx, seen)
	}
}

// noLongerThere says who has it no more.
func (s *quarantined) noLongerThere() string {
	if s.in.Group.IsNodes() {
		return "Systems Manager no longer has it registered"
	}
	return "EC2 no longer has it"
}

// ended tells that the quarantine which is to end has ended already: the instance's tag does not point to its record.
// The request may have been made twice, and read the tag before the first one was through.
func (s *quarantined) ended(seen activities.QuarantinedInstance) bool {
	return seen.Quarantine.WaveID != s.ask.Record.WaveID
}

// terminateQuarantined ends the instance, journalled first.
func (s *quarantined) terminateQuarantined(ctx workflow.Context) {
	s.enter(ctx, patch.StepTerminate)
	clean, _ := workflow.NewDisconnectedContext(ctx)
	s.record.Ends = &patch.Decision{
		Verb: patch.Verb(s.ask.Verb), Actor: s.ask.Actor, Reason: s.ask.Reason, At: workflow.Now(ctx),
	}
	err := run.WriteRecord(clean, &s.record)
	if err == nil {
		err = s.do(ctx, aws.TerminateQuarantined, s.instance())
	}
	if err != nil {
		s.status.Result.Reason = "it was not terminated: " + run.Reason(err)
		return
	}
	s.status.Result.Outcome = patch.Terminated
}

// release returns the instance to its group, or to its target groups, with its old security groups, and checks its
// health. One that does not become healthy goes back into quarantine.
func (s *quarantined) release(ctx workflow.Context, seen activities.QuarantinedInstance) {
	result := &s.status.Result
	if err := s.planRelease(ctx, seen); err != nil {
		result.Reason = "nothing was changed: " + run.Reason(err)
		return
	}
	failed, err := s.run(ctx, s.releaseTable())
	if err != nil {
		s.compensate(ctx, failed, err)
		if run.IsType(err, activities.ErrGone) {
			result.Outcome, result.Reason = patch.Gone, "gone meanwhile: "+run.Reason(err)
		} else {
			result.Outcome, result.Reason = patch.Quarantined, "it stays in quarantine: "+string(failed)+": "+run.Reason(err)
		}
		return
	}
	result.Outcome = patch.Released
	s.noteReleased()
}

// noteReleased says what a release does not put back: what was installed, and how many its group wants.
func (s *quarantined) noteReleased() {
	if was := s.ask.Record.Intended; len(was.InstallTokens) > 0 || was.RestoreToken != "" {
		s.note("it serves with what is on it: %s had begun to patch it, and that it is as it was before is not proven; "+
			"what it lacks now: patchtide scan %s", s.ask.Record.WaveID, names.ShellWord(s.in.Policy.Plan))
	}
	if release := s.record.Release; s.in.Group.IsAutoScaling() && release.GiveWay == "" {
		s.note("nobody went in its place: its group's desired capacity is %d with it, %d without",
			release.DesiredBefore+s.weightIn(s.before), release.DesiredBefore)
	}
}

// planRelease reads the group again and decides what the release takes; its error says why there is none, and is a
// *patch.Refusal where a check refused.
func (s *quarantined) planRelease(ctx workflow.Context, seen activities.QuarantinedInstance) error {
	switch {
	case seen.State != "running":
		return fmt.Errorf("the instance is %s; start it, then release it", seen.State)
	case seen.Member != "" && seen.Member != s.in.Group.AutoScalingGroup:
		return fmt.Errorf("it is a member of Auto Scaling group %s meanwhile", seen.Member)
	case seen.Unattachable != "":
		return errors.New(seen.Unattachable)
	}
	release := &journal.Release{Actor: s.ask.Actor, Reason: s.ask.Reason, Of: s.ask.Record.WaveID}
	s.record.Release = release
	if !s.in.Group.IsAutoScaling() {
		return nil
	}
	var now patch.GroupState
	if err := s.doGet(ctx, aws.InspectGroup, activities.InspectGroupInput{Group: s.in.Group}, &now); err != nil {
		return err
	}
	s.before.Min, s.before.Max, s.before.Desired, s.before.Suspended, s.before.Members = now.Min, now.Max, now.Desired,
		now.Suspended, now.Members
	s.before.Counts, release.DesiredBefore = now.Counts, now.Desired
	if seen.Member != "" { // attached by hand: desired counts it already
		release.DesiredBefore -= s.weightIn(now)
		return nil
	}
	quarantine := s.record.Quarantine
	giveWay, refused := patch.PlanRelease(s.in.Group, now, s.in.Policy.StageView(), patch.ReleaseView{
		ID: s.in.Instance, Since: quarantine.At, Known: quarantine.Members, GiveWay: s.ask.GiveWay,
	})
	if refused != nil {
		return refused
	}
	release.GiveWay = giveWay
	return nil
}

// markRelease journals the release and puts its pointer on the instance.
func (s *saga) markRelease(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	s.suspended = s.toSuspend()
	s.record.Before = journal.BeforeOf(s.before)
	s.record.Intended = journal.Intended{Suspend: s.suspended}
	if err := run.WriteRecord(clean, &s.record); err != nil {
		return err
	}
	return s.do(ctx, aws.MarkInstance, s.journal())
}

// returnReleased opens its network again and returns it; the instance in its place goes first where there is no room
// for both.
func (s *saga) returnReleased(ctx workflow.Context) error {
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
	s.health.since = patch.HealthObservation{At: now.At}
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
				Instance: activities.Instance{
					Group: s.in.Group, ID: release.GiveWay,
				}, DesiredBefore: release.DesiredBefore, Pace: s.pace(),
			}); err != nil {
				return err
			}
			s.note("%s went in its place", release.GiveWay)
		}
		if err := s.do(ctx, aws.Attach, activities.AttachInput{
			Instance: s.instance(), DesiredBefore: desired, Pace: s.pace(),
		}); err != nil {
			return err
		}
	}
	return s.awaitIn(clean)
}

// quarantineAgain undoes letBack: out of its group, which gets the capacity back that it had, and isolated.
func (s *saga) quarantineAgain(ctx workflow.Context) error {
	if own := s.own(); len(own) > 0 {
		if err := s.undone(ctx, aws.DeregisterTargets, activities.TargetsInput{
			Instance: s.instance(), Targets: own,
		}); err != nil {
			return err
		}
	}
	if s.in.Group.IsAutoScaling() {
		if err := s.undone(ctx, aws.Detach, activities.DetachInput{
			Instance: s.instance(), DesiredWanted: s.record.Release.DesiredBefore, WaveID: s.in.WaveID, Decrement: true,
			Weight: s.weighed(s.before), Pace: s.pace(),
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
	if !run.IsType(err, activities.ErrSecurityGroupsChanged) {
		return err
	}
	s.note("%s", run.Reason(err))
	return nil
}

// finishReleased takes off what a quarantined instance carries. It serves and is healthy whatever happens here.
func (s *saga) finishReleased(ctx workflow.Context) error {
	clean, stop := s.undoing(ctx)
	defer stop()
	if err := s.resume(clean); err != nil {
		s.strand(patch.StepSuspend, err)
	}
	s.freeRecord(clean)
	if err := s.undone(clean, aws.UntagQuarantined, s.instance()); err != nil {
		s.strand(patch.StepQuarantine, err)
	}
	if err := s.unmark(clean); err != nil {
		s.strand(patch.StepMark, err)
	}
	s.undos = nil
	return nil
}

// freeRecord writes into the record that the quarantine's tag points to that it is over, before the tag comes off: who
// puts the tag back later has nobody terminate the instance, or hide it.
func (s *saga) freeRecord(ctx workflow.Context) {
	if s.record.Release == nil || s.record.Release.Of == "" {
		return
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if err := run.EndRecord(clean, activities.EndJournalInput{
		Record: run.RecordOf(s.record.Release.Of, s.in.Group, s.in.Instance), Freed: true,
	}); err != nil {
		s.note("the journal does not say that its quarantine is over: %s", run.Reason(err))
	}
}

// finishRelease ends a release that died: an instance that came back and is healthy stays, any other is quarantined
// again.
func (s *saga) finishRelease(ctx workflow.Context) error {
	back, err := s.isBack(ctx)
	if err != nil {
		return err
	}
	if back {
		err := s.readClock(s.undoAct(ctx))
		if err == nil {
			err = s.awaitIn(ctx)
		}
		if err == nil {
			err = s.awaitHealth(ctx)
		}
		if err == nil {
			s.status.Result.Outcome = patch.Released
			s.freeRecord(ctx)
			return s.undone(ctx, aws.UntagQuarantined, s.instance())
		}
		s.note("released, but not healthy: %s", run.Reason(err))
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
	err := s.await(ctx, s.in.Policy.Timing.HealthBudget, aws.AwaitInService, activities.AwaitInServiceInput{
		Instance: s.instance(), Before: s.member.Targets, Pace: s.pace(),
	}, nil)
	return err == nil, nil //nolint:nilerr // not back within the budget is an answer
}
