package wave

import (
	"cmp"
	"slices"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/patches"
)

// blame blocks what a decision blames, before the decision is taken: a name that nobody got is refused with it. Whoever
// decides meanwhile is told that this one is being carried out.
func (w *wave) blame(ctx workflow.Context, decision patch.Decision) error {
	if decision.Blame == "" {
		return nil
	}
	w.inbox.blaming = &decision
	defer func() { w.inbox.blaming = nil }()
	if err := w.blameNow(ctx, decision); err != nil {
		return err
	}
	if w.status.Point() != decision.Point || w.inbox.decision != nil {
		return temporal.NewNonRetryableApplicationError("what was blamed is blocked, and the wave stands elsewhere by now: "+
			"ask for status, then decide again", activities.ErrInvalidInput, nil)
	}
	return nil
}

// blameNow blocks it: of what failed instances got, or, where none has failed, of what any got by the wave.
func (w *wave) blameNow(ctx workflow.Context, decision patch.Decision) error {
	of := cmp.Or(w.status.PutsBack, w.status.WaveID)
	var failed []activities.FailedWith
	for _, held := range w.roster.groups {
		if w.status.PutsBack == "" { // what a roll back fails at is another thing
			failed = append(failed, w.failedWith(held, func(patch.InstanceResult) bool { return true })...)
		}
	}
	var done activities.PatchesChanged
	if err := workflow.ExecuteActivity(run.Looking(ctx, "blocks what is blamed"), control.BlamePatches,
		activities.BlamePatchesInput{
			WaveID: of, Failed: failed, Names: strings.Split(decision.Blame, ","),
			Actor: decision.Actor, Reason: decision.Reason, At: decision.At,
		}).Get(ctx, &done); err != nil {
		return temporal.NewNonRetryableApplicationError(run.Reason(err), run.ErrorType(err), nil)
	}
	w.tellBlocked(ctx, done.Fresh, decision.Actor, decision.Reason)
	return nil
}

// suspect keeps what instances of groups got that failed their health checks. Where another has failed with the same
// difference, in this wave or another, people are told.
func (w *wave) suspect(ctx workflow.Context, held []*lockedGroup) {
	w.alike = nil
	var failed []activities.FailedWith
	for _, one := range held {
		failed = append(failed, w.failedWith(one, func(i patch.InstanceResult) bool { return i.FailedHealth })...)
	}
	if len(failed) == 0 || ctx.Err() != nil {
		return
	}
	var done activities.Suspected
	if err := workflow.ExecuteActivity(run.Looking(ctx, "who failed alike"), control.SuspectPatches,
		activities.SuspectPatchesInput{WaveID: w.status.WaveID, Failed: failed, At: workflow.Now(ctx)}).Get(
		ctx, &done); err != nil {
		if ctx.Err() == nil {
			w.alike = []string{"Whether others failed with the same difference is not known: " + run.Reason(err)}
		}
		return
	}
	for _, alike := range done.Alike {
		w.alike = append(w.alike, alike.Told())
	}
}

// failedWith are the failed instances of a group whose details are in the evidence.
func (w *wave) failedWith(held *lockedGroup, is func(patch.InstanceResult) bool) (failed []activities.FailedWith) {
	for _, instance := range held.counts.Failed {
		if instance.Details != "" && is(instance) {
			failed = append(failed, activities.FailedWith{
				Instance: instance.ID, Why: instance.Reason, Ended: instance.Ended,
			})
		}
	}
	return failed
}

// tellBlocked tells people what is blocked from now on, and keeps it in the status.
func (w *wave) tellBlocked(ctx workflow.Context, fresh patch.Blocks, actor, reason string) {
	if len(fresh) == 0 {
		return
	}
	w.leavesOut(fresh.Tells())
	w.show(ctx)
	told := patches.Told(fresh, nil, actor, reason)
	w.tell(ctx, patch.NoticeBlocked, func(n *patch.Notice) {
		n.Subject, n.Actor, n.Why, n.WhatToDo = told.Subject, told.Actor, told.Why, told.WhatToDo
		n.Findings, n.Commands = told.Findings, told.Commands
	})
}

// leavesOut keeps in the status what is blocked, by whom and why.
func (w *wave) leavesOut(blocked []string) {
	for _, said := range blocked {
		if !slices.Contains(w.status.Blocked, said) && len(w.status.Blocked) < run.MostListed {
			w.status.Blocked = append(w.status.Blocked, said)
		}
	}
}
