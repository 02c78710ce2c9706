package temporalui

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// View is a list that people look at again and again.
type View struct {
	Name  string
	Query string // in the language of Temporal's visibility
}

// A workflow that was terminated keeps its last state as a search attribute, so that what waits or runs is asked for by
// Temporal's own status as well.
const running = `ExecutionStatus = "Running"`

// Waiting shows every wave that waits for a person.
func Waiting() View {
	return View{
		"waits for a person", inState(patch.StateOnHold, patch.StateAwaitingApproval, patch.StatePaused, patch.StateParked),
	}
}

// Views lists the lists, the most urgent first. Temporal's visibility compares with absolute times only: a week is the
// one before now.
func Views(now time.Time) []View {
	week := now.AddDate(0, 0, -7).UTC().Format(time.RFC3339)
	return []View{
		Waiting(),
		{"on hold", inState(patch.StateOnHold)},
		{"awaiting approval", inState(patch.StateAwaitingApproval)},
		{"waves running", waves() + " AND " + running},
		{
			"failed this week",
			fmt.Sprintf(`%s AND CloseTime > %q AND (ExecutionStatus IN ("Failed", "Terminated", "TimedOut") OR %s IN (%q, %q))`,
				waves(), week, names.AttributeOutcome, patch.Failed, patch.RolledBack),
		},
		{
			"nobody was told",
			fmt.Sprintf(`WorkflowType = %q AND ExecutionStatus = "Failed" AND CloseTime > %q`, names.Notify, week),
		},
	}
}

func waves() string {
	return fmt.Sprintf(`WorkflowType IN (%q, %q)`, names.PatchWave, names.RollBackWave)
}

func inState(states ...patch.WaveState) string {
	quoted := make([]string, len(states))
	for i, state := range states {
		quoted[i] = fmt.Sprintf("%q", state)
	}
	if len(quoted) == 1 {
		return names.AttributeState + " = " + quoted[0] + " AND " + running
	}
	return names.AttributeState + " IN (" + strings.Join(quoted, ", ") + ") AND " + running
}
