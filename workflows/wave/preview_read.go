package wave

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/freeze"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/preflight"
	"github.com/patchtide/patchtide/workflows/scan"
)

// readAll reads every group, some at once.
func (p *preview) readAll(ctx workflow.Context) map[string]patch.GroupReading {
	readings := map[string]patch.GroupReading{}
	places, all := workflow.NewSemaphore(ctx, lookedAtOnce), workflow.NewWaitGroup(ctx)
	for _, stage := range p.plan.Stages {
		for _, group := range stage.Groups {
			all.Add(1)
			workflow.Go(ctx, func(c workflow.Context) {
				defer all.Done()
				if err := places.Acquire(c, 1); err != nil {
					return // cancelled
				}
				defer places.Release(1)
				readings[group.String()] = p.read(c, group, stage)
			})
		}
	}
	all.Wait(ctx)
	return readings
}

// read reads one group as preflight would; what cannot be read is in the way.
func (p *preview) read(ctx workflow.Context, group patch.Group, stage patch.Stage) patch.GroupReading {
	reading := patch.GroupReading{Group: group, Known: map[string]patch.PatchState{}}
	problem := func(err error) {
		reading.Problems = append(reading.Problems, patch.Blocker{
			Code: run.ErrorType(err), Where: group.String(), What: run.Reason(err),
			WhatToDo: mends(run.ErrorType(err), run.Reason(err)),
		})
	}
	if blocker := lockBlocker(ctx, ErrGroupLocked, group.String(), names.GroupLock(group)); blocker != nil {
		reading.Problems, reading.Locked = append(reading.Problems, *blocker), true
	}
	reads := previewing(ctx, group, p.plan.Timing)
	state, err := run.InspectServed(reads, group)
	if err != nil {
		problem(err)
		return reading
	}
	reading.State = &state
	var around patch.Interference
	if err := workflow.ExecuteActivity(run.Summed(reads, "what others do to "+group.String()), aws.ReadInterference,
		preflight.InterferenceOf(group, state, patch.PolicyOf(p.plan.Of(group), stage))).Get(ctx, &around); err != nil {
		problem(err)
	} else {
		reading.Around = &around
	}
	if p.request.Scan && len(state.Members) > 0 {
		if err := p.scan(ctx, group, state); err != nil {
			problem(err)
		}
	}
	for part := range slices.Chunk(state.IDs(), run.Batch) {
		var known activities.PatchStates
		if err := workflow.ExecuteActivity(reads, aws.ReadPatchStates, activities.ReadPatchStatesInput{
			Group: group, Instances: part, Baseline: p.plan.Of(group).Baseline,
		}).Get(ctx, &known); err != nil {
			problem(err)
			break
		}
		reading.BaselineID, reading.At = known.BaselineID, known.At
		for _, state := range known.States {
			reading.Known[state.Instance] = state
		}
	}
	if p.request.Scan {
		p.readHeld(ctx, &reading, stage)
	}
	if group.IsAutoScaling() && len(state.Members) > 0 {
		p.readImage(ctx, &reading, stage)
	}
	return reading
}

// readHeld asks one instance of the group which versions it has of what it misses: Systems Manager does not tell.
func (p *preview) readHeld(ctx workflow.Context, reading *patch.GroupReading, stage patch.Stage) {
	instance, packages := reading.Ask(p.plan, stage)
	if instance == "" {
		return
	}
	group, t := reading.Group, p.plan.Timing
	options := run.Summed(run.Waiting(ctx, group, t, t.Agent), "which versions "+instance+" has")
	id := p.status.WaveID + "/" + workflow.GetInfo(ctx).WorkflowExecution.RunID
	var held patch.Held
	if err := workflow.ExecuteActivity(options, aws.ReadHeld, activities.ReadHeldInput{
		CollectMachineFactsInput: activities.CollectMachineFactsInput{
			Instance: activities.Instance{Group: group, ID: instance}, Platform: p.plan.Of(group).Platform,
			Attempt: run.Attempt(id, group.String(), "preview-held", 0), Budget: t.Agent, Pace: run.Pace(t),
		},
		Packages: packages,
	}).Get(ctx, &held); err != nil {
		reading.HeldWhy = run.Reason(err)
		return
	}
	reading.Held = &held
}

// readImage reads what the group launches next, and of one whose image is to be renewed what decides whether it can be.
func (p *preview) readImage(ctx workflow.Context, reading *patch.GroupReading, stage patch.Stage) {
	group := reading.Group
	asks := run.Glance(ctx, group, p.plan.Timing, "what "+group.Name()+" launches next")
	if !stage.Image.Asked() {
		var next patch.NextImage
		if err := workflow.ExecuteActivity(asks, aws.ReadNextImage,
			activities.ReadNextImageInput{Group: group}).Get(ctx, &next); err != nil {
			reading.NextWhy = run.Reason(err)
		} else {
			reading.Next = &next
		}
		return
	}
	var read activities.LaunchRead
	if err := workflow.ExecuteActivity(asks, aws.ReadLaunch, activities.ReadLaunchInput{
		Group: group, Donors: reading.State.IDs()[:1],
	}).Get(ctx, &read); err != nil {
		reading.LaunchWhy = run.Reason(err)
		return
	}
	reading.Launch = &read.Launch
	if !reading.NothingDue(p.plan, stage) {
		return
	}
	var stale activities.StaleImage
	if err := workflow.ExecuteActivity(run.Looking(ctx, "whether an earlier wave renewed the image of "+group.Name()),
		control.FindStaleImage, activities.FindStaleImageInput{
			Plan: p.plan.Name, WaveID: p.status.WaveID, Group: group,
		}).Get(ctx, &stale); err != nil {
		reading.LaunchWhy, reading.Launch = run.Reason(err), nil
	} else if now := (patch.NextImage{Images: []string{read.Launch.Image}}); stale.Why != "" &&
		!now.ChangedSince(stale.Was, stale.Why) {
		reading.Owed = "the wave " + stale.Wave + " left the image that it launches from as it was: " + stale.Why
	}
}

// mends is what to do about a group that cannot be read; docs/planning.md lists them.
func mends(errorType, said string) string {
	switch errorType {
	case activities.ErrGroupNotFound:
		return "correct its name, account or region in the plan"
	case activities.ErrAccessDenied:
		return patch.MendDenied(said, "let the account's role do that; docs/installing.md lists its actions")
	case activities.ErrNotRecognized:
		return "see by `patchtide doctor` whether the worker's credentials and clock are right and the region is enabled " +
			"in the account; no policy of the role mends it"
	case run.ErrQueueNotServed:
		return "start a worker whose configuration has the account and region"
	}
	return "see what it says, then plan again"
}

// scan scans by whatever baseline Systems Manager has for the instances: registering the plan's would change something.
func (p *preview) scan(ctx workflow.Context, group patch.Group, state patch.GroupState) error {
	id := p.status.WaveID + "/" + workflow.GetInfo(ctx).WorkflowExecution.RunID
	state.Members = slices.DeleteFunc(slices.Clone(state.Members), func(m patch.Member) bool { return m.LeftOut != "" })
	if len(state.Members) == 0 {
		return nil
	}
	_, err := scan.Counts(ctx, group, p.plan.Timing, state.IDs(), "", run.SnapshotID(id, 0),
		run.Attempt(id, group.String(), "preview", 0))
	return err
}

// inTheWayOfAll lists what is in the way of the wave as a whole.
func (p *preview) inTheWayOfAll(ctx workflow.Context, readings map[string]patch.GroupReading) []patch.Blocker {
	var found []patch.Blocker
	view := wholePlan(p.plan)
	// When each would begin is in the preview's times, and so is what would be too late.
	view.Policy.Window, view.Policy.Blackouts = nil, nil
	frozen := freeze.Ask(ctx, nil, accountsOf(p.plan)...)
	view.Frozen, view.Lift = frozen.Why, frozen.Lift
	for _, refusal := range patch.Refusals(patch.LevelWave, view) {
		found = append(found, refusal.Blocker())
	}
	targets := map[string]patch.Behind{}
	for _, group := range p.plan.Groups() {
		if state := readings[group.String()].State; state != nil {
			targets[group.String()] = state.Behind()
		}
	}
	for _, service := range patch.Services(p.plan.Stages, targets) {
		lock := names.ServiceLock(service.Name)
		if blocker := lockBlocker(ctx, ErrServiceLocked, service.String(), lock); blocker != nil {
			found = append(found, *blocker)
		}
	}
	return found
}

// lockBlocker says who holds a lock that the wave would need; nil when nobody does.
func lockBlocker(ctx workflow.Context, code, what, lock string) *patch.Blocker {
	var holder activities.LockHolder
	options := workflow.GetActivityOptions(run.Controlling(ctx, "who holds the lock"))
	options.ScheduleToCloseTimeout = impatient
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), control.LockHolder,
		activities.LockHolderInput{WorkflowID: lock}).Get(ctx, &holder); err != nil {
		return &patch.Blocker{
			Code: run.ErrorType(err), Where: what, What: run.Reason(err),
			WhatToDo: "ask again; nobody knows whether it is being patched",
		}
	}
	if holder.WorkflowID == "" {
		return nil
	}
	is, todo := heldBy(holder, what, lock)
	return &patch.Blocker{Code: code, Where: what, What: is, WhatToDo: todo}
}

// previewing is for a preview's reads.
func previewing(ctx workflow.Context, group patch.Group, t patch.Timing) workflow.Context {
	options := workflow.GetActivityOptions(run.Reading(ctx, group, t))
	options.ScheduleToCloseTimeout = min(options.ScheduleToCloseTimeout, impatient)
	return workflow.WithActivityOptions(ctx, options)
}
