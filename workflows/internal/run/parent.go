package run

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
)

// ChildOf refuses a workflow that is for others to start and was started by hand, or by another than it works for:
// what it is told to change has then been through no check. whose says in the error who starts it, and ids are the
// workflow ids that may; none: any parent of this namespace.
//
// It keeps mistakes and a stolen form of the UI out. Who may write to the namespace can also run a worker of their own,
// under any id: docs/security.md.
func ChildOf(ctx workflow.Context, whose string, ids ...string) error {
	info := workflow.GetInfo(ctx)
	parent := info.ParentWorkflowExecution
	is := "by hand"
	// Whoever is refused ends at once, so that what is replayed was not; and a saved history is replayed in a namespace
	// of no such name.
	foreign := info.ParentWorkflowNamespace != "" && info.ParentWorkflowNamespace != info.Namespace
	if parent != nil && foreign && !workflow.IsReplaying(ctx) {
		is = "from the namespace " + info.ParentWorkflowNamespace
	} else if parent != nil {
		if len(ids) == 0 {
			return nil
		}
		for _, id := range ids {
			if isOf(parent.ID, id) {
				return nil
			}
		}
		is = "by " + parent.ID
	}
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(
		"%s is started by %s, and this one was started %s; nothing was done: start what begins it instead, with "+
			"`patchtide wave`, `patchtide quarantine` or `patchtide reconcile`",
		info.WorkflowType.Name, strings.TrimSpace(whose+" "+strings.Join(ids, " or ")), is), activities.ErrInvalidInput, nil)
}

// isOf reports whether a parent has the id. A schedule's runs carry its id and their time.
func isOf(parent, id string) bool {
	return parent == id || id == names.ReconcileID && strings.HasPrefix(parent, id+"-")
}
