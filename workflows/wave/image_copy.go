package wave

import (
	"errors"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// before are the groups of the stages before by the group's baseline: those of its own account and region, which need
// no copy; those of its account in other regions; and those of other accounts, with which images have to be shared.
func (w *wave) before(stage int, group patch.Group) (tiers [3][]patch.Group) {
	for _, held := range w.roster.groups {
		of := held.group
		if held.stage >= stage || w.plan.Of(of).Baseline != w.plan.Of(group).Baseline ||
			!patch.SamePartition(of.Region, group.Region) {
			continue
		}
		tier := 2
		switch {
		case of.Account.ID == group.Account.ID && of.Region == group.Region:
			tier = 0
		case of.Account.ID == group.Account.ID:
			tier = 1
		}
		tiers[tier] = append(tiers[tier], of)
	}
	return tiers
}

// copyable asks whether an image of the donor could be copied to where the group is; "": nothing is known against it.
func (w *wave) copyable(ctx workflow.Context, stage int, donor patch.Donor, group patch.Group) (why string) {
	of := w.groupNamed(donor.Group)
	reading := run.Summed(run.Reading(ctx, of, w.plan.Timing), "may an image of "+donor.Instance+" be copied to "+
		group.Account.Name+"/"+group.Region)
	if err := workflow.ExecuteActivity(reading, aws.ProveCopyable, activities.ProveCopyableInput{
		Instance: activities.Instance{Group: of, ID: donor.Instance}, To: group, Key: w.copyKey(stage, group),
	}).Get(ctx, &why); err != nil {
		why = run.Reason(err)
	}
	if why != "" {
		why = donor.Instance + " of " + donor.Group + ": " + why
	}
	return why
}

// copyKey is the key by which a copy for the group is encrypted; "": EBS's default key.
func (w *wave) copyKey(stage int, group patch.Group) string {
	return w.plan.Stages[stage].ImageKeys[group.Account.ID]
}

// copyImage copies an image of ours to where the group is. Another account is let see it for as long as that takes:
// what is shared is taken back whatever came of the copy.
func (w *wave) copyImage(
	ctx workflow.Context, stage int, from, group patch.Group, source patch.RootImage, image *patch.RootImage,
) (err error) {
	image.From, image.Packages, image.Blocked = source.From, source.Packages, source.Blocked
	image.Kernel = source.Kernel
	image.CopiedFrom = &patch.ImageSource{
		ID: source.ID, Account: source.Account, Region: source.Region, SnapshotID: source.SnapshotID,
	}
	t := w.plan.Timing
	if from.Account.ID != group.Account.ID {
		share := activities.ImageShare{
			Group: from, Image: source.ID, Snapshot: source.SnapshotID, With: group.Account.ID,
		}
		if share.Snapshot == "" {
			return errors.New("the image " + source.ID + " names no snapshot that could be shared with " + group.Account.Name)
		}
		acting := run.Summed(run.Acting(ctx, from, t), source.ID+" with "+group.Account.Name)
		failed := workflow.ExecuteActivity(acting, aws.ShareImage, share).Get(acting, nil)
		if failed != nil && activities.NothingDone(failed) {
			return errors.Join(failed, workflow.ExecuteActivity(acting, aws.UnmarkShared, share).Get(acting, nil))
		}
		w.shares = append(w.shares, share)
		defer func() { err = errors.Join(err, w.takeBack(ctx)) }()
		if failed != nil {
			return failed
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	acting := run.Summed(run.Acting(ctx, group, t), "a copy of "+source.ID)
	if err := workflow.ExecuteActivity(acting, aws.CopyImage, activities.CopyImageInput{
		Group: group, Source: *image.CopiedFrom, Key: w.copyKey(stage, group), Plan: w.plan.Name, Pace: run.Pace(t),
		Retention: w.plan.Retention,
		Attempt: run.Attempt(w.status.WaveID, source.ID, "copy/"+group.Account.ID+"/"+group.Region+"/"+run.First(ctx),
			w.imageTry),
	}).Get(acting, &image.ID); err != nil {
		return err
	}
	return w.keepImage(ctx, group, image)
}

// takeBack takes back all that is shared. What cannot be is told as stranded, and tried again after a decision.
func (w *wave) takeBack(ctx workflow.Context) (err error) {
	for _, share := range slices.Clone(w.shares) {
		acting := run.Summed(run.Acting(ctx, share.Group, w.plan.Timing), share.Image+" from "+share.With)
		if failed := workflow.ExecuteActivity(acting, aws.UnshareImage, share).Get(acting, nil); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		w.shares = slices.DeleteFunc(w.shares, func(one activities.ImageShare) bool {
			return one.Image == share.Image && one.With == share.With
		})
	}
	return err
}

// stranded is all that is left so far: of the groups, and of images that are still shared.
func (w *wave) stranded() []patch.Stranded {
	left := append(w.roster.stranded(), w.released...)
	for _, share := range w.shares {
		left = append(left, patch.Stranded{
			Account: share.Group.Account.Name, Region: share.Group.Region, Resource: "image " + share.Image,
			State:    "it and its snapshot " + share.Snapshot + " may still be shared with the account " + share.With,
			WhatToDo: activities.ToUnshare,
		})
	}
	return left
}
