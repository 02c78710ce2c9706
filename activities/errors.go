package activities

import (
	"errors"
	"fmt"
	"time"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/evidence"

	"github.com/aws/smithy-go"
	"go.temporal.io/sdk/temporal"
)

// Error types as workflows and people see them. The typed error is always the outermost one: wrapped in anything else,
// Temporal loses its type and its retryability.
const (
	// Retried always.
	ErrNotReady       = notReadyType     // a wait's condition does not hold yet; the last one is a spent budget
	ErrInstallPending = "InstallPending" // Automation has queued the execution; its time has not begun
	ErrThrottled      = aws.Throttled
	ErrAWS            = aws.Passing
	ErrEvidence       = "EvidenceStore" // the store is away; non-retryable when a record cannot be trusted
	ErrLockUnknown    = "LockUnknown"   // Temporal did not say who holds a lock
	ErrNotToldYet     = "NotToldYet"    // a channel did not take a notice, and may

	// Retried in compensation, final going forward (see Final).
	ErrAccessDenied = aws.Denied
	ErrRejected     = aws.Refused
	ErrMaxReached   = "MaxReached"

	// Final always.
	ErrInvalidInput    = aws.InvalidInput
	ErrGone            = aws.Gone
	ErrGroupNotFound   = aws.GroupNotFound
	ErrNotInService    = "NotInService"
	ErrSnapshotFailed  = "SnapshotFailed"
	ErrRestoreFailed   = "RestoreFailed"
	ErrRunbookChanged  = "RunbookChanged"
	ErrNotHealthy      = "NotHealthy"
	ErrUnknownWave     = "UnknownWave"     // no evidence of a wave with that id
	ErrForeignGroups   = "ForeignGroups"   // somebody else changed security groups that we had changed
	ErrNoSecurityGroup = "NoSecurityGroup" // the isolating security group is not there
	ErrMarked          = "MarkedByOther"   // the resource carries another wave's journal tag
	ErrNotTold         = "NotTold"         // a channel refuses a notice
)

// Final lists the error types that end an activity going forward though compensation retries them.
func Final() []string { return []string{ErrAccessDenied, ErrRejected, ErrMaxReached} }

// typed gives an error of AWS, where it is one, the form in which Temporal keeps its type: every activity that calls AWS defers
// it. The message tells all that the SDK's error does; only AWS's own part of it is kept as the cause, since every link of the
// chain goes into the workflow's history.
func typed(err *error) {
	var done *temporal.ApplicationError
	var known *aws.Error
	if errors.As(*err, &done) || !errors.As(*err, &known) {
		return
	}
	options := temporal.ApplicationErrorOptions{NonRetryable: known.Final}
	var api smithy.APIError
	if errors.As(known.Err, &api) {
		options.Cause = api
	}
	*err = temporal.NewApplicationErrorWithOptions(known.Message, known.Kind, options)
}

// final is an error that no retry will mend.
func final(errorType, format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(format, args...), errorType, nil)
}

// notReadyType is the type of an error that says that a wait goes on; the last one is a spent budget.
const notReadyType = "NotReady"

// notReady says that a wait goes on: it is retried after poll, is no failure in anybody's metrics, and costs no history.
func notReady(poll time.Duration, format string, args ...any) error {
	return waiting(notReadyType, poll, format, args...)
}

// waiting is notReady of another type.
func waiting(errorType string, poll time.Duration, format string, args ...any) error {
	return temporal.NewApplicationErrorWithOptions(fmt.Sprintf(format, args...), errorType, temporal.ApplicationErrorOptions{
		NextRetryDelay: poll,
		Category:       temporal.ApplicationErrorCategoryBenign,
	})
}

// evidenceError types a failure of the evidence store. A store that is away comes back; a record that cannot be trusted
// must be looked at by a person.
func evidenceError(doing string, err error) error {
	if err == nil {
		return nil
	}
	var invalid *evidence.InvalidRecordError
	if errors.As(err, &invalid) {
		return temporal.NewNonRetryableApplicationError(doing+": "+err.Error(), ErrEvidence, err)
	}
	return temporal.NewApplicationErrorWithCause(doing+": "+err.Error(), ErrEvidence, err)
}
