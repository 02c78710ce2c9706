package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
)

// Register makes every workflow known under the name that people see.
func Register(registry worker.WorkflowRegistry) {
	registry.RegisterWorkflowWithOptions(PatchWave, workflow.RegisterOptions{Name: names.PatchWave})
	registry.RegisterWorkflowWithOptions(PatchGroup, workflow.RegisterOptions{Name: names.PatchGroup})
	registry.RegisterWorkflowWithOptions(PatchInstance, workflow.RegisterOptions{Name: names.PatchInstance})
	registry.RegisterWorkflowWithOptions(ScanFleet, workflow.RegisterOptions{Name: names.ScanFleet})
	registry.RegisterWorkflowWithOptions(Reconcile, workflow.RegisterOptions{Name: names.Reconcile})
	registry.RegisterWorkflowWithOptions(Freeze, workflow.RegisterOptions{Name: names.Freeze})
	registry.RegisterWorkflowWithOptions(Quarantine, workflow.RegisterOptions{Name: names.Quarantine})
	registry.RegisterWorkflowWithOptions(HoldService, workflow.RegisterOptions{Name: names.HoldService})
	registry.RegisterWorkflowWithOptions(RollBackWave, workflow.RegisterOptions{Name: names.RollBackWave})
	registry.RegisterWorkflowWithOptions(OpenWindow, workflow.RegisterOptions{Name: names.OpenWindow})
	registry.RegisterWorkflowWithOptions(Notify, workflow.RegisterOptions{Name: names.Notify})
}
