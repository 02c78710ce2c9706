package schedules

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows"
)

// Opening is the last opening of a plan's window, and what came of it.
type Opening struct {
	At       time.Time      `json:"at"`       // when it was due
	Workflow string         `json:"workflow"` // the id of the OpenWindow that it started
	Outcome  OpeningOutcome `json:"outcome"`
	WaveID   string         `json:"wave_id,omitempty"` // the wave's, where there is or was one
	Says     string         `json:"says"`              // the outcome in words, with the reason
}

// OpeningOutcome is what came of an opening.
type OpeningOutcome string

// The outcomes of an opening.
const (
	WaveStarted OpeningOutcome = "started"
	NoWave      OpeningOutcome = "no_wave" // and Says why
	Joined      OpeningOutcome = "joined"  // it is one with a window that was open, and has no wave of its own
	NotYet      OpeningOutcome = "not_yet" // nothing has been decided: as a rule no worker has taken it
	NotKept     OpeningOutcome = "not_kept"
)

// Workflows is what tells how a workflow went: Temporal's client. No worker needs to answer.
type Workflows interface {
	DescribeWorkflowExecution(
		ctx context.Context, id, run string,
	) (*workflowservice.DescribeWorkflowExecutionResponse, error)
	GetWorkflow(ctx context.Context, id, run string) client.WorkflowRun
}

// lastOpening is the latest that a schedule has had; nil where there was none.
func lastOpening(ctx context.Context, w Workflows, found *client.ScheduleDescription) (*Opening, error) {
	var last client.ScheduleActionResult
	for _, action := range found.Info.RecentActions {
		if action.StartWorkflowResult != nil && !action.ScheduleTime.Before(last.ScheduleTime) {
			last = action
		}
	}
	if w == nil || last.StartWorkflowResult == nil {
		return nil, nil
	}
	started := last.StartWorkflowResult
	opening := &Opening{At: last.ScheduleTime.UTC(), Workflow: started.WorkflowID}
	described, err := w.DescribeWorkflowExecution(ctx, started.WorkflowID, started.FirstExecutionRunID)
	switch {
	case isNotFound(err):
		opening.Outcome, opening.Says = NotKept, "Temporal no longer keeps what came of it"
	case err != nil:
		return nil, fmt.Errorf("look at %s: %w", started.WorkflowID, err)
	case described.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING:
		opening.underWay(described)
	default:
		var result workflows.WindowOpened
		err := w.GetWorkflow(ctx, started.WorkflowID, started.FirstExecutionRunID).Get(ctx, &result)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("read the result of %s: %w", started.WorkflowID, err)
		}
		opening.ended(result, err)
	}
	return opening, nil
}

// underWay tells of an opening whose workflow runs: it stays until its wave has ended.
func (o *Opening) underWay(described *workflowservice.DescribeWorkflowExecutionResponse) {
	for _, child := range described.GetPendingChildren() {
		if child.GetWorkflowTypeName() == names.PatchWave {
			o.Outcome, o.WaveID = WaveStarted, child.GetWorkflowId()
			o.Says = "started the wave " + o.WaveID + ", which has not ended"
			return
		}
	}
	o.Outcome = NotYet
	o.Says = "nothing has come of it yet: its workflow waits, as a rule for a worker (`patchtide doctor`)"
}

// ended tells of an opening whose workflow has closed.
func (o *Opening) ended(result workflows.WindowOpened, err error) {
	switch o.WaveID = result.WaveID; {
	case err != nil:
		o.Outcome, o.Says = NoWave, "started no wave: "+reasonOf(err)
	case result.Joins:
		o.Outcome, o.Says = Joined, result.Why
	case !result.Started:
		o.Outcome, o.Says = NoWave, "started no wave: "+result.Why
	default:
		o.Outcome, o.Says = WaveStarted, "started the wave "+result.WaveID
		for _, more := range []string{result.Outcome.Words(), result.Why} {
			if more != "" {
				o.Says += ": " + more
			}
		}
	}
}

// reasonOf is why a workflow ended without a result.
func reasonOf(err error) string {
	var told *temporal.ApplicationError
	var terminated *temporal.TerminatedError
	switch {
	case errors.As(err, &told):
		return told.Message()
	case errors.As(err, &terminated):
		return "somebody terminated its workflow"
	case temporal.IsCanceledError(err):
		return "somebody cancelled its workflow"
	}
	return err.Error()
}
