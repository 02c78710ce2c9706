package wave

import (
	"cmp"
	"slices"
	"strings"
	"time"

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
			failed = append(failed, w.failedWith(ctx, held, func(patch.InstanceResult) bool { return true })...)
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
	w.tellBlocked(ctx, of, done.Fresh, decision)
	return nil
}

// suspect keeps what instances of groups got that failed their health checks. Where another has failed with the same
// difference, in this wave or another, people are told.
func (w *wave) suspect(ctx workflow.Context, held []*lockedGroup) {
	w.alike = nil
	var failed []activities.FailedWith
	for _, one := range held {
		failed = append(failed, w.failedWith(ctx, one, func(i patch.InstanceResult) bool { return i.FailedHealth })...)
	}
	if len(failed) == 0 || ctx.Err() != nil {
		return
	}
	w.suspects = true
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
func (w *wave) failedWith(
	ctx workflow.Context, held *lockedGroup, is func(patch.InstanceResult) bool,
) (failed []activities.FailedWith) {
	_, adopts := patch.Adopts(w.policy(ctx, held.stage, held.group).Baseline)
	for _, instance := range held.counts.Failed {
		if instance.Details != "" && is(instance) {
			failed = append(failed, activities.FailedWith{
				Instance: instance.ID, Why: instance.Reason, Ended: instance.Ended, Adopts: adopts,
			})
		}
	}
	return failed
}

// alikeBudget is for how long a wave's end waits for what its last waves' machines hold: they are read one by one.
const alikeBudget = 5 * time.Minute

// blockAlike blocks, at the wave's end, what two failed with and nobody is well with. In its middle the wave's others
// would count as having nothing due.
func (w *wave) blockAlike(ctx workflow.Context) {
	if !w.suspects || w.status.PutsBack != "" {
		return
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	looking := run.Thoroughly(run.Controlling(clean, "what two failed with alike"), alikeBudget)
	if err := workflow.ExecuteActivity(looking, control.BlockAlike,
		activities.BlockAlikeInput{WaveID: w.status.WaveID, At: workflow.Now(ctx)}).Get(clean, &w.blocked); err != nil {
		w.blocked.Doubts = []string{"Whether two failed alike is not known, and nothing is blocked: " + run.Reason(err)}
	}
	w.leavesOut(w.blocked.Fresh.Tells())
	w.leavesOut(w.blocked.Doubts)
}

// tellAlike tells, with how the wave ended, what two that failed alike came to, and how it is cleared.
func (w *wave) tellAlike(n *patch.Notice) {
	n.Findings, n.Commands = append(w.blocked.Fresh.Tells(), w.blocked.Doubts...), w.blocked.Fresh.Clear()
	if len(w.blocked.Fresh) > 0 {
		n.WhatToDo = "Two failed alike, and what both got is blocked for every plan and account: see whether it is the " +
			"patch, and clear it where it is not."
	}
}

// tellBlocked tells people what a decision has blocked, and who runs it still, and keeps it in the status.
func (w *wave) tellBlocked(ctx workflow.Context, of string, fresh patch.Blocks, decision patch.Decision) {
	if len(fresh) == 0 {
		return
	}
	w.leavesOut(fresh.Tells())
	var runs activities.WhoRuns
	if err := workflow.ExecuteActivity(run.Looking(ctx, "who runs what is blocked"), control.FindBlocked,
		activities.FindBlockedInput{Patches: fresh, WaveID: of, PutBack: w.putBackBy(decision)}).Get(ctx, &runs); err != nil {
		runs.Instances = []string{"who has got it already is not known: " + run.Reason(err)}
	}
	w.leavesOut(runs.Instances)
	w.show(ctx)
	told := patches.Told(fresh, runs.Instances, decision.Actor, decision.Reason)
	w.tell(ctx, patch.NoticeBlocked, func(n *patch.Notice) {
		n.Subject, n.Actor, n.Why, n.WhatToDo = told.Subject, told.Actor, told.Why, told.WhatToDo
		n.Findings, n.Commands = told.Findings, told.Commands
	})
}

// putBackBy are the groups that a decision puts back, if it is a roll back.
func (w *wave) putBackBy(decision patch.Decision) (groups []string) {
	for _, held := range w.roster.groups {
		of := w.plan.Stages[held.stage].Name == decision.Stage
		if decision.Verb == patch.RollBack && (of || decision.Scope == patch.ScopeWave || w.status.PutsBack != "") {
			groups = append(groups, held.group.String())
		}
	}
	return groups
}

// leavesOut keeps in the status what is blocked, by whom and why, and who runs it.
func (w *wave) leavesOut(blocked []string) {
	for _, said := range blocked {
		if !slices.Contains(w.status.Blocked, said) && len(w.status.Blocked) < run.MostListed {
			w.status.Blocked = append(w.status.Blocked, said)
		}
	}
}
