// Package window is OpenWindow, which a plan's schedule starts.
package window

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/freeze"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/notice"
	"github.com/patchtide/patchtide/workflows/wave"
)

// Request is what a schedule starts OpenWindow with.
type Request = run.PlanRequest

// WindowOpened is what came of an opening.
type WindowOpened struct {
	Plan    string        `json:"plan"`
	Opens   time.Time     `json:"opens"`
	WaveID  string        `json:"wave_id"`
	Started bool          `json:"started"` // by this opening
	Why     string        `json:"why,omitempty"`
	Joins   bool          `json:"joins,omitempty"`   // the opening is one with a window that was open, which has its wave
	Outcome patch.Outcome `json:"outcome,omitempty"` // of the wave, once it has ended
}

// openWindow is one opening of a plan's window.
type openWindow struct {
	plan     string
	schedule string    // the id of what started it; "" where a person did
	due      time.Time // when the schedule meant it to open; started by hand, that is now
	result   WindowOpened
}

// OpenWindow starts the wave of an opening of a plan's window, or tells people why not. The wave is a child whose id is
// made of the plan and the opening, so that an opening has one wave at most however often it is told, and it goes on
// when OpenWindow has closed. OpenWindow stays until the wave has ended, only to tell when it was refused before it
// began. An opening that starts no wave is an answer, not an error; a plan that cannot be resolved is one.
func OpenWindow(ctx workflow.Context, request Request) (*WindowOpened, error) {
	if err := request.Validate(); err != nil {
		tellWrongInput(ctx, err)
		return nil, err
	}
	o := newOpenWindow(ctx, request.Plan)
	o.schedule, _ = startedBy(ctx)
	if scheduled, found := workflow.GetTypedSearchAttributes(ctx).GetTime(
		temporal.NewSearchAttributeKeyTime(names.ScheduledTime),
	); found {
		o.due = scheduled
	}
	if err := workflow.UpsertTypedSearchAttributes(
		ctx, temporal.NewSearchAttributeKeyKeyword(names.AttributePlan).ValueSet(request.Plan),
	); err != nil {
		workflow.GetLogger(ctx).Warn("search attributes not written", "error", err)
	}
	var resolved activities.ResolvedPlan
	if err := workflow.ExecuteActivity(
		run.Controlling(ctx, "what the plan says"), control.ResolvePlan,
		activities.ResolvePlanInput{Plan: request.Plan, At: o.due},
	).Get(ctx, &resolved); err != nil {
		if !temporal.IsCanceledError(err) {
			o.skip(
				ctx, run.Reason(err),
				"mend the configuration; "+staleWorker+"; if the plan is no more: `patchtide schedule sync`",
			)
		}
		return nil, err
	}
	if why, whatToDo := o.judge(resolved.Plan, workflow.Now(ctx)); why != "" {
		return o.skip(ctx, why, whatToDo), nil
	}
	answer := freeze.Ask(ctx, nil, accountsOf(resolved.Plan)...)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case answer.Frozen():
		return o.skip(
			ctx, answer.Why, "once it may go on: "+cmp.Or(answer.Lift, "patchtide freeze show")+", and start a wave inside the "+
				"window if there is time",
		), nil
	}
	return o.start(ctx, *resolved.Plan.Window)
}

// staleWorker is what to do where the file may say otherwise than the worker, which read it when it started.
const staleWorker = "if the file says otherwise, the worker has not read it: restart the worker (`patchtide doctor`)"

func newOpenWindow(ctx workflow.Context, plan string) *openWindow {
	return &openWindow{plan: plan, due: workflow.Now(ctx), result: WindowOpened{Plan: plan}}
}

// tellWrongInput tells people of a schedule whose input somebody has edited. Who starts it by hand sees the error.
func tellWrongInput(ctx workflow.Context, err error) {
	if schedule, found := startedBy(ctx); found {
		o := newOpenWindow(ctx, names.PlanOfSchedule(schedule))
		o.schedule = schedule
		o.skip(
			ctx, "its schedule has a wrong input: "+run.Reason(err), "run `patchtide schedule sync`, which mends it",
		)
	}
}

// startedBy is the id of the schedule that started this.
func startedBy(ctx workflow.Context) (string, bool) {
	return workflow.GetTypedSearchAttributes(ctx).GetKeyword(temporal.NewSearchAttributeKeyKeyword(names.ScheduledBy))
}

// judge tells why no wave may start now; "" when it may.
func (o *openWindow) judge(plan patch.Plan, now time.Time) (why, whatToDo string) {
	window := plan.Window
	if holds := plan.Blackouts.At(o.due); holds != nil {
		next := "no window opens after it"
		if window != nil {
			next = "the next window opens at " + brief.UTC(window.Opens)
		}
		return "the window of " + o.due.UTC().Format(time.RFC3339) + " does not open: it is in " + holds.String(),
			"nothing, if it is meant so: " + next + "; else take it out of blackout in the file and restart the worker"
	}
	if window == nil {
		return "the plan has no window any more", staleWorker + "; if it has none there either: `patchtide schedule sync`"
	}
	o.result.Opens = window.Opens
	if open, why := window.Open(now); !open {
		return fmt.Sprintf(
				"told at %s to open the window of %s, and %s",
				now.UTC().Format(time.RFC3339),
				o.due.UTC().Format(time.RFC3339),
				why,
			),
			"if it was started by hand, start a wave inside the window; if the worker was away, see that it runs; else " +
				"compare `patchtide schedule list` with the plan"
	}
	return "", ""
}

// accountsOf names the accounts of a plan, each once, sorted.
func accountsOf(plan patch.Plan) []string {
	var accounts []string
	for _, group := range plan.Groups() {
		accounts = append(accounts, group.Account.Name)
	}
	slices.Sort(accounts)
	return slices.Compact(accounts)
}

// start starts the wave and stays until it has ended or this workflow is cancelled, which the wave does not notice.
func (o *openWindow) start(ctx workflow.Context, window patch.Window) (*WindowOpened, error) {
	o.result.WaveID = names.ScheduledWave(o.plan, window.Opens)
	why := "the window of " + window.Opens.UTC().Format(time.RFC3339) + " opened"
	clean, _ := workflow.NewDisconnectedContext(ctx)
	child := workflow.WithChildOptions(clean, workflow.ChildWorkflowOptions{
		WorkflowID:            o.result.WaveID,
		TaskQueue:             names.TaskQueue,
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		StaticSummary:         names.WaveSummary(o.plan, "its schedule"),
		StaticDetails:         names.WaveDetails(o.result.WaveID, why),
	})
	wave := workflow.ExecuteChildWorkflow(child, wave.PatchWave, wave.Request{
		Plan: o.plan, Actor: "schedule", Reason: why,
	})
	if err := wave.GetChildWorkflowExecution().Get(clean, nil); err != nil {
		if temporal.IsWorkflowExecutionAlreadyStartedError(err) && o.schedule != "" && o.due.After(window.Opens) {
			o.result.Joins, o.result.Why = true, fmt.Sprintf("it is one with the window of %s, which is open still and whose "+
				"wave is %s", window.Opens.UTC().Format(time.RFC3339), o.result.WaveID)
			workflow.SetCurrentDetails(ctx, string(run.Said("%s", o.result.Why)))
			return &o.result, nil
		}
		if !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			o.skip(ctx, "the wave "+o.result.WaveID+" could not be started: "+run.Reason(err),
				"start a wave inside the window if there is time: `patchtide wave start "+names.ShellWord(o.plan)+"`")
			return nil, err
		}
		return o.skip(
			ctx, "the wave "+o.result.WaveID+" of this opening was started before",
			"see `patchtide wave show "+o.result.WaveID+"`",
		), nil
	}
	o.result.Started = true
	workflow.SetCurrentDetails(ctx, "started the wave "+o.result.WaveID)
	ended, cancelled := false, false
	var result patch.WaveResult
	var err error
	workflow.NewSelector(ctx).
		AddFuture(wave, func(f workflow.Future) { ended, err = true, f.Get(clean, &result) }).
		AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) { cancelled = true }).
		Select(ctx)
	var refused *temporal.ApplicationError
	switch {
	case cancelled && !ended:
		o.result.Why = "the wave goes on; only this watch of it was cancelled"
	case errors.As(err, &refused):
		return o.skip(
			ctx, run.Reason(err),
			"see `patchtide wave show "+o.result.WaveID+"`, mend it, and start a wave inside the window if there is time",
		), nil
	case err != nil:
		o.result.Why = run.Reason(err)
	default:
		o.result.Outcome, o.result.Why = result.Outcome, result.Reason
	}
	return &o.result, nil
}

// skip tells people that this opening starts no wave.
func (o *openWindow) skip(ctx workflow.Context, why, whatToDo string) *WindowOpened {
	o.result.Started, o.result.Why = false, why
	workflow.SetCurrentDetails(ctx, string(run.Said("no wave: %s", why)))
	info := workflow.GetInfo(ctx).WorkflowExecution
	subject := o.schedule
	if subject == "" {
		subject = names.WindowSchedule(o.plan, 1)
	}
	// Whether somebody hears it is the notice's own workflow's to tell.
	notice.Tell(ctx, patch.Notice{
		Kind: patch.NoticeScheduleSkipped, Key: "schedule/" + o.plan + "/" + info.RunID, At: workflow.Now(ctx), Plan: o.plan,
		WaveID:  o.result.WaveID,
		Subject: subject, WorkflowID: info.ID, Why: why, WhatToDo: whatToDo,
	})
	return &o.result
}
