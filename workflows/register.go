// Package workflows is the durable order of steps, and nothing else. Each folder is one workflow, or a few that belong
// together; this file registers them, and types.go gathers what people send them and what they get from them. What
// comes next is decided by internal/patch; every side effect is an activity.
package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows/freeze"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/image"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/notice"
	"github.com/patchtide/patchtide/workflows/patches"
	"github.com/patchtide/patchtide/workflows/preflight"
	"github.com/patchtide/patchtide/workflows/reconcile"
	"github.com/patchtide/patchtide/workflows/scan"
	"github.com/patchtide/patchtide/workflows/service"
	"github.com/patchtide/patchtide/workflows/soak"
	"github.com/patchtide/patchtide/workflows/wave"
	"github.com/patchtide/patchtide/workflows/window"
)

// Register makes every workflow known under the name that people see.
func Register(registry worker.WorkflowRegistry) {
	for name, run := range map[string]any{
		names.PatchWave:        wave.PatchWave,
		names.PreviewWave:      wave.PreviewWave,
		names.RollBackWave:     wave.RollBackWave,
		names.PatchGroup:       group.PatchGroup,
		names.ExamineGroups:    preflight.ExamineGroups,
		names.RegisterGroups:   preflight.RegisterGroups,
		names.FindTargetGroups: preflight.FindTargetGroups,
		names.JudgeGroups:      preflight.JudgeGroups,
		names.ScanGroups:       preflight.ScanGroups,
		names.WatchSoak:        soak.WatchSoak,
		names.RenewImage:       image.RenewImage,
		names.HealGroup:        group.HealGroup,
		names.ReleaseGroup:     group.ReleaseGroup,
		names.PatchInstance:    instance.PatchInstance,
		names.RestoreInstance:  instance.RestoreInstance,
		names.HealInstance:     instance.HealInstance,
		names.EndQuarantine:    instance.EndQuarantine,
		names.ScanFleet:        scan.ScanFleet,
		names.Reconcile:        reconcile.Reconcile,
		names.Quarantine:       reconcile.Quarantine,
		names.Freeze:           freeze.Freeze,
		names.HoldService:      service.HoldService,
		names.OpenWindow:       window.OpenWindow,
		names.Notify:           notice.Notify,
		names.Patches:          patches.Patches,
	} {
		registry.RegisterWorkflowWithOptions(run, workflow.RegisterOptions{Name: name})
	}
}
