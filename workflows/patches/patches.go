// Package patches is Patches, by which people list, block and clear patches. What is blocked is kept in the evidence.
package patches

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/notice"
)

// Result is what is blocked, and what a request changed.
type Result struct {
	Verb    patch.BlockVerb  `json:"verb"`
	Blocked patch.Blocks     `json:"blocked"`           // what binds now
	Fresh   patch.Blocks     `json:"fresh,omitempty"`   // by block: what was not blocked before, or otherwise
	Cleared patch.Blocks     `json:"cleared,omitempty"` // by clear
	Not     []string         `json:"not_blocked,omitempty"`
	Before  []patch.Clearing `json:"cleared_before,omitempty"` // by list: what was cleared lately
	Runs    []string         `json:"runs,omitempty"`           // by block: who has got it from a wave, and keeps it
}

// Patches lists which patches are blocked, blocks some for every plan and account, or clears them. It may be sent
// twice: what is blocked is blocked once.
func Patches(ctx workflow.Context, request Request) (*Result, error) {
	if err := request.Validate(); err != nil {
		return nil, err
	}
	asked, err := request.parsed()
	if err != nil {
		return nil, err
	}
	now := workflow.Now(ctx)
	result := &Result{Verb: request.Verb}
	switch request.Verb {
	case patch.BlockPatch:
		err = blockAll(ctx, request, asked, result)
	case patch.ClearPatch:
		err = clearAll(ctx, request, asked, result)
	default:
		result.Verb = patch.ListBlocked
		var kept patch.KeptBlocks
		err = workflow.ExecuteActivity(looking(ctx, "which patches are blocked"), control.ReadBlocks).Get(ctx, &kept)
		result.Blocked, result.Before = kept.Blocked, kept.Cleared
	}
	if err != nil {
		return nil, err
	}
	// as JSON a list, also an empty one
	result.Blocked = append(patch.Blocks{}, result.Blocked.At(now, request.Platform)...)
	return result, nil
}

func blockAll(ctx workflow.Context, request Request, asked []patch.BlockedPatch, result *Result) error {
	until := time.Time{}
	if request.Until != "" {
		moment, err := time.Parse(time.RFC3339, request.Until)
		if err != nil {
			return err
		}
		if until = moment; !until.After(workflow.Now(ctx)) {
			return run.Invalid("until: "+request.Until+" has passed", example)
		}
	}
	for i := range asked {
		asked[i].Actor, asked[i].Reason, asked[i].Since, asked[i].Until = request.Actor, request.Reason,
			workflow.Now(ctx), until
	}
	var done activities.PatchesChanged
	if err := workflow.ExecuteActivity(run.Controlling(ctx, "what is blocked from now on"), control.BlockPatches,
		activities.BlockPatchesInput{Patches: asked}).Get(ctx, &done); err != nil {
		return err
	}
	result.Blocked, result.Fresh = done.Blocked, done.Fresh
	var runs activities.WhoRuns
	if err := workflow.ExecuteActivity(looking(ctx, "who runs it already"), control.FindBlocked,
		activities.FindBlockedInput{Patches: asked}).Get(ctx, &runs); err != nil {
		result.Runs = []string{"who has got it already is not known: " + run.Reason(err)}
	} else {
		result.Runs = runs.Instances
	}
	if len(done.Fresh) > 0 {
		tell(ctx, request.Verb, Told(done.Fresh, result.Runs, request.Actor, request.Reason))
	}
	return nil
}

func clearAll(ctx workflow.Context, request Request, asked []patch.BlockedPatch, result *Result) error {
	var done activities.PatchesChanged
	if err := workflow.ExecuteActivity(run.Controlling(ctx, "what is blocked no longer"), control.ClearPatches,
		activities.ClearPatchesInput{
			Patches: asked, Actor: request.Actor, Reason: request.Reason, At: workflow.Now(ctx),
		}).Get(ctx, &done); err != nil {
		return err
	}
	result.Blocked, result.Cleared = done.Blocked, done.Cleared
	for _, one := range asked {
		if _, was := done.Cleared.Without(one); was == nil {
			result.Not = append(result.Not, one.Patch())
		}
	}
	if len(done.Cleared) > 0 {
		tell(ctx, request.Verb, patch.Notice{
			Subject: named(done.Cleared) + " no longer blocked", Actor: request.Actor, Why: request.Reason,
			WhatToDo: "Nothing: the next waves install it again where their baselines approve it.",
			Findings: said(done.Cleared),
		})
	}
	return nil
}

// looking is for who waits at a terminal.
func looking(ctx workflow.Context, summary string) workflow.Context { return run.Looking(ctx, summary) }

// tell tells people. Its key is of this run: what is told twice is told once.
func tell(ctx workflow.Context, verb patch.BlockVerb, told patch.Notice) {
	told.Kind, told.At = patch.NoticeBlocked, workflow.Now(ctx)
	of := workflow.GetInfo(ctx).WorkflowExecution
	told.Key, told.WorkflowID = of.ID+"/"+of.RunID+"/"+string(verb), of.ID
	notice.Tell(ctx, told)
}

// Told is what people are told of patches that are blocked from now on.
func Told(fresh patch.Blocks, runs []string, actor, reason string) patch.Notice {
	return patch.Notice{
		Subject: named(fresh) + " blocked for every plan and account", Actor: actor, Why: reason,
		WhatToDo: "Nothing: no wave installs it any more. To clear it, once it is known to be good:",
		Findings: append(said(fresh), runs...), Commands: fresh.Clear(),
	}
}

func named(blocked patch.Blocks) string {
	if len(blocked) == 1 {
		return blocked[0].Patch() + " is"
	}
	return fmt.Sprintf("%s and %d more are", blocked[0].Patch(), len(blocked)-1)
}

func said(blocked patch.Blocks) []string {
	var all []string
	for _, one := range blocked[:min(len(blocked), run.MostListed)] {
		all = append(all, one.String())
	}
	return all
}
