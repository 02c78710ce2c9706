package preflight

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/scan"
)

// ScanInput starts ScanGroups.
type ScanInput struct {
	WaveID     string
	SnapshotID string // what the rules are as of
	Groups     []Scanning
	Timing     patch.Timing
}

// Scanning is a group that is to be scanned.
type Scanning struct {
	Group      patch.Group
	Members    []string
	BaselineID string
	Attempt    activities.Attempt
}

// Scanned is what is missing in a group.
type Scanned struct {
	Missing   int    // patches, in all
	Compliant int    // instances that have nothing to do
	Failed    string // why the group could not be scanned; "": it was
}

// ScanGroups scans groups by baselines that are registered. A scan that fails is told and is no error: each instance is
// scanned again before it is touched.
func ScanGroups(ctx workflow.Context, in ScanInput) ([]Scanned, error) {
	return ofEach(ctx, in.WaveID, in.Groups, func(ctx workflow.Context, of Scanning) (found Scanned, err error) {
		scans, err := scan.Counts(
			ctx, of.Group, in.Timing, of.Members, of.BaselineID, in.SnapshotID, of.Attempt,
		)
		switch {
		case ctx.Err() != nil:
			return found, ctx.Err()
		case err != nil:
			found.Failed = run.Reason(err)
			workflow.GetLogger(ctx).Warn("scan failed", "group", of.Group.String(), "error", found.Failed)
			return found, nil
		}
		for _, each := range scans {
			found.Missing += each.MissingNumber()
			if each.Compliant() {
				found.Compliant++
			}
		}
		return found, nil
	})
}
