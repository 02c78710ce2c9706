package activities

import (
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/once"
)

// Error types as workflows and people see them. The typed error is always the outermost one: wrapped in anything else,
// Temporal loses its type and its retryability.
const (
	// Retried always.
	ErrNotReady            = once.ErrNotReady // a wait's condition does not hold yet; the last one is a spent budget
	ErrInstallPending      = "InstallPending" // Automation has queued the execution; its time has not begun
	ErrMachineAway         = "MachineAway"    // an install waits for a machine whose agent has fallen silent
	ErrThrottled           = aws.Throttled
	ErrAWS                 = aws.Passing
	ErrEvidence            = "EvidenceStore"       // the store is away; non-retryable when what it holds cannot be trusted
	ErrLockUnknown         = "LockUnknown"         // Temporal did not say who holds a lock
	ErrNotificationPending = "NotificationPending" // a channel did not take a notice, and may

	// Retried in compensation, final going forward (see Final).
	ErrAccessDenied  = aws.Denied
	ErrNotRecognized = aws.Unrecognized
	ErrRejected      = aws.Refused
	ErrMaxReached    = "MaxReached"

	// Final always.
	ErrInvalidInput          = aws.InvalidInput
	ErrGone                  = aws.Gone
	ErrGroupNotFound         = aws.GroupNotFound
	ErrNotInService          = "NotInService"
	ErrCountedOtherwise      = "CountedOtherwise" // desired went down by something else than an instance weighs
	ErrSnapshotFailed        = "SnapshotFailed"
	ErrRestoreFailed         = "RestoreFailed"
	ErrImageFailed           = "ImageFailed"
	ErrRebootFailed          = "RebootFailed" // the machine refuses its reboot, or could not prove it
	ErrRunbookChanged        = "RunbookChanged"
	ErrNotHealthy            = "NotHealthy"
	ErrHookFailed            = "HookFailed"            // a hook can never run as the plan has it
	ErrBakeCut               = "BakeCut"               // what watched on the instance did not watch to its end
	ErrUnknownWave           = "UnknownWave"           // no evidence of a wave with that id
	ErrSecurityGroupsChanged = "SecurityGroupsChanged" // somebody else changed security groups that we had changed
	ErrNoSecurityGroup       = "NoSecurityGroup"       // the isolating security group is not there
	ErrOwnedByAnotherWave    = "OwnedByAnotherWave"    // the resource carries another wave's journal tag
	ErrNotificationRejected  = "NotificationRejected"  // a channel refuses a notice
)

// Final lists the error types that end an activity going forward though compensation retries them.
func Final() []string { return []string{ErrAccessDenied, ErrNotRecognized, ErrRejected, ErrMaxReached} }

// evidenceError types a failure of the evidence store. A store that is away comes back; a record that cannot be trusted
// must be looked at by a person.
func evidenceError(doing string, err error) error {
	if err == nil {
		return nil
	}
	var invalid *evidence.InvalidRecordError
	var altered *evidence.InvalidWaveError
	if errors.As(err, &invalid) || errors.As(err, &altered) {
		return temporal.NewNonRetryableApplicationError(doing+": "+err.Error(), ErrEvidence, err)
	}
	return temporal.NewApplicationErrorWithCause(doing+": "+err.Error(), ErrEvidence, err)
}

// NothingDone reports whether an activity ended with an error before anything of it can have taken effect: there is
// nothing to take back.
func NothingDone(err error) bool { return once.NothingDone(err) }
