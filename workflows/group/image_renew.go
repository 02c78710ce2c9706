package group

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/image"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
)

// renewImage renews the image that the group launches from, where the plan says so and all of the group is patched, by
// this wave or by an earlier one that did not renew it. What keeps it from that is told, and fails nothing.
func (g *group) renewImage(ctx workflow.Context) {
	policy := g.in.Policy.Image
	if !policy.Asked() || !g.in.Group.IsAutoScaling() || g.stopped || g.wanted() || ctx.Err() != nil ||
		g.status.Image != nil && g.status.Image.Proven {
		return
	}
	g.status.Image = nil // of an earlier try
	owed, was := "", ""
	if patch.CountPatched(g.status.Instances) == 0 {
		var err error
		if owed, was, err = g.owedImage(ctx); err != nil {
			g.status.Image = patch.NotRenewed("whether an earlier wave renewed it is not known: %s",
				patch.Clip(run.Reason(err), longestWhy))
			return
		}
		if owed == "" {
			return
		}
	}
	donors, why := g.result().Donors()
	if why == "" && owed != "" && g.unasked {
		why = "nobody was asked to approve the stage, for nothing is due on it: a wave that patches it renews it"
	}
	if why == "" && len(g.status.Stranded) > 0 { // its record is that of what is stranded
		why = "what is stranded of the group comes first: " + g.status.Stranded[0].State
	}
	if why == "" {
		if late := patch.First(patch.LevelGroup, g.view(ctx)); late != nil {
			why = late.Error()
		} else if frozen := g.frozen(ctx); frozen != "" {
			why = frozen
		}
	}
	if g.stopped { // whoever began it has ended, as asking has told, or it was stopped meanwhile
		return
	}
	if why != "" {
		g.status.Image = patch.NotRenewed("%s", why)
		g.status.Image.Was.Image = was
		g.noteOwed(owed)
		return
	}
	g.imageTries++
	in := image.Input{
		WaveID: g.in.WaveID, Group: g.in.Group, Policy: g.policy(), BaselineID: g.base, Donors: donors[:min(len(donors), 20)],
		Try: g.imageTries,
	}
	if err := g.markImage(ctx, in); err != nil {
		g.status.Image = patch.NotRenewed("%s", run.Reason(err))
		return
	}
	g.status.Reason = "its image is being renewed"
	g.report(ctx)
	g.status.Image = g.renew(ctx, in)
	g.noteOwed(owed)
	g.status.Stranded = append(g.status.Stranded, g.status.Image.Stranded...)
	g.giveBack(ctx)
}

// noteOwed tells by which wave the image was owed, and why that did not renew it.
func (g *group) noteOwed(owed string) {
	if owed != "" {
		g.status.Image.Notes = append(g.status.Image.Notes, owed)
	}
}

// owedImage is which wave left the image as it was and why, and which that was, of a group in which this one had
// nothing to patch; "": none did.
func (g *group) owedImage(ctx workflow.Context) (owed, was string, err error) {
	var stale activities.StaleImage
	asks := run.Controlling(ctx, "whether an earlier wave renewed the image of "+g.in.Group.Name())
	if err := workflow.ExecuteActivity(asks, control.FindStaleImage, activities.FindStaleImageInput{
		Plan: g.in.Policy.Plan, WaveID: g.in.WaveID, Group: g.in.Group,
	}).Get(ctx, &stale); err != nil || stale.Why == "" {
		return "", "", err
	}
	var next patch.NextImage
	if err := workflow.ExecuteActivity(run.Glance(ctx, g.in.Group, g.in.Policy.Timing, "what the group launches next"),
		aws.ReadNextImage, activities.ReadNextImageInput{Group: g.in.Group}).Get(ctx, &next); err != nil {
		return "", "", err
	}
	if next.ChangedSince(stale.Was, stale.Why) { // somebody has given it another image: that is theirs
		return "", "", nil
	}
	return fmt.Sprintf("the wave %s had left it: %s", stale.Wave, patch.Clip(stale.Why, longestWhy)), stale.Was, nil
}

// markImage writes into the journal by what is found what is about to be made, and marks the group.
func (g *group) markImage(ctx workflow.Context, in image.Input) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	g.record = journal.OfGroup(g.in.WaveID, g.in.Group, g.in.Policy, patch.GroupState{})
	made, trial := in.Tokens()
	g.record.Intended.Image = &journal.Image{MakeToken: made, TrialToken: trial}
	if err := run.WriteRecord(clean, &g.record); err != nil {
		return err
	}
	err := g.act(ctx, aws.MarkGroup, g.journal())
	if err != nil {
		g.unmarkUnsure(ctx, err)
	}
	return err
}

// renew runs RenewImage as a child, and makes a result of whatever comes of it.
func (g *group) renew(ctx workflow.Context, in image.Input) *patch.ImageRenewal {
	lock := names.ImageLock(g.in.Group)
	halting, halt := workflow.WithCancel(ctx)
	g.renewing, g.halt = true, halt
	defer func() { g.renewing, g.halt = false, nil }()
	child := workflow.WithChildOptions(halting, workflow.ChildWorkflowOptions{
		WorkflowID: lock, TaskQueue: names.TaskQueue, ParentClosePolicy: run.ParentClose, WaitForCancellation: true,
		StaticSummary: "renews the image of " + g.in.Group.Name(),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(names.AttributeWave).ValueSet(in.WaveID),
		),
	})
	renewal := &patch.ImageRenewal{}
	switch err := workflow.ExecuteChildWorkflow(child, image.RenewImage, in).Get(child, renewal); {
	case err == nil:
		return renewal
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		return patch.NotRenewed("locked: %s already runs; see who started it in the Temporal UI", lock)
	case temporal.IsCanceledError(err):
		return patch.NotRenewed("it was cancelled before it began")
	default:
		_, trial := in.Tokens()
		renewal = patch.NotRenewed("its workflow ended without a result: %v", err)
		renewal.Stranded = []patch.Stranded{{
			Account: g.in.Group.Account.Name, Region: g.in.Group.Region, Resource: "the image of " + g.in.Group.Name(),
			State: "unknown: the workflow " + lock + " ended without a result",
			WhatToDo: "run `patchtide reconcile`, which terminates the instance that tries it (tag " + names.TagAttempt + trial +
				"), if there is one",
		}}
		return renewal
	}
}

// putImageBack gives the launch template of a group that is rolled back what it said before its image was renewed, as
// far as nobody else has changed it since.
func (g *group) putImageBack(ctx workflow.Context) {
	renewal := g.status.Image
	if !renewal.Undoes() {
		return
	}
	undoing, stop := g.undoing(ctx)
	defer stop()
	policy := g.in.Policy
	attempt := run.Attempt(g.in.WaveID, g.in.Group.String(), "image-back/"+policy.Run+g.in.Run, g.imageTries)
	// Nobody's patched instance waits longer for that: what cannot be put back is told.
	within := run.Within(run.Undoing(undoing, g.in.Group, policy.Timing), policy.Timing.ActBudget.D())
	var told string
	err := undo.Act(within, aws.PutTemplateBack, activities.PutTemplateBackInput{
		Group: g.in.Group, Renewal: *renewal, Attempt: attempt, Pace: run.Pace(policy.Timing),
	}, &told)
	if err != nil {
		renewal.Failed = "it could not be put back: " + run.Reason(err)
		g.strand("it launches from "+renewal.Image+" still: "+run.Reason(err), fmt.Sprintf(
			"have it launch what version %d of the launch template %s says", renewal.Was.Version, renewal.Was.TemplateName))
		return
	}
	renewal.PutBack, g.imageBack = told, true
	if policy.Image != nil && policy.Image.From == patch.ImagePatched {
		// Who looks for a proven image is not to find it; it is kept until a newer one is proven.
		if err := undo.Act(within, aws.TagImage, activities.TagImageInput{
			Group: g.in.Group, Image: renewal.Image, State: activities.ImageFailed,
		}, nil); err != nil {
			renewal.Notes = append(renewal.Notes, "the image is marked as proven still: "+run.Reason(err))
		}
	}
}

// tellNewerImage names an image that a later wave has had the group launch from, of a wave that is rolled back and has
// not renewed it itself: it holds what is put back.
func (g *group) tellNewerImage(ctx workflow.Context) {
	of, putsBack := names.RolledBackBy(g.in.WaveID)
	if !putsBack || !g.in.Group.IsAutoScaling() || !g.in.Policy.Image.Asked() || g.status.Image.Undoes() {
		return
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	var newer activities.NewerImage
	if err := workflow.ExecuteActivity(run.Looking(clean, "whether a later wave renewed the image of "+g.in.Group.Name()),
		control.FindNewerImage, activities.FindNewerImageInput{
			Plan: g.in.Policy.Plan, WaveID: of, Group: g.in.Group,
		}).Get(clean, &newer); err != nil {
		g.strand("whether what it launches next has what is put back is not known: "+run.Reason(err),
			"see by `patchtide wave list --plan "+g.in.Policy.Plan+"` whether a later wave renewed its image")
		return
	}
	if newer.Image != "" {
		g.strand("it launches from "+newer.Image+" still, which the wave "+newer.Wave+" made of what is put back here",
			"roll that wave back, too: "+names.VerbCommand(patch.RollBack, newer.Wave))
	}
}

// healImage ends what a run that broke off had under way of an image: its trial, and the image, which is not proven.
func (g *group) healImage(ctx workflow.Context, left journal.Image) {
	pace := run.Pace(g.in.Policy.Timing)
	if err := g.undone(ctx, aws.EndTrial, activities.EndTrialInput{
		Group: g.in.Group, Token: left.TrialToken, Pace: pace,
	}); err != nil {
		g.strand("an instance may run that tries an image of it: "+run.Reason(err),
			"terminate the instance with the tag "+names.TagAttempt+left.TrialToken)
	}
	var found string
	err := g.undoneGet(ctx, aws.FindImage, activities.FindImageInput{
		Group: g.in.Group, Attempt: activities.Attempt{WaveID: g.in.WaveID, Token: left.MakeToken},
	}, &found)
	if err == nil && found != "" {
		err = g.undone(ctx, aws.TagImage, activities.TagImageInput{
			Group: g.in.Group, Image: found, State: activities.ImageFailed,
		})
	}
	if err != nil {
		g.strand("an image of it may be left that nobody has tried: "+run.Reason(err),
			"deregister the image with the tag "+names.TagAttempt+left.MakeToken)
	}
}
