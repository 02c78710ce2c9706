package wave

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/preflight"
	"github.com/patchtide/patchtide/workflows/service"
)

// Types of errors of a wave that is refused because another holds a lock that it needs.
const (
	ErrGroupLocked   = "GroupLocked"
	ErrServiceLocked = "ServiceLocked"
)

// lock takes every group's lock, then every service's, in one order for all waves: a lock is the id of a child.
// Refused: those taken are released by whoever called.
func (w *wave) lock(ctx workflow.Context) error {
	groups := len(w.roster.groups)
	left := patch.HistoryLeft(workflow.GetInfo(ctx).GetCurrentHistoryLength(), groups, groups+w.plan.AddedTurns())
	every := patch.ReportsEvery(left, w.roster.instances())
	w.status.CountsEvery = 0
	if every > 1 {
		w.status.CountsEvery = every
	}
	for _, planned := range w.plan.Groups() {
		held := w.roster.planned(planned)
		if held == nil {
			continue // a roll back leaves alone what was not patched
		}
		future, err := w.lockGroup(ctx, held, planned, every)
		if err != nil {
			return err
		}
		if held.result != nil {
			held.kept = held.result
		}
		held.child, held.result = future, nil
	}
	services, err := w.wantedServices(ctx)
	if err != nil {
		return err
	}
	// A cancelled wave puts back first: the lock ends by release, or by the wave's end.
	clean, _ := workflow.NewDisconnectedContext(ctx)
	for _, wanted := range services {
		future, err := w.lockService(ctx, clean, wanted)
		if err != nil {
			return err
		}
		w.roster.services = append(w.roster.services, future)
	}
	return w.othersHoldNone(ctx, services)
}

// othersHoldNone refuses while another wave has the lock of a target group that this one takes none of: it saw nobody
// else behind it, and whoever is may be out just then.
func (w *wave) othersHoldNone(ctx workflow.Context, ours []patch.Service) error {
	called := map[string]string{}
	var ids []string
	for _, held := range w.roster.groups {
		for _, arn := range held.behind.All {
			id := names.ServiceLock(arn)
			taken := slices.ContainsFunc(ours, func(s patch.Service) bool { return s.Name == arn })
			if _, known := called[id]; !known && !taken {
				called[id] = patch.TargetGroupCalled(arn)
				ids = append(ids, id)
			}
		}
	}
	for part := range slices.Chunk(ids, locksAtOnce) {
		var owners activities.Owners
		if err := workflow.ExecuteActivity(run.Controlling(ctx, "who holds the target groups"), control.FindOwners,
			activities.FindOwnersInput{WorkflowIDs: part}).Get(ctx, &owners); err != nil {
			return err
		}
		if len(owners.Running) == 0 {
			continue
		}
		id := owners.Running[0]
		holder := w.holder(ctx, id)
		if holder.WorkflowID != "" && !w.isEarlierRun(holder) {
			return lockedBy(holder, ErrServiceLocked, called[id])
		}
		if err := w.awaitLetGo(ctx, plainly(w.roster.groups)); err != nil {
			return err
		}
		return w.othersHoldNone(ctx, ours)
	}
	return nil
}

// lockService takes the lock of a service, within clean, which no cancel reaches; see lockGroup.
func (w *wave) lockService(ctx, clean workflow.Context, wanted patch.Service) (workflow.ChildWorkflowFuture, error) {
	id := names.ServiceLock(wanted.Name)
	for tries := 0; ; tries++ {
		future := workflow.ExecuteChildWorkflow(w.locking(clean, id, "holds "+wanted.String()), service.HoldService,
			service.Input{WaveID: w.status.WaveID, Service: wanted, Timing: w.plan.Timing})
		err := future.GetChildWorkflowExecution().Get(clean, nil)
		if err == nil || !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			return future, err
		}
		if err := w.tryLockAgain(ctx, tries, wantedLock{id, ErrServiceLocked, wanted.String(), wanted.Groups}); err != nil {
			return nil, err
		}
	}
}

// wantedLock is one that somebody else holds.
type wantedLock struct {
	id, errorType, what string
	groups              []patch.Group
}

// mostFree is how often a lock is tried again that Temporal says is free, and that could not be had.
const mostFree = 3

// tryLockAgain waits until a lock may be tried again: it has become free meanwhile, or is held by an earlier run of
// this same roll back, which somebody has terminated. What that had under way puts itself back, and lets its locks go
// then. Its error refuses any other holder.
func (w *wave) tryLockAgain(ctx workflow.Context, tries int, lock wantedLock) error {
	holder := w.holder(ctx, lock.id)
	switch {
	case holder.WorkflowID == "" && tries < mostFree:
		return workflow.Sleep(ctx, time.Second)
	case !w.isEarlierRun(holder):
		holder.WorkflowID = lock.id
		return lockedBy(holder, lock.errorType, lock.what)
	}
	return w.awaitLetGo(ctx, lock.groups)
}

// isEarlierRun reports whether a lock is held by an earlier run of this same roll back.
func (w *wave) isEarlierRun(holder activities.LockHolder) bool {
	return w.status.PutsBack != "" && holder.Parent == w.status.WaveID
}

// letGoPoll is how soon a lock is tried again once nothing is under way any more of the run that held it.
const letGoPoll = 5 * time.Second

// awaitLetGo waits until nothing is under way any more on groups of an earlier run of this roll back, and a moment
// more, in which its locks end. An abort ends the wait: nothing has been put back by this run yet.
func (w *wave) awaitLetGo(ctx workflow.Context, groups []patch.Group) error {
	waiting, stop := workflow.WithCancel(ctx)
	defer stop()
	w.turnTo(ctx, w.status.State, "An earlier run of this roll back was ended, and what it had under way ends first. "+
		"This one goes on by itself then. Send abort to have it end instead.")
	defer w.turnTo(ctx, w.status.State, "")
	over := false
	var failed error
	workflow.Go(waiting, func(c workflow.Context) {
		if failed = service.AwaitClosed(c, w.status.WaveID, groups); failed == nil {
			failed = workflow.NewTimerWithOptions(c, letGoPoll, workflow.TimerOptions{
				Summary: "until an earlier run of this roll back has let its locks go",
			}).Get(c, nil)
		}
		over = true
	})
	if err := workflow.Await(ctx, func() bool { return over || w.inbox.aborts() }); err != nil {
		return err
	}
	if !over {
		return temporal.NewCanceledError("aborted while an earlier run of it was waited for")
	}
	return failed
}

// lockGroup takes the lock of a group. What an earlier run of the same roll back had under way, when somebody
// terminated that, puts itself back: it is waited for, as what a terminated wave had under way is.
func (w *wave) lockGroup(
	ctx workflow.Context, held *lockedGroup, planned patch.Group, every int,
) (workflow.ChildWorkflowFuture, error) {
	for tries := 0; ; tries++ {
		options := w.locking(ctx, held.workflowID, "patches "+planned.String())
		future := workflow.ExecuteChildWorkflow(options, group.PatchGroup, group.Input{
			WaveID: w.status.WaveID, Group: planned, Policy: w.policy(ctx, held.stage, planned), Members: held.members,
			LeftOut: held.reach.LeftOut,
			Run:     w.run, ContinueAfter: w.request.ContinueAfter, Carried: held.carried,
			Tells: patch.FollowsInstances(w.roster.instances()), Every: every,
		})
		err := future.GetChildWorkflowExecution().Get(ctx, nil)
		if err == nil || !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			return future, err
		}
		if err := w.tryLockAgain(
			ctx, tries, wantedLock{held.workflowID, ErrGroupLocked, held.group.String(), []patch.Group{planned}},
		); err != nil {
			return nil, err
		}
	}
}

// locksAtOnce is about how many locks one activity asks, each of them twice.
const locksAtOnce = 100

// locking is for a child whose id is a lock: it must outlive a wave that is terminated, and free the lock by itself.
func (w *wave) locking(ctx workflow.Context, id, summary string) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: names.TaskQueue, ParentClosePolicy: run.ParentClose, WaitForCancellation: true,
		StaticSummary:         summary,
		TypedSearchAttributes: w.attributes(),
	})
}

// attributes are those by which the children of a wave are found.
func (w *wave) attributes() temporal.SearchAttributes {
	return temporal.NewSearchAttributes(
		temporal.NewSearchAttributeKeyKeyword(names.AttributePlan).ValueSet(w.plan.Name),
		temporal.NewSearchAttributeKeyKeyword(names.AttributeWave).ValueSet(w.status.WaveID),
	)
}

// wantedServices lists the services and shared target groups of the groups that this wave holds.
func (w *wave) wantedServices(ctx workflow.Context) ([]patch.Service, error) {
	stages := make([]patch.Stage, len(w.plan.Stages))
	targets := map[string]patch.Behind{}
	// A roll back reads its groups under their locks.
	unread := w.roster.which(func(held *lockedGroup) bool { return held.behind.All == nil })
	if err := w.findTargetGroups(ctx, unread); err != nil {
		return nil, err
	}
	for i, stage := range w.plan.Stages {
		stages[i] = stage
		stages[i].Groups = nil
		for _, held := range w.roster.of(i) {
			stages[i].Groups = append(stages[i].Groups, held.group)
			targets[held.group.String()] = held.behind
		}
	}
	return patch.Services(stages, targets), nil
}

func (w *wave) findTargetGroups(ctx workflow.Context, groups []*lockedGroup) error {
	return inBatches(ctx, w, preflight.FindTargetGroups, "finds the target groups of", toJudge(groups),
		func(batch []*lockedGroup) any {
			return preflight.TargetsInput{WaveID: w.status.WaveID, Groups: plainly(batch), Timing: w.plan.Timing}
		},
		func(held *lockedGroup, found patch.Behind) { held.behind = found })
}

// holder is who holds the lock, as far as Temporal says: that it does not changes nothing, for somebody does.
func (w *wave) holder(ctx workflow.Context, lock string) activities.LockHolder {
	holder := activities.LockHolder{WorkflowID: lock}
	_ = workflow.ExecuteActivity(run.Controlling(ctx, "who holds the lock"), control.LockHolder,
		activities.LockHolderInput{WorkflowID: lock}).Get(ctx, &holder)
	return holder
}

func lockedBy(holder activities.LockHolder, errorType, what string) error {
	is, todo := heldBy(holder, what, holder.WorkflowID)
	return temporal.NewNonRetryableApplicationError(is+"; "+todo, errorType, nil)
}

// heldBy says who has a lock, and what to do.
func heldBy(holder activities.LockHolder, what, lock string) (is, todo string) {
	if wave, is := names.RolledBackBy(holder.Parent); is {
		return fmt.Sprintf("%s is being put back by %s, a roll back of %s (lock %s)", what, holder.Parent, wave, lock),
			"wait until it has ended; what one that was terminated had under way ends by itself, and lets it go then: " +
				"`patchtide reconcile --dry-run` shows it as in use until then"
	}
	switch {
	case strings.HasPrefix(holder.Parent, names.QuarantineID("")):
		return fmt.Sprintf("%s is at work for %s, which ends a quarantine (lock %s)", what, holder.Parent, lock),
			"wait until it has ended: `patchtide quarantine list` tells"
	case holder.Parent == "":
		return fmt.Sprintf("%s is being patched by another wave (lock %s)", what, lock),
			"wait until it has ended, or abort it"
	case holder.Parent == names.ReconcileID:
		return fmt.Sprintf("what an earlier wave left of %s is being put back by %s (lock %s)",
			what, names.ReconcileID, lock), "wait until it has ended"
	}
	return fmt.Sprintf("%s is being patched by wave %s (lock %s)", what, holder.Parent, lock),
		"`patchtide wave show " + holder.Parent + "` tells whether it waits for an answer of yours; wait until it has " +
			"ended, or abort it; one that was terminated is being put back, and lets it go then"
}

// release frees the locks and waits for the groups' results.
func (w *wave) release(ctx workflow.Context) { w.letGo(ctx, group.OrderRelease) }

// letGo frees every lock that is held, for good or until the wave goes on, and waits for the groups' results. It
// reports whether every group has given its word.
func (w *wave) letGo(ctx workflow.Context, kind group.OrderKind) bool {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	atRest := true
	locked := w.roster.which(func(held *lockedGroup) bool { return held.result == nil })
	w.order(clean, locked, group.Order{Kind: kind})
	for _, held := range locked {
		var end group.End
		if err := held.child.Get(clean, &end); err != nil {
			atRest = false
			end.GroupResult = held.wordless(err)
		}
		held.result, held.carried = &end.GroupResult, end.Unparked()
		held.behind = patch.Behind{} // by then others may be behind the same target groups: it is read anew
	}
	w.roster.services.Release(clean, atRest)
	w.roster.services = nil
	return atRest
}

// wordless is the result of a group whose workflow ended without one.
func (h *lockedGroup) wordless(err error) patch.GroupResult {
	account, region := h.group.Account.Name, h.group.Region
	result := patch.GroupResult{
		Account: account, Region: region, Name: h.group.Name(), Outcome: patch.Failed,
		Reason: "its workflow ended without a result: " + err.Error(), Instances: []patch.InstanceResult{},
		Stranded: []patch.Stranded{{
			Account: account, Region: region, Resource: "group " + h.group.Name(),
			State:    "unknown: its workflow ended without a result",
			WhatToDo: "look at " + h.workflowID + " in the Temporal UI",
		}},
	}
	if h.kept != nil { // what it did in an earlier window is known
		result.Instances = patch.Newest(h.kept.Instances, h.counts.Failed)
	}
	return result
}
