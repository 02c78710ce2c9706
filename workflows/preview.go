package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// lookedAtOnce is how many groups a dry run reads at once: AWS's quotas are per account, and it runs beside waves.
const lookedAtOnce = 8

// impatient bounds a dry run's reads of one group: what does not answer by then is told as being in the way.
const impatient = 2 * time.Minute

// previewed is a dry run: it reads what a wave's preflight reads, of every group, asks the same decisions, and tells what a wave
// would do and all that is in its way. It changes nothing, takes no lock and no verbs, and leaves no evidence. Its only error
// is a plan or request that is wrong.
func (w *wave) previewed(ctx workflow.Context) (*patch.WaveResult, error) {
	if err := workflow.SetQueryHandlerWithOptions(ctx, names.QueryStatus, func() (patch.WaveStatus, error) { return w.status, nil },
		workflow.QueryHandlerOptions{Description: "Whether it is still reading; what it found is its result"}); err != nil {
		return nil, err
	}
	w.enter(ctx, patch.StatePlanning, "")
	if err := w.resolve(ctx); err != nil {
		return nil, err
	}
	readings := w.readAll(ctx)
	whole := w.inTheWayOfAll(ctx, readings)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	preview := patch.NewPreview(w.plan, w.hash, workflow.Now(ctx), readings, whole)
	result := &patch.WaveResult{
		WaveID: w.status.WaveID, Plan: w.plan.Name, Outcome: patch.WouldRun, Stages: []patch.StageResult{}, Stranded: []patch.Stranded{}, Preview: preview,
	}
	if !preview.CouldRun() {
		result.Outcome = patch.Blocked
	}
	w.status.Outcome = result.Outcome
	w.enter(ctx, patch.StateClosed, "")
	workflow.SetCurrentDetails(ctx, previewDetails(*preview))
	return result, nil
}

// readAll reads every group, some at once.
func (w *wave) readAll(ctx workflow.Context) map[string]patch.GroupReading {
	readings := map[string]patch.GroupReading{}
	places, all := workflow.NewSemaphore(ctx, lookedAtOnce), workflow.NewWaitGroup(ctx)
	for _, stage := range w.plan.Stages {
		for _, group := range stage.Groups {
			all.Add(1)
			workflow.Go(ctx, func(c workflow.Context) {
				defer all.Done()
				if err := places.Acquire(c, 1); err != nil {
					return // cancelled
				}
				defer places.Release(1)
				readings[group.String()] = w.readForPreview(c, group, stage)
			})
		}
	}
	all.Wait(ctx)
	return readings
}

// readForPreview reads one group as preflight would; what cannot be read is in the way.
func (w *wave) readForPreview(ctx workflow.Context, group patch.Group, stage patch.Stage) patch.GroupReading {
	reading := patch.GroupReading{Group: group, Known: map[string]patch.PatchState{}}
	problem := func(err error) {
		reading.Problems = append(reading.Problems, patch.Blocker{Code: errorType(err), Where: group.String(), What: reason(err), WhatToDo: mends(errorType(err))})
	}
	if blocker := lockBlocker(ctx, ErrGroupLocked, group.String(), names.GroupLock(group)); blocker != nil {
		reading.Problems = append(reading.Problems, *blocker)
	}
	reads := previewing(ctx, group, w.plan.Timing)
	state, err := inspectServed(reads, group)
	if err != nil {
		problem(err)
		return reading
	}
	reading.State = &state
	policy := policyOf(w.plan, stage)
	var around patch.Interference
	if err := workflow.ExecuteActivity(summed(reads, "what others do to "+group.String()), aws.ReadInterference, activities.ReadInterferenceInput{
		Group: group, Instances: memberIDs(state), Calendars: policy.Calendars, Alarms: gates(policy.Health), Restore: policy.Restore,
		Within: w.plan.Budget(stage, state.TargetGroups).OnItsWay(),
	}).Get(ctx, &around); err != nil {
		problem(err)
	} else {
		reading.Around = &around
	}
	if w.request.Scan && len(state.Members) > 0 {
		if err := w.scanForPreview(ctx, group, state); err != nil {
			problem(err)
		}
	}
	for part := range slices.Chunk(memberIDs(state), batch) {
		var known activities.PatchStates
		if err := workflow.ExecuteActivity(reads, aws.ReadPatchStates, activities.ReadPatchStatesInput{
			Group: group, Instances: part, Baseline: w.plan.Baseline,
		}).Get(ctx, &known); err != nil {
			problem(err)
			break
		}
		reading.BaselineID, reading.At = known.BaselineID, known.At
		for _, state := range known.States {
			reading.Known[state.Instance] = state
		}
	}
	return reading
}

// mends is what to do about a group that cannot be read; docs/planning.md lists them.
func mends(errorType string) string {
	switch errorType {
	case activities.ErrGroupNotFound:
		return "correct its name, account or region in the plan"
	case activities.ErrAccessDenied:
		return "let the account's role do that; README lists its actions"
	case ErrQueueNotServed:
		return "start a worker whose configuration has the account and region"
	}
	return "see what it says, then plan again"
}

// scanForPreview scans by whatever baseline Systems Manager has for the instances: registering the plan's would change something.
func (w *wave) scanForPreview(ctx workflow.Context, group patch.Group, state patch.GroupState) error {
	id := w.status.WaveID + "/" + workflow.GetInfo(ctx).WorkflowExecution.RunID
	_, err := scanInstances(ctx, group, w.plan.Timing, memberIDs(state), "", id, attempt(id, group.String(), "preview", 0))
	return err
}

// inTheWayOfAll lists what is in the way of the wave as a whole.
func (w *wave) inTheWayOfAll(ctx workflow.Context, readings map[string]patch.GroupReading) []patch.Blocker {
	var found []patch.Blocker
	if refusal := tooManyGroups(w.plan); refusal != nil {
		found = append(found, refusal.Blocker())
	}
	if refusal := frozenPlan(ctx, w.plan); refusal != nil {
		found = append(found, refusal.Blocker())
	}
	targets := map[string][]string{}
	for _, group := range w.plan.Groups() {
		if state := readings[group.String()].State; state != nil {
			targets[group.String()] = targetGroups(*state)
		}
	}
	for _, service := range patch.Services(w.plan.Stages, targets) {
		if blocker := lockBlocker(ctx, ErrServiceLocked, "service "+service.Name, names.ServiceLock(service.Name)); blocker != nil {
			found = append(found, *blocker)
		}
	}
	return found
}

// lockBlocker tells who holds a lock that the wave would need; nil when nobody does.
func lockBlocker(ctx workflow.Context, code, what, lock string) *patch.Blocker {
	var holder activities.LockHolder
	options := workflow.GetActivityOptions(controlling(ctx, "who holds the lock"))
	options.ScheduleToCloseTimeout = impatient
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), control.LockHolder, activities.LockHolderInput{WorkflowID: lock}).Get(ctx, &holder); err != nil {
		return &patch.Blocker{Code: errorType(err), Where: what, What: reason(err), WhatToDo: "ask again; nobody knows whether it is being patched"}
	}
	if holder.WorkflowID == "" {
		return nil
	}
	is, todo := heldBy(holder, what, lock)
	return &patch.Blocker{Code: code, Where: what, What: is, WhatToDo: todo}
}

// previewing is for a dry run's reads.
func previewing(ctx workflow.Context, group patch.Group, t patch.Timing) workflow.Context {
	options := workflow.GetActivityOptions(reading(ctx, group, t))
	options.ScheduleToCloseTimeout = min(options.ScheduleToCloseTimeout, impatient)
	return workflow.WithActivityOptions(ctx, options)
}
