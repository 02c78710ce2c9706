package activities

import (
	"context"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/pending"
)

// ReadPendingInput names an activity that a workflow waits for.
type ReadPendingInput struct {
	WorkflowID string
	RunID      string
	Activity   string // its type
}

// Pending is how an activity stands that is tried again and again; a workflow is told only how it ended.
type Pending struct {
	Attempt int
	Failure string // of the last attempt; "": none has failed
	Waits   bool   // that failure says only that a wait goes on
}

// Pendings answers how an activity of a workflow stands; nil when it is not under way.
type Pendings interface {
	Pending(ctx context.Context, in ReadPendingInput) (*Pending, error)
	// Paused tells which activities of a workflow somebody has paused in Temporal, by whom, and how they go on.
	Paused(ctx context.Context, workflowID, runID string) ([]string, error)
}

// NewPendings answers by asking Temporal.
func NewPendings(client Describer) Pendings { return temporalPendings{client} }

type temporalPendings struct{ client Describer }

// Pending looks for the activity among those that Temporal lists of the workflow.
func (p temporalPendings) Pending(ctx context.Context, in ReadPendingInput) (*Pending, error) {
	described, err := p.client.DescribeWorkflowExecution(ctx, in.WorkflowID, in.RunID)
	if err != nil {
		return nil, err
	}
	for _, wait := range pending.Activities(described) {
		if wait.Activity != in.Activity {
			continue
		}
		found := &Pending{Attempt: wait.Attempt, Failure: wait.Failure, Waits: wait.Polls}
		if found.Failure == "" && !wait.Untaken.IsZero() {
			found.Failure = "no worker has taken it yet; see that one runs whose configuration has the account and region"
		}
		return found, nil
	}
	return nil, nil
}

// Paused looks through the activities that Temporal lists of the workflow.
func (p temporalPendings) Paused(ctx context.Context, workflowID, runID string) ([]string, error) {
	described, err := p.client.DescribeWorkflowExecution(ctx, workflowID, runID)
	if err != nil {
		return nil, err
	}
	var paused []string
	for _, wait := range pending.Activities(described) {
		if wait.Paused {
			paused = append(paused, names.Words(wait.Activity)+": "+wait.Failure)
		}
	}
	return paused, nil
}

// ReadPausedInput names a workflow.
type ReadPausedInput struct {
	WorkflowID string
	RunID      string
}

// ReadPaused asks Temporal which activities of a workflow somebody has paused: their workflow hears nothing of that.
func (c *Control) ReadPaused(ctx context.Context, in ReadPausedInput) ([]string, error) {
	paused, err := c.Pendings.Paused(ctx, in.WorkflowID, in.RunID)
	if err != nil {
		return nil, temporal.NewApplicationErrorWithCause("ask Temporal what is paused: "+err.Error(), ErrLockUnknown, err)
	}
	return paused, nil
}

// ReadPending asks Temporal how an activity stands that does not end; empty when it is not under way any more.
func (c *Control) ReadPending(ctx context.Context, in ReadPendingInput) (*Pending, error) {
	pending, err := c.Pendings.Pending(ctx, in)
	switch {
	case err != nil:
		return nil, temporal.NewApplicationErrorWithCause(
			"ask Temporal how "+in.Activity+" stands: "+err.Error(), ErrLockUnknown, err,
		)
	case pending == nil:
		return &Pending{}, nil
	}
	return pending, nil
}
