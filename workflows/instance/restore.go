package instance

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// RestoreInput starts RestoreInstance.
type RestoreInput struct {
	Common
	PutBack journal.PutBack
	Left    bool // see Input.Left
}

// RestoreInstance takes an instance that this wave patched out of service, puts its root volume back, proves it, and
// returns it. A failure quarantines it: it is on neither version for sure. It always ends with a result.
func RestoreInstance(ctx workflow.Context, in RestoreInput) (*patch.InstanceResult, error) {
	s := &saga{in: in.Common, left: in.Left, putBack: &in.PutBack}
	return s.begin(ctx, s.putBackPatched)
}

func (s *saga) putBackPatched(ctx workflow.Context) {
	result := &s.status.Result
	s.point = s.putBack.Point
	result.Backup = &s.point
	result.MissingBefore, result.MissingAfter = s.putBack.Missing, s.putBack.Missing // until a scan says otherwise
	s.enter(ctx, patch.StepPreflight)
	switch end := s.preflight(ctx, patch.LevelPutBack); {
	case end == nil:
	case end.told:
		return
	default:
		result.Outcome, result.Reason, result.Refused = end.outcome, "not rolled back: "+end.why, end.code
		if end.outcome != patch.Gone {
			result.Outcome, result.StillPatched = patch.Failed, true
		}
		return
	}
	if s.in.Policy.Restore != patch.RestoreRootVolume || s.point.SnapshotID == "" {
		result.Outcome, result.Reason = patch.Failed, "not rolled back: "+s.noPutBack()+"; it stays patched and in service"
		if s.in.Group.IsNodes() {
			result.Reason = "not rolled back: nothing can put a managed node back; it stays patched and in service"
		}
		result.StillPatched = true
		return
	}
	if judged := s.judgePutBack(ctx); judged.Verdict != patch.PutBackCan {
		result.Outcome, result.Reason = judged.Verdict.Ends(), judged.Reason
		result.StillPatched, result.AsBefore = judged.Verdict == patch.PutBackCannot, judged.Verdict == patch.PutBackAlready
		return
	}
	began := workflow.Now(ctx)
	told, stop := s.watchUndos().BesideHeeding(ctx) // what is denied here is tried again, as an undo is
	table := s.restoreTable
	if s.member.AtRest() && len(s.own()) == 0 {
		s.isStopped()
		table = s.restoreStoppedTable
	}
	failed, err := s.run(told, table())
	stop()
	if err != nil {
		s.compensate(ctx, failed, err)
		// What failed before its root volume was touched has come back as it was.
		result.StillPatched = result.Outcome == patch.Failed && s.unfitReason == "" && !s.restored
		return
	}
	result.Outcome = patch.RolledBack
	result.PutBackIn = patch.Duration(workflow.Now(ctx).Sub(began))
}

// judgePutBack reads what putting the instance back rests on, before anything is touched: an instance that was taken
// out for a backup that is not there could only be quarantined.
func (s *saga) judgePutBack(ctx workflow.Context) patch.RollBackJudgement {
	const left = "; nothing was touched, and it stays patched: once the wave has closed, try again with `patchtide " +
		"wave roll-back`"
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
		return patch.RollBackJudgement{Verdict: patch.PutBackCannot, Reason: "its backup: " + run.Reason(err) + left}
	}
	earlier := s.putBack.Earlier
	view := patch.PutBackView{Earlier: earlier != nil, WaveID: s.in.WaveID, Expires: backups.Expires[s.point.SnapshotID]}
	view.Was.RootVolume = s.putBack.RootVolume
	view.Was.Backup, view.Member, view.Snapshot, view.At = &s.point, s.member, backups.States[s.point.SnapshotID],
		backups.At
	if earlier != nil {
		view.Was.PackagesAfter, view.Was.ApplicationAfter = earlier.Packages, earlier.Application
		var facts patch.MachineFacts
		switch err := s.await(ctx, s.in.Policy.Timing.Agent, aws.CollectMachineFacts, s.ask(ctx, "facts-now"), &facts); {
		case err == nil:
			view.Facts = &facts
		case run.IsType(err, activities.ErrGone):
			return patch.RollBackJudgement{Verdict: patch.PutBackGone, Reason: gone.why}
		case !run.IsType(err, activities.ErrNotReady):
			return patch.RollBackJudgement{
				Verdict: patch.PutBackCannot, Reason: "what changed on it since: " + run.Reason(err) + left,
			}
		}
	}
	return patch.JudgePutBack(view, s.in.Policy.Timing.RollbackMaxAge)
}

func (s *saga) readBackup(ctx workflow.Context) (backups activities.Backups, err error) {
	err = workflow.ExecuteActivity(run.Reading(ctx, s.in.Group, s.in.Policy.Timing), aws.ReadBackups,
		activities.ReadBackupsInput{
			Group: s.in.Group, SnapshotIDs: []string{s.point.SnapshotID},
		}).Get(ctx, &backups)
	return backups, err
}

func (s *saga) restoreOrQuarantine(ctx workflow.Context) error {
	clean, stop := s.undoing(ctx)
	defer stop()
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

// restore undoes the install: see that nothing runs any more, then put the root volume back if the machine may have
// changed. It never fails by itself: an instance whose restore is not proven is unfit, and returnUnpatched quarantines
// it.
func (s *saga) restore(ctx workflow.Context) error {
	var own bool
	var err error
	if s.in.Policy.ByImage() {
		own, err = s.endReplacement(ctx)
	} else {
		err = s.stopInstalls(ctx)
	}
	if err != nil {
		s.unfitReason = "the install could not be proven to have ended: " + run.Reason(err)
		return nil
	}
	if own || s.untouched() {
		return nil
	}
	if s.stays() {
		s.serves = true
		s.leftTouched()
		return nil
	}
	if s.serves {
		s.status.Result.StillPatched = true
		s.note("its root volume was left as it is, since it could not be taken out of service")
		return nil
	}
	s.enter(ctx, patch.StepRestore)
	switch {
	case s.in.Policy.Restore == patch.RestoreReplace && s.in.Group.IsAutoScaling():
		s.unfitReason = "the plan replaces what fails"
	case s.in.Group.IsNodes():
		s.unfitReason = nothingPutsBack
	case s.in.Policy.Restore != patch.RestoreRootVolume || s.point.SnapshotID == "":
		s.unfitReason = s.noPutBack()
	default:
		if err := s.restoreRoot(ctx); err != nil {
			s.unfitReason = "restore not proven: " + run.Reason(err)
		} else {
			s.again(ctx, patch.AfterInstall)
		}
	}
	return nil
}

// noPutBack is why there is no root volume to put back.
func (s *saga) noPutBack() string { return cmp.Or(s.in.Policy.NoPutBack(), "no backup is kept") }

// scanRestored has Systems Manager look at a root volume that was put back: what it knows is of the one before, and
// says that nothing is missing. That it could not is told, and is no failure of what was put back.
func (s *saga) scanRestored(ctx workflow.Context) {
	if !s.restored || s.status.Result.Outcome == patch.Gone || s.status.Result.Outcome == patch.Quarantined {
		return
	}
	s.enter(ctx, patch.StepScan)
	clean, stop := s.undoing(ctx)
	defer stop()
	scan, err := s.scanBy(clean, "scan-restored", s.attempt("snapshot-restored").Token)
	switch {
	case err != nil:
		s.note("not scanned since its root volume was put back: %s", run.Reason(err))
	case scan.Error != "":
		s.note("not scanned since its root volume was put back: %s", scan.Error)
	default:
		s.status.Result.MissingAfter, s.patching.missing = scan.MissingNumber(), scan.Missing
	}
}

// restoreRoot puts the root volume back from the snapshot and proves it: another volume, another boot, the packages as
// before. The snapshot is waited for here, where it is needed.
func (s *saga) restoreRoot(ctx workflow.Context) error {
	t := s.in.Policy.Timing
	if err := s.awaitBackup(ctx); err != nil {
		return err
	}
	var task activities.RestoreTask
	if err := s.await(ctx, t.RestoreRoot, aws.RestoreRoot, activities.RestoreRootInput{
		Instance: s.instance(), SnapshotID: s.point.SnapshotID, Attempt: s.recorded(s.record.Intended.RestoreToken),
		Retention: s.in.Policy.Retention, Pace: s.pace(),
	}, &task); err != nil {
		return err
	}
	var restored activities.Restored
	if err := s.await(ctx, t.RestoreRoot, aws.AwaitRestore, activities.AwaitRestoreInput{
		Instance: s.instance(), TaskID: task.TaskID, Pace: s.pace(),
	}, &restored); err != nil {
		return err
	}
	var facts patch.MachineFacts
	if err := s.await(ctx, t.Agent, aws.CollectMachineFacts, s.ask(ctx, "facts-restored"), &facts); err != nil {
		return err
	}
	patched := s.status.Result.BootID
	if s.putBack != nil {
		patched = s.putBack.PatchedBoot
	}
	if why := patch.ProveRestored(s.point, patched, restored.RootVolumeID, facts); why != "" {
		return errors.New(why)
	}
	s.restored = true
	s.status.Result.RootVolume = ""
	s.tagReplaced(ctx, cmp.Or(s.patching.detached, task.TaskID), restored.RootVolumeID)
	// It stands where it stood before; what the scan after the install found is gone with that volume.
	s.status.Result.MissingAfter, s.patching.missing = s.status.Result.MissingBefore, s.patching.scan.Missing
	s.note("root volume put back from %s as of %s: what was written to it since is lost", s.point.SnapshotID,
		s.point.TakenAt.Format("2006-01-02 15:04 MST"))
	return nil
}

// awaitBackup waits for the snapshot, which may take hours. Until it is there the instance stands by and nothing is
// done to it; once that takes longer than an instance is out otherwise, its group may replace again what is ill.
func (s *saga) awaitBackup(ctx workflow.Context) error {
	wanted := activities.AwaitSnapshotInput{
		Instance: s.instance(), SnapshotID: s.point.SnapshotID, Pace: s.pace(),
	}
	t := s.in.Policy.Timing
	rest := t.Snapshot - t.InService
	if rest <= 0 || !slices.Contains(s.suspended, patch.ProcessReplaceUnhealthy) {
		return s.await(ctx, t.Snapshot, aws.AwaitSnapshot, wanted, nil)
	}
	err := s.await(ctx, t.InService, aws.AwaitSnapshot, wanted, nil)
	if err == nil || ctx.Err() != nil || run.IsType(err, activities.ErrSnapshotFailed) {
		return err
	}
	if err := s.letGoOfReplacing(ctx); err != nil {
		return err
	}
	err = s.await(ctx, rest, aws.AwaitSnapshot, wanted, nil)
	if again := s.suspendAlso(ctx, patch.ProcessReplaceUnhealthy); again != nil {
		return again
	}
	return err
}

// letGoOfReplacing resumes the process, and then has the record say that it is not ours: who suspends it meanwhile
// keeps it so.
func (s *saga) letGoOfReplacing(ctx workflow.Context) error {
	if err := s.undone(ctx, aws.ResumeProcesses, activities.ProcessesInput{
		Group: s.in.Group, Processes: []string{patch.ProcessReplaceUnhealthy}, Pace: s.pace(),
	}); err != nil {
		return err
	}
	s.ownsSuspended(ctx, slices.DeleteFunc(slices.Clone(s.suspended), func(process string) bool {
		return process == patch.ProcessReplaceUnhealthy
	}))
	return nil
}

// suspendAlso suspends one more process, unless somebody else has by now. It is resumed with the others.
func (s *saga) suspendAlso(ctx workflow.Context, process string) error {
	var now patch.GroupState
	if err := s.read(ctx, aws.InspectGroup, s.inspect(), &now); err != nil {
		return err
	}
	if slices.Contains(now.Suspended, process) {
		return nil
	}
	s.ownsSuspended(ctx, append(slices.Clone(s.suspended), process))
	return s.undone(ctx, aws.SuspendProcesses, activities.ProcessesInput{
		Group: s.in.Group, Processes: []string{process}, Pace: s.pace(),
	})
}

// ownsSuspended records which processes are suspended, or about to be, by us. An evidence store that is away keeps no
// instance out of service.
func (s *saga) ownsSuspended(ctx workflow.Context, ours []string) {
	s.suspended, s.record.Intended.Suspend = ours, ours
	if err := run.WriteRecord(run.WhileOut(ctx), &s.record); err != nil {
		s.note("that %s are suspended is not in the journal: %s", strings.Join(ours, ", "), run.Reason(err))
	}
}
