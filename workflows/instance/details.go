package instance

import (
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// tell lets the group know which step the instance is at, for people to look at. It does not wait, and a group that
// does not hear it only shows less. The last step is told by the instance's result.
func (s *saga) tell(ctx workflow.Context) {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	if !s.in.Tells || parent == nil || s.status.Step == patch.StepEnded {
		return
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	why := ""
	if s.status.Undoing {
		why = patch.Clip(s.status.Result.Reason, longestWhy)
	}
	workflow.SignalExternalWorkflow(clean, parent.ID, parent.RunID, names.SignalInstanceNow, patch.InstanceNow{
		ID: s.in.Instance, Step: s.status.Step, Undoing: s.putsBack(),
		Since: s.status.Since, Failing: s.status.Failing, Why: why,
	})
}

// longestWhy is how much its group is told of why an instance is put back; its own page has all of it.
const longestWhy = 400

// putsBack reports whether what is done now puts the instance back.
func (s *saga) putsBack() bool { return s.status.Undoing || s.putBack != nil }

// doing is the step in a person's words.
func (s *saga) doing() string {
	return s.status.Step.Told(s.putsBack())
}

// details is what the Temporal UI shows of the instance.
func (s *saga) details() string {
	var text strings.Builder
	run.Write(&text, "**%s** in %s: %s, since %s\n", s.in.Instance, s.in.Group, s.doing(), brief.UTC(s.status.Since))
	if s.status.Result.Reason != "" {
		run.Write(&text, "\n%s\n", s.status.Result.Reason)
	}
	text.WriteString(hookTable(s.status.Result.Hooks))
	text.WriteString(run.Failing(s.status.Failing))
	for _, left := range s.status.Result.Stranded {
		run.Write(&text, "\n- **stranded** %s: %s. %s\n", left.Resource, left.State, left.WhatToDo)
	}
	return text.String()
}
