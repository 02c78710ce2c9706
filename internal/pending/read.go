package pending

import (
	"context"
	"slices"
	"sync"
	"time"

	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Bounds of one reading: how many workflows below a wave are asked, how many at the same time, and for how long.
const (
	mostAsked = 60
	atOnce    = 8
	deadline  = 5 * time.Second
)

// Guard is the activity by which what a wave has started looks whether the wave still runs: it is always there, and
// nobody waits for it.
const Guard = "AwaitRunClosed"

// Read asks a workflow, and those that it waits for, down to the last, what they wait for. first are ids of those below
// it to ask before all others, since not all of many are asked. A workflow below it that does not answer is counted
// among those not asked; the only error is that the one at the top does not.
func Read(ctx context.Context, temporal Describer, workflowID string, first ...string) (patch.Waits, error) {
	ctx, stop := context.WithTimeout(ctx, deadline)
	defer stop()
	waits := patch.Waits{At: time.Now(), On: []patch.Wait{}}
	top, err := temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return waits, err
	}
	asked := 0
	for level := []*workflowservice.DescribeWorkflowExecutionResponse{top}; len(level) > 0; {
		var below []*workflowpb.PendingChildExecutionInfo
		for _, described := range level {
			waits.On = append(waits.On, slices.DeleteFunc(Activities(described), func(wait patch.Wait) bool {
				return wait.Activity == Guard
			})...)
			below = append(below, waitedFor(described)...)
		}
		slices.SortStableFunc(below, func(a, b *workflowpb.PendingChildExecutionInfo) int {
			return rank(first, a) - rank(first, b)
		})
		if more := len(below) - (mostAsked - asked); more > 0 {
			waits.NotAsked += more
			below = below[:len(below)-more]
		}
		asked += len(below)
		level = describe(ctx, temporal, below)
		waits.NotAsked += len(below) - len(level)
	}
	slices.SortStableFunc(waits.On, func(a, b patch.Wait) int { return a.Since.Compare(b.Since) })
	return waits, nil
}

// waitedFor are a workflow's children in the order of their start. A notice is started, and not waited for.
func waitedFor(described *workflowservice.DescribeWorkflowExecutionResponse) []*workflowpb.PendingChildExecutionInfo {
	children := slices.DeleteFunc(
		slices.Clone(described.GetPendingChildren()), func(child *workflowpb.PendingChildExecutionInfo) bool {
			return child.GetWorkflowTypeName() == names.Notify
		})
	slices.SortFunc(children, func(a, b *workflowpb.PendingChildExecutionInfo) int {
		return int(a.GetInitiatedId() - b.GetInitiatedId())
	})
	return children
}

// rank is 0 for who is to be asked first.
func rank(first []string, child *workflowpb.PendingChildExecutionInfo) int {
	if slices.Contains(first, child.GetWorkflowId()) {
		return 0
	}
	return 1
}

// describe asks for workflows by their ids, some at the same time; what does not answer is left out.
func describe(
	ctx context.Context, temporal Describer, children []*workflowpb.PendingChildExecutionInfo,
) []*workflowservice.DescribeWorkflowExecutionResponse {
	found := make([]*workflowservice.DescribeWorkflowExecutionResponse, len(children))
	places := make(chan struct{}, atOnce)
	var asking sync.WaitGroup
	for i, child := range children {
		places <- struct{}{}
		asking.Go(func() {
			defer func() { <-places }()
			// One that has closed meanwhile may have been started anew: its id is asked, not its run.
			if described, err := temporal.DescribeWorkflowExecution(ctx, child.GetWorkflowId(), ""); err == nil {
				found[i] = described
			}
		})
	}
	asking.Wait()
	return slices.DeleteFunc(found, func(one *workflowservice.DescribeWorkflowExecutionResponse) bool {
		return one == nil
	})
}
