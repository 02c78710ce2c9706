// Package drive starts a wave, shows its progress and plays the operator: it approves what waits for approval and gives
// the scenario's decision when the wave is on hold, each time saying so.
package drive

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Actor is who the laboratory says it is when it acts in an operator's place.
const Actor = "patchtide-lab"

// pollEvery is the time between two looks at the wave: a live picture feels alive, and a local server is not troubled.
const pollEvery = 300 * time.Millisecond

// Temporal is the subset of the SDK's client that starting, asking and telling a wave needs.
type Temporal interface {
	ExecuteWorkflow(
		ctx context.Context, options client.StartWorkflowOptions, workflow any, args ...any,
	) (client.WorkflowRun, error)
	QueryWorkflow(ctx context.Context, workflowID, runID, queryType string, args ...any) (converter.EncodedValue, error)
	UpdateWorkflow(ctx context.Context, options client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error)
}

// Order is what an operator sends with a verb.
type Order struct {
	Actor  string      `json:"actor"`
	Reason string      `json:"reason"`
	Scope  patch.Scope `json:"scope,omitempty"`
	patch.Point
}

// Driver runs one wave. Its fields are set before Run.
type Driver struct {
	Temporal Temporal
	Console  *console.Console
	// Decide is the verb given each time the wave is on hold. Empty: what the plan would decide after its time, at once,
	// for that time is a person's and no speed makes it pass faster.
	Decide patch.Verb
	// Ticks tells when to look; nil: every 300 ms.
	Ticks <-chan time.Time

	details  console.Details
	answered map[time.Time]bool // states, by their beginning, that were answered already
}

// Run starts PatchWave with the given workflow id and request, and returns its result once it has closed. A wave that
// closes with an error, such as a refused preflight, is returned as that error.
func (d *Driver) Run(ctx context.Context, waveID string, request any) (patch.WaveResult, error) {
	d.details = console.Details{}
	d.answered = map[time.Time]bool{}
	run, err := d.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: waveID, TaskQueue: names.TaskQueue, StaticSummary: "a demonstration wave",
	}, names.PatchWave, request)
	if err != nil {
		return patch.WaveResult{}, fmt.Errorf("start wave %s: %w", waveID, err)
	}
	closed := make(chan error, 1)
	var result patch.WaveResult
	go func() { closed <- run.Get(ctx, &result) }()

	ticks := d.Ticks
	if ticks == nil {
		ticker := time.NewTicker(pollEvery)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		select {
		case err := <-closed:
			d.look(ctx, waveID) // the last state, which a look between two ticks may have missed
			if err != nil {
				return patch.WaveResult{}, fmt.Errorf("wave %s: %w", waveID, err)
			}
			return result, nil
		case <-ticks:
			if status, ok := d.look(ctx, waveID); ok {
				d.answer(ctx, status)
			}
		}
	}
}

// look asks the wave, its groups and their current instances, and shows them. Whatever does not answer, such as a wave
// whose worker is still starting, keeps the picture as it was.
func (d *Driver) look(ctx context.Context, waveID string) (patch.WaveStatus, bool) {
	status, ok := console.Answer[patch.WaveStatus](ctx, d.Temporal, waveID)
	if !ok {
		return status, false
	}
	d.details = console.Ask(ctx, d.Temporal, status, d.details)
	d.Console.Update(console.View(status, d.details))
	return status, true
}

// answer gives the verb that the wave waits for, once for each time it begins to wait.
func (d *Driver) answer(ctx context.Context, status patch.WaveStatus) {
	if d.answered[status.Since] {
		return
	}
	var verb patch.Verb
	var order Order
	switch status.State {
	case patch.StateAwaitingApproval:
		verb, order = patch.Approve, Order{Actor: Actor, Reason: "the demo approves by itself"}
		d.Console.Say("The laboratory approves stage %s by itself; in production a person does.", status.Stage)
	case patch.StateOnHold:
		switch {
		case d.Decide != "":
			verb, order = d.Decide, Order{Actor: Actor, Reason: "the scenario's decision"}
			d.Console.Say("The laboratory decides %s, as the scenario says; in production a person does.", verb.Words())
		case status.Otherwise != "":
			verb, order = status.Otherwise, Order{Actor: Actor, Reason: "the plan's decision, if nobody answers"}
			d.Console.Say("The laboratory decides %s, as the plan would if nobody answered; it waits for nobody.", verb.Words())
		default:
			d.Console.Say("Neither scenario nor plan decides: answer it yourself, in the Temporal UI or by `patchtide wave`.")
			d.answered[status.Since] = true
			return
		}
	default:
		return
	}
	if !slices.Contains(status.Verbs, verb) && len(status.Verbs) > 0 {
		d.Console.Say("The wave does not take %s now, only %v.", verb, status.Verbs)
		d.answered[status.Since] = true
		return
	}
	order.Point = status.Point()
	if err := d.tell(ctx, status.WaveID, verb, order); err != nil {
		d.Console.Say("The wave did not take %s: %v. It will be told again.", verb.Words(), err)
		return
	}
	d.answered[status.Since] = true
}

// tell sends a verb and waits until the wave has recorded it.
func (d *Driver) tell(ctx context.Context, waveID string, verb patch.Verb, order Order) error {
	handle, err := d.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: waveID, UpdateName: string(verb), Args: []any{order}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return handle.Get(ctx, nil)
}
