// Package scan scans instances, groups and, with ScanFleet, all groups of a plan.
package scan

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Instances scans instances of one group, fifty at a time, and returns one result for each in their order.
func Instances(
	ctx workflow.Context, group patch.Group, t patch.Timing, ids []string, baselineID, snapshotID string,
	first activities.Attempt,
) ([]patch.Scan, error) {
	return Of(ctx, t, activities.AwaitScanInput{Group: group, Instances: ids, BaselineID: baselineID}, snapshotID, first)
}

// Counts is Instances for whoever needs to know how many patches are missing, and not which: many groups are scanned in
// one history.
func Counts(
	ctx workflow.Context, group patch.Group, t patch.Timing, ids []string, baselineID, snapshotID string,
	first activities.Attempt,
) ([]patch.Scan, error) {
	return Of(ctx, t, activities.AwaitScanInput{
		Group: group, Instances: ids, BaselineID: baselineID, Counts: true,
	}, snapshotID, first)
}

// Of is Instances of whatever is asked.
func Of(
	ctx workflow.Context, t patch.Timing, of activities.AwaitScanInput, snapshotID string, first activities.Attempt,
) ([]patch.Scan, error) {
	var scans []patch.Scan
	number := 0
	for part := range slices.Chunk(of.Instances, run.Batch) {
		token := first
		if number++; number > 1 {
			token = run.Attempt(first.WaveID, first.Token, fmt.Sprintf("batch-%d", number), 0)
		}
		var ticket activities.ScanTicket
		// A scan changes nothing, so starting one may be cancelled like a wait.
		options := run.Waiting(ctx, of.Group, t, t.ActBudget)
		if err := workflow.ExecuteActivity(options, aws.StartScan, activities.StartScanInput{
			Group: of.Group, Instances: part, SnapshotID: snapshotID, Attempt: token, Budget: t.Scan,
			Pace: run.Pace(t), Baseline: of.Baseline, At: of.At,
		}).Get(ctx, &ticket); err != nil {
			return nil, err
		}
		var results activities.ScanResults
		if err := workflow.ExecuteActivity(run.Waiting(ctx, of.Group, t, t.Scan), aws.AwaitScan, activities.AwaitScanInput{
			Group: of.Group, Instances: part, Ticket: ticket, BaselineID: of.BaselineID, Counts: of.Counts, Pace: run.Pace(t),
			Baseline: of.Baseline, At: of.At,
		}).Get(ctx, &results); err != nil {
			return nil, err
		}
		if len(results.Scans) != len(part) {
			return nil, fmt.Errorf("asked for the scans of %d instances, got %d", len(part), len(results.Scans))
		}
		scans = append(scans, results.Scans...)
	}
	return scans, nil
}
