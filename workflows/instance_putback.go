package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// putBackPatched takes an instance that this wave patched out of service, puts its root volume back, proves it, and returns
// it. A failure quarantines it: it is on neither version for sure.
func (s *saga) putBackPatched(ctx workflow.Context) {
	result := &s.status.Result
	s.point = s.in.PutBack.Point
	result.Backup = &s.point
	s.enter(ctx, patch.StepPreflight)
	if outcome, why := s.preflight(ctx); outcome != "" {
		result.Outcome, result.Reason = outcome, "not rolled back: "+why
		if outcome != patch.Gone {
			result.Outcome, result.StillPatched = patch.Failed, true
		}
		return
	}
	if s.in.Policy.Restore != patch.RestoreRootVolume || s.point.SnapshotID == "" {
		result.Outcome, result.Reason = patch.Failed, "not rolled back: the plan keeps no backup to put back; it stays patched and in service"
		result.StillPatched = true
		return
	}
	steps := []step{
		{patch.StepMark, s.mark, s.unmark},
		{patch.StepSuspend, s.suspend, s.resume},
		{patch.StepStandby, s.leave, s.comeBack},
		{patch.StepRestore, s.restoreOrUnfit, nil},
		{patch.StepReturn, s.comeForward, s.leaveAgain},
		{patch.StepHealth, s.healthOrUnfit, nil},
		{patch.StepSettle, s.settle, nil},
	}
	if failed, err := s.run(ctx, steps); err != nil {
		s.compensate(ctx, failed, err)
		return
	}
	result.Outcome = patch.RolledBack
}

func (s *saga) restoreOrUnfit(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	err := s.restoreRoot(clean)
	if err != nil {
		s.unfit = "restore not proven: " + reason(err)
	}
	return err
}

func (s *saga) healthOrUnfit(ctx workflow.Context) error {
	err := s.awaitHealth(ctx)
	if err != nil {
		s.unfit = "put back, but not healthy: " + reason(err)
	}
	return err
}

// quarantine takes an unfit instance out of its group and gives the group its capacity back. The machine is kept for
// forensics, unless the plan replaces what fails.
func (s *saga) quarantine(ctx workflow.Context) error {
	s.enter(ctx, patch.StepQuarantine)
	result := &s.status.Result
	s.note("%s", s.unfit)
	if !s.in.Group.IsAutoScaling() {
		result.Outcome = patch.Quarantined
		return nil
	}
	var now patch.GroupState
	if err := s.read(ctx, aws.InspectGroup, activities.InspectGroupInput{Group: s.in.Group}, &now); err != nil {
		return err
	}
	// Standby had lowered desired by one; detaching gives that one back.
	if err := s.undone(ctx, aws.Detach, activities.DetachInput{
		Instance: s.instance(), DesiredWanted: now.Desired + 1, WaveID: s.in.WaveID,
	}); err != nil {
		return err
	}
	result.Outcome = patch.Quarantined
	if s.in.Policy.Restore != patch.RestoreReplace {
		return nil
	}
	if err := s.undone(ctx, aws.Terminate, s.instance()); err != nil {
		return err
	}
	var fresh activities.SurgeInstance
	if err := s.await(ctx, s.in.Policy.Timing.Surge, aws.AwaitSurge, activities.AwaitSurgeInput{
		Group: s.in.Group, Known: memberIDs(now), Pace: s.pace(),
	}, &fresh); err != nil {
		return err
	}
	result.Outcome = patch.RolledBack
	s.note("replaced by %s", fresh.ID)
	return nil
}
