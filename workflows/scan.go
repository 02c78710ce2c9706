package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// batch is how many instances one command may name.
const batch = 50

// snapshotID is the baseline snapshot that all scans and installs of one wave share, so that rules are evaluated as of one
// moment and a patch state can be told to be ours.
func snapshotID(waveID string) string { return attempt(waveID, "", "baseline-snapshot", 0).Token }

// scanInstances scans instances of one group, fifty at a time, and returns one result for each in their order.
func scanInstances(ctx workflow.Context, group patch.Group, t patch.Timing, ids []string, baselineID, waveID string, first activities.Attempt) ([]patch.Scan, error) {
	var scans []patch.Scan
	number := 0
	for part := range slices.Chunk(ids, batch) {
		token := first
		if number++; number > 1 {
			token = attempt(waveID, first.Token, fmt.Sprintf("batch-%d", number), 0)
		}
		var ticket activities.ScanTicket
		// A scan changes nothing, so starting one may be cancelled like a wait.
		if err := workflow.ExecuteActivity(waiting(ctx, group, t, t.ActBudget), aws.StartScan, activities.StartScanInput{
			Group: group, Instances: part, SnapshotID: snapshotID(waveID), Attempt: token, Budget: t.Scan, Pace: pace(t),
		}).Get(ctx, &ticket); err != nil {
			return nil, err
		}
		var results activities.ScanResults
		if err := workflow.ExecuteActivity(waiting(ctx, group, t, t.Scan), aws.AwaitScan, activities.AwaitScanInput{
			Group: group, Instances: part, Ticket: ticket, BaselineID: baselineID, Pace: pace(t),
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
