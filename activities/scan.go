package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// StartScanInput asks for a patch scan of at most 50 instances of one group.
type StartScanInput struct {
	Group      patch.Group
	Instances  []string
	SnapshotID string // a GUID of our own: a patch state is ours only if it carries it
	Attempt    Attempt
	Budget     patch.Duration
	Pace       Pace
}

// StartScan runs AWS-RunPatchBaseline Scan by Run Command. SendCommand has no client token: the attempt's token stands in the
// command's comment and is looked for before repeating; a scan done twice changes nothing.
func (a *AWS) StartScan(ctx context.Context, in StartScanInput) (*ScanTicket, error) {
	return nil, errUnbuilt
}

// AwaitScanInput waits for a scan.
type AwaitScanInput struct {
	Group      patch.Group
	Instances  []string
	Ticket     ScanTicket
	BaselineID string // the one it must have been judged by; "" accepts any
	Pace       Pace
}

// ScanResults holds one result for each instance asked for, in that order.
type ScanResults struct {
	Scans []patch.Scan
}

// AwaitScan waits until the command has ended on each instance and the patch states are proven to be of this run: Operation
// Scan, our SnapshotId, OperationEndTime not before it started. An instance whose scan did not run has Error set, and so has
// one that was judged by another baseline than ours.
func (a *AWS) AwaitScan(ctx context.Context, in AwaitScanInput) (*ScanResults, error) {
	return nil, errUnbuilt
}

// EnsureBaselineInput names a baseline of baselines/ by name.
type EnsureBaselineInput struct {
	Group    patch.Group // its account and region
	Baseline string
}

// RegisteredBaseline is a baseline as SSM has it.
type RegisteredBaseline struct {
	BaselineID string
}

// EnsureBaseline makes SSM's baseline equal to the file, by name, and registers it for its patch group. It changes nothing
// when they are equal already.
func (a *AWS) EnsureBaseline(ctx context.Context, in EnsureBaselineInput) (*RegisteredBaseline, error) {
	return nil, errUnbuilt
}
