package activities

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.temporal.io/sdk/temporal"
)

// Error types as workflows and people see them. The typed error is always the outermost one: wrapped in anything else,
// Temporal loses its type and its retryability.
const (
	// Retried always.
	ErrNotReady       = "NotReady"       // a wait's condition does not hold yet; the last one is a spent budget
	ErrInstallPending = "InstallPending" // Automation has queued the execution; its time has not begun
	ErrThrottled      = "Throttled"
	ErrAWS            = "AWSError"      // anything that may pass: a server error, a lost connection
	ErrEvidence       = "EvidenceStore" // the store is away; non-retryable when a record cannot be trusted
	ErrLockUnknown    = "LockUnknown"   // Temporal did not say who holds a lock
	ErrNotificationPending     = "NotificationPending"    // a channel did not take a notice, and may

	// Retried in compensation, final going forward (see Final).
	ErrAccessDenied = "AccessDenied"
	ErrRejected     = "Rejected" // AWS found the request invalid, which Auto Scaling also says of states in passing
	ErrMaxReached   = "MaxReached"

	// Final always.
	ErrInvalidInput    = "InvalidInput"
	ErrGone            = "Gone" // EC2 no longer has the instance
	ErrGroupNotFound   = "GroupNotFound"
	ErrNotInService    = "NotInService"
	ErrSnapshotFailed  = "SnapshotFailed"
	ErrRestoreFailed   = "RestoreFailed"
	ErrRunbookChanged  = "RunbookChanged"
	ErrNotHealthy      = "NotHealthy"
	ErrUnknownWave     = "UnknownWave"     // no evidence of a wave with that id
	ErrSecurityGroupsChanged   = "SecurityGroupsChanged"   // somebody else changed security groups that we had changed
	ErrNoSecurityGroup = "NoSecurityGroup" // the isolating security group is not there
	ErrOwnedByAnotherWave          = "OwnedByAnotherWave"   // the resource carries another wave's journal tag
	ErrNotificationRejected         = "NotificationRejected"         // a channel refuses a notice
)

// Final lists the error types that end an activity going forward though compensation retries them.
func Final() []string { return []string{ErrAccessDenied, ErrRejected, ErrMaxReached} }

var throttleCodes = []string{
	"Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "TooManyRequestsException", "RequestThrottled",
	"SlowDown", "AutomationExecutionLimitExceeded", "AutomationExecutionLimitExceededException", "ResourceContention",
	"ScalingActivityInProgress", "ScalingActivityInProgressFault", "ResourceContentionFault",
}

var deniedCodes = []string{
	"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure",
	"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "OptInRequired",
}

// passingCodes are those of what another attempt mends: credentials that ran out on the way, a clock, a server.
var passingCodes = []string{
	"ExpiredToken", "ExpiredTokenException", "RequestExpired", "InternalFailure", "InternalError", "InternalServerError",
	"ServiceUnavailable", "ServiceUnavailableException", "Unavailable",
}

// awsError gives an AWS error its type, by its code, and says what was being done and where. Everything an activity
// returns from AWS passes here. The message tells all that the SDK's error does; only AWS's own part of it is kept as the
// cause, since every link of the chain goes into the workflow's history.
func awsError(doing, where string, err error) error {
	if err == nil {
		return nil
	}
	var typed *temporal.ApplicationError
	if errors.As(err, &typed) {
		return typed
	}
	message := fmt.Sprintf("%s (%s): %v", doing, where, err)
	var api smithy.APIError
	if !errors.As(err, &api) {
		return temporal.NewApplicationError(message, ErrAWS)
	}
	return temporal.NewApplicationErrorWithCause(message, typeOf(api, err), api)
}

func typeOf(api smithy.APIError, err error) string {
	switch code := api.ErrorCode(); {
	case slices.Contains(throttleCodes, code) || statusOf(err) == http.StatusTooManyRequests:
		return ErrThrottled
	case slices.Contains(deniedCodes, code):
		return ErrAccessDenied
	case slices.Contains(passingCodes, code) || serverFailed(err):
		return ErrAWS
	}
	return ErrRejected
}

// serverFailed tells an answer of a server in trouble. The code alone does not say it: many services' errors are not in the
// SDK's models.
func serverFailed(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorFault() == smithy.FaultServer || statusOf(err) >= http.StatusInternalServerError
}

// statusOf is the HTTP status AWS answered with; 0 when it did not answer.
func statusOf(err error) int {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		return 0
	}
	return response.HTTPStatusCode()
}

// errorIs tells whether an error has one of our types.
func errorIs(err error, types ...string) bool {
	var typed *temporal.ApplicationError
	return errors.As(err, &typed) && slices.Contains(types, typed.Type())
}

// hasCode tells whether AWS answered with one of the codes.
func hasCode(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}

// final is an error that no retry will mend.
func final(errorType, format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(format, args...), errorType, nil)
}

// notReady says that a wait goes on: it is retried after poll, is no failure in anybody's metrics, and costs no history.
func notReady(poll time.Duration, format string, args ...any) error {
	return waiting(ErrNotReady, poll, format, args...)
}

func waiting(errorType string, poll time.Duration, format string, args ...any) error {
	return temporal.NewApplicationErrorWithOptions(fmt.Sprintf(format, args...), errorType, temporal.ApplicationErrorOptions{
		NextRetryDelay: poll,
		Category:       temporal.ApplicationErrorCategoryBenign,
	})
}
