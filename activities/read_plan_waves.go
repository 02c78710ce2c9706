package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadPlanWavesInput names a plan.
type ReadPlanWavesInput struct {
	Plan  string
	Since time.Time // what closed before is not listed
}

// ReadPlanWaves asks Temporal which waves of a plan, and roll backs of those, run, and how the last one ended. Its
// lists may be some seconds old.
func (c *Control) ReadPlanWaves(ctx context.Context, in ReadPlanWavesInput) (*patch.PlanWaves, error) {
	if c.Waves == nil {
		return nil, temporal.NewNonRetryableApplicationError("this worker cannot list waves", ErrLockUnknown, nil)
	}
	seen, err := c.Waves.OfPlan(ctx, in.Plan, in.Since)
	if err != nil {
		return nil, temporal.NewApplicationErrorWithCause(
			"ask Temporal for the waves of the plan "+in.Plan+": "+err.Error(), ErrLockUnknown, err,
		)
	}
	return &seen, nil
}

// Waves lists a plan's waves.
type Waves interface {
	OfPlan(ctx context.Context, plan string, since time.Time) (patch.PlanWaves, error)
}

// Lister is what listing waves uses of Temporal's client.
type Lister interface {
	ListWorkflow(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest) (
		*workflowservice.ListWorkflowExecutionsResponse, error,
	)
}

// NewWaves lists waves by Temporal's visibility.
func NewWaves(client Lister) Waves { return temporalWaves{client} }

type temporalWaves struct{ client Lister }

// OfPlan lists those that run, whenever they began, and then those that have closed since.
func (w temporalWaves) OfPlan(ctx context.Context, plan string, since time.Time) (seen patch.PlanWaves, err error) {
	of := fmt.Sprintf("%s = '%s' AND WorkflowType IN ('%s', '%s')", names.AttributePlan, plan, names.PatchWave,
		names.RollBackWave)
	err = w.list(ctx, of+" AND ExecutionStatus = 'Running'", func(info *workflow.WorkflowExecutionInfo) {
		seen.Open = append(seen.Open, info.GetExecution().GetWorkflowId())
	})
	if err != nil {
		return seen, err
	}
	slices.Sort(seen.Open)
	closed := fmt.Sprintf("%s AND CloseTime >= '%s'", of, since.UTC().Format(time.RFC3339))
	err = w.list(ctx, closed, func(info *workflow.WorkflowExecutionInfo) {
		ended := info.GetCloseTime().AsTime()
		counts := info.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING &&
			info.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW &&
			!patch.WaveState(keyword(info, names.AttributeState)).NeverBegan()
		if counts && (seen.Last == nil || ended.After(seen.Last.Ended)) {
			outcome := patch.Outcome(keyword(info, names.AttributeOutcome))
			if info.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_COMPLETED {
				outcome = outcome.NotByItself(info.GetStatus().String())
			}
			seen.Last = &patch.PlanWave{ID: info.GetExecution().GetWorkflowId(), Outcome: outcome, Ended: ended}
		}
	})
	return seen, err
}

// keyword is a search attribute; one that cannot be read is as good as none.
func keyword(info *workflow.WorkflowExecutionInfo, name string) (value string) {
	if payload := info.GetSearchAttributes().GetIndexedFields()[name]; payload != nil {
		_ = converter.GetDefaultDataConverter().FromPayload(payload, &value)
	}
	return value
}

func (w temporalWaves) list(ctx context.Context, query string, each func(*workflow.WorkflowExecutionInfo)) error {
	request := &workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: wavesPage}
	for {
		page, err := w.client.ListWorkflow(ctx, request)
		if err != nil {
			return err
		}
		for _, info := range page.GetExecutions() {
			each(info)
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return nil
		}
	}
}

const wavesPage = 100
