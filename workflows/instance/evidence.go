package instance

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// detailsBudget is for how long an evidence store may be away before the next instance goes on without.
const detailsBudget = 5 * time.Minute

// keepDetails writes what was done to the instance to the evidence; the result has its counts and its hash. A store
// that stays away changes nothing of what was done, but it is told.
func (s *saga) keepDetails(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	details := patch.InstanceDetails{
		WaveID: s.in.WaveID, Group: s.in.Group.String(), Instance: s.in.Instance, Try: s.in.Try,
		Outcome: s.status.Result.Outcome, BaselineID: s.patching.scan.BaselineID,
		MissingBefore: run.List(s.patching.scan.Missing), MissingAfter: run.List(s.patching.missing),
		Changes: s.patching.report.Changes, Before: s.patching.report.Before, After: s.patching.report.After,
		BakeFailures: s.health.failures, Metrics: s.health.metrics, Hooks: s.status.Result.Hooks,
	}
	if !details.Any() {
		return
	}
	if details.Changes == nil {
		details.Changes = []patch.PackageChange{}
	}
	var saved activities.InstanceSaved
	options := run.Controlling(clean, "what was done to "+s.in.Instance)
	if err := workflow.ExecuteActivity(run.Within(options, detailsBudget), control.SaveInstance,
		activities.SaveInstanceInput{Details: details}).Get(clean, &saved); err != nil {
		s.note("which patches and packages is not in the evidence: %s", run.Reason(err))
		return
	}
	s.status.Result.Details = saved.SHA256
}
