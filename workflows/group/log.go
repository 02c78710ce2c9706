package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// log tells in the worker's log where the group stands.
func (g *group) log(ctx workflow.Context) {
	about := []any{"group", g.status.Group, "instances", len(g.status.Instances)}
	if g.status.Reason != "" {
		about = append(about, "why", g.status.Reason)
	}
	tell := workflow.GetLogger(ctx).Info
	if g.status.Phase == patch.GroupHeld {
		tell = workflow.GetLogger(ctx).Warn
	}
	tell("group: "+g.status.Phase.Words(), about...)
}
