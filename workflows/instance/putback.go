package instance

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// putBackPatched takes an instance that this wave patched out of service, puts its root volume back, proves it, and returns
// it. A failure quarantines it: it is on neither version for sure.
func (s *saga) putBackPatched(ctx workflow.Context) {
	result := &s.status.Result
	s.point = s.in.PutBack.Point
	result.Backup = &s.point
	s.enter(ctx, patch.StepPreflight)
	if end := s.preflight(ctx, patch.LevelPutBack); end != nil {
		result.Outcome, result.Reason, result.Refused = end.outcome, "not rolled back: "+end.why, end.code
		if end.outcome != patch.Gone {
			result.Outcome, result.StillPatched = patch.Failed, true
		}
		return
	}
	if s.in.Policy.Restore != patch.RestoreRootVolume || s.point.SnapshotID == "" {
		result.Outcome, result.Reason = patch.Failed, "not rolled back: the plan keeps no backup to put back; it stays patched and in service"
		result.StillPatched = true
		return
	}
	if outcome, why := s.mayPutBack(ctx); outcome != patch.Patched {
		result.Outcome, result.Reason, result.StillPatched = outcome, why, outcome == patch.Failed
		return
	}
	began := workflow.Now(ctx)
	steps := []step{
		{patch.StepMark, s.mark, s.unmark},
		{patch.StepSuspend, s.suspend, s.resume},
		{patch.StepStandby, s.takeOut, s.returnUnpatched},
		{patch.StepRestore, s.restoreOrQuarantine, nil},
		{patch.StepReturn, s.returnPatched, s.takeOutAgain},
		{patch.StepHealth, s.healthOrQuarantine, nil},
		{patch.StepFinish, s.finish, nil},
	}
	if failed, err := s.run(ctx, steps); err != nil {
		s.compensate(ctx, failed, err)
		return
	}
	result.Outcome = patch.RolledBack
	result.PutBackIn = patch.Duration(workflow.Now(ctx).Sub(began))
}

func (s *saga) restoreOrQuarantine(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	err := s.restoreRoot(clean)
	if err != nil {
		s.unfitReason = "restore not proven: " + run.Reason(err)
	}
	return err
}

func (s *saga) healthOrQuarantine(ctx workflow.Context) error {
	err := s.awaitHealth(ctx)
	if err != nil {
		s.unfitReason = "put back, but not healthy: " + run.Reason(err)
	}
	return err
}
