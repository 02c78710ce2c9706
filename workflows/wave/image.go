package wave

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// images has the images made, or read, that are to replace the root volumes of the stage, one an account, region and
// baseline. Where one cannot be had the stage does not begin.
func (w *wave) images(ctx workflow.Context, stage int) (outcome patch.Outcome, goesOn bool) {
	if !w.plan.Stages[stage].ByImage() {
		return "", true
	}
	if w.roster.nothingDue(stage, w.status.Only) {
		w.turn.imageless = true
		return "", true
	}
	return w.haveImages(ctx, stage)
}

// haveImages is images where something is due.
func (w *wave) haveImages(ctx workflow.Context, stage int) (outcome patch.Outcome, goesOn bool) {
	w.turn.binding, w.turn.imageless = true, false
	defer func() { w.turn.binding = false }()
	for {
		w.enter(ctx, patch.StateRunning, "")
		made, err := w.makeImages(ctx, stage)
		if ctx.Err() != nil || w.inbox.aborts() {
			w.reason = "aborted: " + w.whoAborted(ctx)
			return patch.Aborted, false
		}
		if err == nil {
			w.turn.images, w.status.Stages[stage].Images = made, made
			w.show(ctx)
			return "", true
		}
		decision := w.holdImageless(ctx, stage, run.Reason(err))
		w.keepOthers(ctx)
		if failed := w.takeBack(ctx); failed != nil {
			err = errors.Join(err, failed)
		}
		if decision.Verb != patch.Retry {
			w.enter(ctx, patch.StateAborting, "")
			w.reason = strings.TrimPrefix(fmt.Sprintf("%s; %s was not begun: its root volumes are replaced by an image "+
				"(method: image), and %s: aborted: %s: %s", w.reason, w.plan.Stages[stage].Name, run.Reason(err),
				decision.Actor, decision.Reason), "; ")
			return patch.Aborted, false
		}
		w.imageTry++
	}
}

// makeImages is as long as nobody aborts the wave.
func (w *wave) makeImages(ctx workflow.Context, stage int) (made []patch.RootImage, err error) {
	making, stop := workflow.WithCancel(ctx)
	defer stop()
	done := false
	workflow.Go(making, func(ctx workflow.Context) {
		defer func() { done = true }()
		for _, held := range w.roster.of(stage) {
			if w.plan.RootImageFor(made, held.group) != nil {
				continue
			}
			var image patch.RootImage
			if image, err = w.imageFor(ctx, stage, held.group); err != nil {
				return
			}
			made = append(made, image)
		}
	})
	// Its only error is the cancel, which whoever asked looks at. What acts comes to its end: an image that was made is
	// marked with when it expires.
	_ = workflow.Await(ctx, func() bool { return done || w.inbox.aborts() })
	stop()
	clean, _ := workflow.NewDisconnectedContext(ctx)
	_ = workflow.Await(clean, func() bool { return done })
	return made, err
}

// imageFor is the image for one group: of a first stage the one that its parameter names; the one that a stage before
// has proven in the same account and region; or one of a machine that a stage before has proven, there or else in
// another account or region, from where it is copied.
func (w *wave) imageFor(ctx workflow.Context, stage int, group patch.Group) (patch.RootImage, error) {
	image := patch.RootImage{
		Account: group.Account.ID, Region: group.Region, Baseline: w.plan.Of(group).Baseline,
	}
	reading := run.Reading(ctx, group, w.plan.Timing)
	if parameter := w.plan.Stages[stage].RootParameter; parameter != "" {
		image.From = "the parameter " + parameter
		return image, workflow.ExecuteActivity(run.Summed(reading, image.From), aws.ReadNamedImage,
			activities.ReadNamedImageInput{Group: group, Parameter: parameter}).Get(ctx, &image.ID)
	}
	var whys []string
	for tier, groups := range w.before(stage, group) {
		donors, err := w.donors(ctx, stage, groups)
		if err != nil {
			return image, err
		}
		var proven *patch.RootImage
		if tier == 0 {
			proven = w.provenImage(stage, group)
		}
		for _, donor := range whoHas(proven, donors) {
			why := ""
			if tier > 0 {
				why = w.copyable(ctx, stage, donor, group)
			}
			if why == "" {
				why = w.tryDonor(ctx, donor, &image)
			}
			switch {
			case ctx.Err() != nil:
				return image, ctx.Err()
			case why == "" && proven.ProvenBy(donor):
				proven.Packages, proven.Kernel, proven.Blocked = image.Packages, image.Kernel, image.Blocked
				return *proven, nil
			case why == "" && tier == 0:
				return image, w.make(ctx, donor, &image)
			case why == "":
				err := w.makeElsewhere(ctx, stage, donor, group, &image)
				return image, err
			}
			whys = append(whys, why)
		}
	}
	if len(whys) == 0 {
		return image, fmt.Errorf("no stage before has patched an instance by the baseline %s, in this wave or an earlier "+
			"one of the plan, of which an image for %s/%s could be made", image.Baseline, group.Account.Name, group.Region)
	}
	return image, errors.New(strings.Join(whys[:min(len(whys), mostDonorsTold)], "; "))
}

// mostDonorsTold is of how many it is told why no image can be made of them.
const mostDonorsTold = 5

// whoHas puts those first that have just what an image was proven with: it need not be made again.
func whoHas(image *patch.RootImage, donors []patch.Donor) []patch.Donor {
	slices.SortStableFunc(donors, func(a, b patch.Donor) int {
		switch of := image.ProvenBy(a); {
		case of == image.ProvenBy(b):
			return 0
		case of:
			return -1
		}
		return 1
	})
	return donors
}

// makeElsewhere has an image made where the donor is, or takes the one that a stage by image has proven there, and
// copies it to where the group is.
func (w *wave) makeElsewhere(
	ctx workflow.Context, stage int, donor patch.Donor, group patch.Group, image *patch.RootImage,
) error {
	from := w.groupNamed(donor.Group)
	source := *image
	source.Account, source.Region = from.Account.ID, from.Region
	if proven := w.provenImage(stage, from); proven.ProvenBy(donor) && proven.Ours {
		source.ID, source.SnapshotID = proven.ID, proven.SnapshotID
	} else if err := w.make(ctx, donor, &source); err != nil {
		return err
	}
	return w.copyImage(ctx, stage, from, group, source, image)
}

// donors are machines of the groups that this wave has proven.
func (w *wave) donors(ctx workflow.Context, stage int, groups []patch.Group) (donors []patch.Donor, err error) {
	if len(groups) == 0 {
		return nil, nil
	}
	in := activities.FindDonorsInput{Plan: w.plan.Name, WaveID: w.status.WaveID}
	for _, of := range groups {
		in.Groups = append(in.Groups, of.String())
	}
	for before := range stage {
		for _, held := range w.roster.of(before) {
			for _, one := range held.counts.Unproven {
				in.Without = append(in.Without, one.ID)
			}
		}
	}
	err = workflow.ExecuteActivity(run.Controlling(ctx, "who may give its root volume to an image"), control.FindDonors,
		in).Get(ctx, &donors)
	return donors, err
}

// provenImage is the image by which a stage before has replaced root volumes of the same account and region.
func (w *wave) provenImage(stage int, group patch.Group) *patch.RootImage {
	for before := stage - 1; before >= 0; before-- {
		if image := w.plan.RootImageFor(w.status.Stages[before].Images, group); image != nil {
			proven := *image
			return &proven
		}
	}
	return nil
}

// tryDonor asks a machine whether it still is as this wave has proven it; "": it is.
func (w *wave) tryDonor(ctx workflow.Context, donor patch.Donor, image *patch.RootImage) string {
	group := w.groupNamed(donor.Group)
	instance := activities.Instance{Group: group, ID: donor.Instance}
	var proof activities.ImageProof
	t := w.plan.Timing
	asked := activities.CollectMachineFactsInput{
		Instance: instance, Platform: w.plan.Of(group).Platform, Budget: t.Agent, Pace: run.Pace(t),
		Attempt: run.Anew(ctx, run.Attempt(w.status.WaveID, donor.Instance, "donor", w.imageTry)),
	}
	if err := workflow.ExecuteActivity(run.Waiting(ctx, group, t, t.Agent), aws.ProveImage, activities.ProveImageInput{
		CollectMachineFactsInput: asked, At: workflow.Now(ctx),
	}).Get(ctx, &proof); err != nil {
		return donor.Instance + ": " + run.Reason(err)
	}
	switch {
	case proof.Facts.PendingReboot || len(proof.Facts.LivePatches) > 0:
		// What is made of it boots what it has not booted.
		return donor.Instance + " waits for a reboot, or runs on live patches: nobody has proven the kernel that its image " +
			"would boot"
	case proof.Facts.PackagesSHA256 != donor.Packages:
		return donor.Instance + " has other packages by now than this wave has proven"
	case len(proof.Blocked) > 0:
		return donor.Instance + " has what is blocked by now: " + strings.Join(proof.Blocked, ", ")
	}
	image.From, image.Packages, image.Blocked = donor.Instance+" of "+donor.Group, donor.Packages, proof.Digest
	image.Kernel = proof.Facts.Kernel
	return ""
}

// make makes the image of the donor where that is.
func (w *wave) make(ctx workflow.Context, donor patch.Donor, image *patch.RootImage) error {
	group, t := w.groupNamed(donor.Group), w.plan.Timing
	acting := run.Summed(run.Acting(ctx, group, t), "an image of "+donor.Instance)
	if err := workflow.ExecuteActivity(acting, aws.MakeImage, activities.MakeImageInput{
		Instance: activities.Instance{Group: group, ID: donor.Instance}, Plan: w.plan.Name, Pace: run.Pace(t),
		Attempt:   run.Attempt(w.status.WaveID, donor.Instance, "root-image/"+run.First(ctx), w.imageTry),
		Retention: w.plan.Retention,
	}).Get(acting, &image.ID); err != nil {
		return err
	}
	return w.keepImage(ctx, group, image)
}

// keepImage waits until an image that was made or copied can be used, and marks it with what came of it and when it
// expires.
func (w *wave) keepImage(ctx workflow.Context, group patch.Group, image *patch.RootImage) error {
	t := w.plan.Timing
	image.Ours = true
	state := activities.ImageProven
	failed := workflow.ExecuteActivity(run.Waiting(ctx, group, t, t.Snapshot), aws.AwaitImage, activities.AwaitImageInput{
		Group: group, Image: image.ID, Pace: run.Pace(t),
	}).Get(ctx, nil)
	if failed != nil {
		state = activities.ImageFailed
	}
	keep := activities.KeepRootImageInput{Group: group, Image: image.ID, State: state, Retention: w.plan.Retention}
	acting := run.Summed(run.Acting(ctx, group, t), image.ID)
	kept := workflow.ExecuteActivity(acting, aws.KeepRootImage, keep).Get(acting, &image.SnapshotID)
	if kept != nil {
		w.unkept = append(w.unkept, keep)
	}
	return errors.Join(failed, kept)
}

// keepOthers marks the images that could not be marked before, as far as it can now: no copy of ours stays without an
// end.
func (w *wave) keepOthers(ctx workflow.Context) {
	left := w.unkept
	w.unkept = nil
	for _, keep := range left {
		acting := run.Summed(run.Acting(ctx, keep.Group, w.plan.Timing), keep.Image)
		if err := workflow.ExecuteActivity(acting, aws.KeepRootImage, keep).Get(acting, nil); err != nil {
			w.unkept = append(w.unkept, keep)
		}
	}
}

func (w *wave) groupNamed(name string) patch.Group {
	for _, held := range w.roster.groups {
		if held.group.String() == name {
			return held.group
		}
	}
	return patch.Group{}
}

// holdImageless asks people what to do about an image that cannot be had: the stages before need not be patched once
// more for it.
func (w *wave) holdImageless(ctx workflow.Context, stage int, why string) patch.Decision {
	planned := w.plan.Stages[stage]
	w.ask(ctx, patch.StateOnHold, w.roster.of(stage), func(also string) string {
		return fmt.Sprintf("%s has not begun: its root volumes are replaced by an image (method: image), and %s. %sNothing "+
			"of it was touched. Send retry once that is mended, or abort; what the stages before have patched can be put back "+
			"once the wave has closed.", planned.Name, why, also)
	})
	timeout := planned.OnFailure.Timeout
	until := unless(ctx, timeout, patch.Abort)
	tell := func(ctx workflow.Context) { w.tell(ctx, patch.NoticeOnHold, until) }
	tell(ctx)
	return w.awaitDecision(ctx, timeout, patch.Decision{
		Verb: patch.Abort, Actor: patch.ByItself, Point: w.status.Point(),
		Reason: "nobody answered within " + timeout.String(),
	}, tell)
}
