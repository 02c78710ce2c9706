package temporalui

import (
	"time"

	"github.com/patchtide/patchtide/internal/names"
)

// Form is what a start form asks for, beside the input.
type Form struct {
	Workflow   string // its type
	WorkflowID string
}

// StartWave starts a wave of a plan; at makes its id.
func StartWave(plan string, at time.Time) Form {
	return Form{names.PatchWave, names.ScheduledWave(plan, at)}
}

// PreviewWave tells what a wave of a plan would do.
func PreviewWave(plan string, at time.Time) Form {
	return Form{names.PreviewWave, names.Plan(plan, at)}
}

// ScanFleet scans a plan's groups.
func ScanFleet(plan string, at time.Time) Form { return Form{names.ScanFleet, names.Scan(plan, at)} }

// RollBackWave puts back what a closed wave patched.
func RollBackWave(wave string) Form { return Form{names.RollBackWave, names.RollBack(wave)} }

// Reconcile puts back what waves that no longer run have left.
func Reconcile() Form { return Form{names.Reconcile, names.ReconcileID} }

// ListQuarantine lists the quarantined instances.
func ListQuarantine() Form { return Form{names.Quarantine, names.QuarantineListID} }
