package wavetest

import (
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
)

// AsParent runs a child workflow under its lock as the workflow with the id parent would, which is the only one that
// may: see run.ChildOf.
func (s *Scene) AsParent(parent, lock, kind string, input, result any) {
	s.T.Helper()
	s.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: parent, TaskQueue: names.TaskQueue})
	root := func(ctx workflow.Context) error {
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: lock, WaitForCancellation: true})
		return workflow.ExecuteChildWorkflow(child, kind, input).Get(child, result)
	}
	s.Env.RegisterWorkflowWithOptions(root, workflow.RegisterOptions{Name: "parent"})
	s.Env.ExecuteWorkflow("parent")
	require.True(s.T, s.Env.IsWorkflowCompleted())
	require.NoError(s.T, s.Env.GetWorkflowError())
}
