package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/schedules"
)

// schedules looks at what runs by itself: the openings of the plans' windows, and Reconcile. Neither does until
// somebody has asked for it, and whoever did not may have meant so: that is unknown, and no problem.
func (d *doctor) schedules(ctx context.Context, t Temporal) []Result {
	var plans []schedules.Plan
	for _, name := range d.Config.PlanNames() {
		windows, found, err := d.Config.Windows(name)
		if err != nil {
			return []Result{{"schedule", name, Problem, err.Error(), "run `patchtide check`"}}
		}
		if found {
			plans = append(plans, schedules.Plan{Name: name, Windows: windows})
		}
	}
	handles := t.Client.ScheduleClient()
	const mend = "see that these credentials may list and describe schedules"
	reconcile, err := schedules.Reconcile{Schedules: handles}.Read(ctx)
	if err != nil {
		return []Result{{"schedule", t.Namespace, Unknown, err.Error(), mend}}
	}
	results := []Result{scheduledReconcile(*reconcile)}
	windows, err := schedules.Windows{Schedules: handles, Workflows: t.Client}.List(ctx, plans, d.Now())
	if err != nil {
		return append(results, Result{"schedule", t.Namespace, Unknown, err.Error(), mend})
	}
	for _, window := range windows {
		results = append(results, scheduledWindow(window))
	}
	return results
}

// scheduledReconcile says whether what a crash leaves is found without anybody's asking.
func scheduledReconcile(is schedules.ReconcileState) Result {
	result := Result{Check: "schedule", Where: is.ID, State: Unknown}
	switch {
	case !is.Exists:
		result.Says = "reconcile does not run by itself: what a crash or a terminated wave leaves is put back only when " +
			"somebody runs `patchtide reconcile`"
		result.Mend = "`patchtide reconcile schedule --every 1h`"
	case is.Paused:
		result.Says = "reconcile is paused: " + is.Note
		result.Mend = "`patchtide reconcile schedule --resume`"
	default:
		result.State, result.Says = OK, "reconcile runs every "+is.Every
	}
	return result
}

// scheduledWindow says whether a plan's window starts waves.
func scheduledWindow(is schedules.State) Result {
	result := Result{Check: "schedule", Where: is.Schedule, State: Unknown}
	switch {
	case is.Orphan:
		result.State = Problem
		result.Says = "the window of plan " + is.Plan + " that it opens is no more, and it still starts waves"
		result.Mend = "`patchtide schedule sync`"
	case !is.Exists:
		result.Says = "the window of plan " + is.Plan + " starts no waves: somebody has to start them while it is open"
		result.Mend = "`patchtide schedule sync`"
	case is.Warning != "":
		result.State, result.Says, result.Mend = Problem, is.Warning, "`patchtide schedule list` shows it"
	case len(is.Drift) > 0:
		var drift []string
		for _, each := range is.Drift {
			drift = append(drift, fmt.Sprintf("%s is %s instead of %s", each.What, each.Found, each.Wanted))
		}
		result.State = Problem
		result.Says = "it is not as the file says: " + strings.Join(drift, ", ")
		result.Mend = "`patchtide schedule sync`"
	case is.Paused:
		result.Says = "paused: " + is.Note
		result.Mend = "`patchtide schedule resume " + is.Plan + " --reason WHY`"
	case is.Last != nil && (is.Last.Outcome == schedules.NoWave || is.Last.Outcome == schedules.NotYet):
		result.Says = "its opening of " + is.Last.At.Format(time.RFC3339) + ": " + is.Last.Says
		result.Mend = "`patchtide schedule list`, and docs/runbook.md, \"A window passed without a wave\""
	default:
		result.State, result.Says = OK, "the window of plan "+is.Plan+" starts waves by itself"
	}
	return result
}
