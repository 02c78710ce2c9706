package instance

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// imageAttempt is by which the replacement of its root volume by an image is found.
func (s *saga) imageAttempt() activities.Attempt { return s.attempt("image") }

// replaceByImage is the install of a stage whose method is image: the instance gets a root volume of the image, in
// place, and is proven to be what the image promises. A cancel lets a replacement that has begun end, as it does an
// install.
func (s *saga) replaceByImage(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	image, t := s.in.Policy.Root, s.in.Policy.Timing
	if image == nil { // the checks refuse it before
		return errors.New("there is no image for it")
	}
	s.record.Point, s.record.Installing = &s.point, true
	if err := run.WriteRecord(run.WhileOut(clean), &s.record); err != nil {
		return err
	}
	if open, _ := s.in.Policy.Window.Open(workflow.Now(ctx)); !open {
		return s.tooLate(ctx)
	}
	s.enter(clean, patch.StepInstall)
	s.patching.tries = append(s.patching.tries, installTry{attempt: s.imageAttempt()})
	try := &s.patching.tries[0]
	var task activities.RestoreTask
	if err := s.doInTimeGet(ctx, aws.RestoreRoot, activities.RestoreRootInput{
		Instance: s.instance(), ImageID: image.ID, Attempt: try.attempt, Retention: s.in.Policy.Retention, Pace: s.pace(),
	}, &task); err != nil {
		return err
	}
	var replaced activities.Restored
	if err := s.await(clean, t.RestoreRoot, aws.AwaitRestore, activities.AwaitRestoreInput{
		Instance: s.instance(), TaskID: task.TaskID, Pace: s.pace(),
	}, &replaced); err != nil {
		return err
	}
	try.ended = true
	s.tagReplaced(clean, task.TaskID, replaced.RootVolumeID)
	s.record.ImageRoot = replaced.RootVolumeID
	if err := run.WriteRecord(run.WhileOut(clean), &s.record); err != nil {
		return err
	}
	return s.proveImage(clean, task.TaskID)
}

// proveImage asks the machine what it is now, and judges that.
func (s *saga) proveImage(ctx workflow.Context, task string) error {
	image, t := s.in.Policy.Root, s.in.Policy.Timing
	var proof activities.ImageProof
	if err := s.await(ctx, t.Agent, aws.ProveImage, activities.ProveImageInput{
		CollectMachineFactsInput: s.ask(ctx, "facts-image"), Before: s.attempt("facts-before"), At: workflow.Now(ctx),
		NotBoot: s.point.Facts.BootID,
	}, &proof); err != nil {
		return err
	}
	s.merge(patch.PatchReport{
		ExecutionID: task, Status: "Success", Before: &s.point.Facts, After: &proof.Facts, Changes: proof.Changes,
		Installing: true, Blocked: proof.Blocked,
	})
	if proof.Unknown != "" {
		s.note("which packages the image changed is not known: %s", proof.Unknown)
	}
	s.enter(ctx, patch.StepVerify)
	// By a snapshot of the baseline that no scan has used on this root volume.
	after, err := s.scanBy(ctx, "scan-after-1", s.attempt("snapshot-image").Token)
	if err != nil {
		return err
	}
	s.status.Result.MissingAfter, s.patching.missing = after.MissingNumber(), after.Missing
	verdict := patch.VerifyImage(patch.ImagePass{
		Image: *image, Point: s.point, Volume: s.record.ImageRoot, Facts: proof.Facts, Blocked: proof.Blocked, After: *after,
	})
	if verdict.Reason != "" {
		return errors.New(verdict.Reason)
	}
	s.patching.waits, s.status.Result.RootVolume = verdict.Waits, s.record.ImageRoot
	for _, told := range verdict.Notes {
		s.note("%s", told)
	}
	s.note("its root volume is %s of the image %s; the one before, %s, is kept for %s with all that only it holds",
		s.record.ImageRoot, image.ID, s.point.VolumeID, s.in.Policy.Retention.Rough())
	return nil
}

// tagReplaced gives the new root volume the tags of the one before, which expires. That it could not is told.
func (s *saga) tagReplaced(ctx workflow.Context, task, volume string) {
	var tagged activities.TagRestoredResult
	if err := s.await(ctx, s.in.Policy.Timing.Look, aws.TagRestored, activities.TagRestoredInput{
		Instance: s.instance(), TaskID: task, RootVolumeID: volume,
	}, &tagged); err != nil {
		s.note("its root volume %s lacks the tags of the one before, %s, or that lacks ours, by which it would expire: %s",
			volume, s.point.VolumeID, run.Reason(err))
	}
	if tagged.Differs != "" {
		s.note("its root volume %s is another than the one before: %s; aws ec2 modify-volume --volume-id %s sets it", volume,
			tagged.Differs, volume)
	}
}

// endReplacement sees the replacement by an image ended that may have been started, and reports whether EC2 left the
// instance on its own root volume, proven by what it tells of itself.
func (s *saga) endReplacement(ctx workflow.Context) (own bool, err error) {
	if len(s.patching.tries) == 0 {
		return false, nil
	}
	try := &s.patching.tries[0]
	var found activities.Replaced
	if err := s.await(ctx, s.in.Policy.Timing.RestoreRoot, aws.AwaitReplaced, activities.AwaitReplacedInput{
		Instance: s.instance(), Attempt: try.attempt, Pace: s.pace(),
	}, &found); err != nil {
		return false, err
	}
	try.ended = true
	switch {
	case found.TaskID == "" && found.RootVolumeID == s.point.VolumeID:
		s.patching.tries = nil // proven not to have started
		return false, nil
	case found.TaskID == "": // EC2 forgets tasks, and their tags may be taken off: what it runs on is what counts
		return false, nil
	case found.State == "succeeded":
		if s.record.ImageRoot == "" {
			s.tagReplaced(ctx, found.TaskID, found.RootVolumeID)
			s.record.ImageRoot = found.RootVolumeID // by which that volume is found once it is replaced in its turn
			if err := run.WriteRecord(run.WhileOut(ctx), &s.record); err != nil {
				s.note("that its root volume was %s is not in the journal: %s", found.RootVolumeID, run.Reason(err))
			}
		}
		return false, nil
	case found.RootVolumeID != s.point.VolumeID:
		s.patching.detached = found.TaskID
		return false, nil
	}
	// "If the root volume replacement task fails, the instance is rebooted and the original root volume remains attached"
	// (EC2 User Guide, Replace the root volume).
	var facts patch.MachineFacts
	if err := s.await(ctx, s.in.Policy.Timing.Agent, aws.CollectMachineFacts, s.ask(ctx, "facts-own-root"),
		&facts); err != nil || facts.PackagesSHA256 != s.point.Facts.PackagesSHA256 {
		return false, nil // a restore proves it, or quarantines it
	}
	s.note("EC2 could not replace its root volume (%s ended as %s), and it is on its own, %s, as it was", found.TaskID,
		found.State, s.point.VolumeID)
	return true, nil
}
