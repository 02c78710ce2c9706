package instance

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// tell lets the group know which step the instance is at, for people to look at. It does not wait, and a group that does not hear it
// only shows less. The last step is told by the instance's result.
func (s *saga) tell(ctx workflow.Context) {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	if !s.in.Tells || parent == nil || s.status.Step == patch.StepEnded {
		return
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	workflow.SignalExternalWorkflow(clean, parent.ID, parent.RunID, names.SignalInstanceNow, patch.InstanceNow{
		Group: s.in.Group.String(), ID: s.in.Instance, Step: s.status.Step, Undoing: s.status.Undoing || s.putBack != nil, Since: s.status.Since,
	})
}
