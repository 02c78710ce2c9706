package instance

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// mayPutBack reads what putting the instance back rests on, before anything is touched: an instance that was taken out for a
// backup that is not there could only be quarantined. Patched is yes; else it says how the instance ends, and why.
func (s *saga) mayPutBack(ctx workflow.Context) (patch.Outcome, string) {
	const left = "; nothing was touched, and it stays patched: once the wave has closed, try again with `patchtide wave roll-back`"
	backups, err := s.readBackup(ctx)
	if err == nil && backups.States[s.point.SnapshotID] == "pending" {
		// The instance serves meanwhile.
		err = s.await(ctx, s.in.Policy.Timing.Snapshot, aws.AwaitSnapshot, activities.AwaitSnapshotInput{
			Instance: s.instance(), SnapshotID: s.point.SnapshotID, Pace: s.pace(),
		}, nil)
		if err == nil || run.IsType(err, activities.ErrSnapshotFailed) {
			backups, err = s.readBackup(ctx)
		}
	}
	if err != nil {
		return patch.Failed, "its backup: " + run.Reason(err) + left
	}
	earlier := s.putBack.Earlier
	view := patch.PutBackView{Earlier: earlier != nil, WaveID: s.in.WaveID, Expires: backups.Expires[s.point.SnapshotID]}
	view.Was.Backup, view.Member, view.Snapshot, view.At = &s.point, s.member, backups.States[s.point.SnapshotID], backups.At
	if earlier != nil {
		view.Was.PackagesAfter, view.Was.ApplicationAfter = earlier.Packages, earlier.Application
		var facts patch.MachineFacts
		switch err := s.await(ctx, s.in.Policy.Timing.Agent, aws.CollectMachineFacts, s.ask("facts-now"), &facts); {
		case err == nil:
			view.Facts = &facts
		case run.IsType(err, activities.ErrGone):
			return patch.Gone, "the instance no longer exists"
		case !run.IsType(err, activities.ErrNotReady):
			return patch.Failed, "what changed on it since: " + run.Reason(err) + left
		}
	}
	return patch.JudgePutBack(view, s.in.Policy.Timing.RollbackMaxAge)
}

func (s *saga) readBackup(ctx workflow.Context) (backups activities.Backups, err error) {
	err = workflow.ExecuteActivity(run.Reading(ctx, s.in.Group, s.in.Policy.Timing), aws.ReadBackups, activities.ReadBackupsInput{
		Group: s.in.Group, SnapshotIDs: []string{s.point.SnapshotID},
	}).Get(ctx, &backups)
	return backups, err
}
