package aws

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Kinds of errors: what one means to whoever called AWS. Activities give them to workflows under the same names.
const (
	// Retried always.
	Throttled = "Throttled"
	// anything that may pass: a server's error, a lost connection, credentials that ran out on the way
	Passing = "AWSError"

	// Retried in compensation, final going forward.
	Denied = "AccessDenied"
	// AWS knows no such caller there: credentials, a clock, or a region that an account has not enabled.
	Unrecognized = "NotRecognized"
	Refused      = "Rejected" // AWS found the request invalid, which Auto Scaling also says of states in passing

	// Final always: AWS has answered well, and what it said is not what the caller needs.
	Gone          = "Gone" // EC2 no longer has the instance, or it is no member of its group any more
	GroupNotFound = "GroupNotFound"
	InvalidInput  = "InvalidInput"
)

// Error is what readers and calls of AWS return. Activities give it the form in which Temporal keeps its kind.
type Error struct {
	Kind    string
	Message string // what was being done, where, and AWS's own words
	Final   bool   // no retry will mend it
	Err     error  // the SDK's; nil where AWS answered well
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the SDK's error, so that its code can be asked for.
func (e *Error) Unwrap() error { return e.Err }

// Wrap gives an error of the SDK its kind, by its code, and says what was being done and where. An error that has a
// kind keeps it; nil stays nil.
func Wrap(doing, where string, err error) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return &Error{Kind: KindOf(err), Message: fmt.Sprintf("%s (%s): %s", doing, where, words(err)), Err: err}
}

// Final is an error that no retry will mend.
func Final(kind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Final: true}
}

// MayPass is an error of kind Passing though AWS answered well: the next look may find it mended.
func MayPass(format string, args ...any) error {
	return &Error{Kind: Passing, Message: fmt.Sprintf(format, args...)}
}

// KindOf is the kind of an error of AWS. One that says nothing of AWS's, such as a lost connection, is Passing; nil has
// none.
func KindOf(err error) string {
	if err == nil {
		return ""
	}
	var known *Error
	if errors.As(err, &known) {
		return known.Kind
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return Passing
	}
	switch code := api.ErrorCode(); {
	case slices.Contains(throttleCodes, code) || statusOf(err) == http.StatusTooManyRequests:
		return Throttled
	case slices.Contains(deniedCodes, code):
		return Denied
	case slices.Contains(unrecognizedCodes, code):
		return Unrecognized
	case slices.Contains(passingCodes, code) || serverFailed(err):
		return Passing
	}
	return Refused
}

// MayHaveActed reports whether a failed call can have taken effect: a lost connection and a server's error can, a
// throttle and a refusal cannot, nor can a call that its client says it never sent, or for which EC2 has no capacity.
func MayHaveActed(err error) bool {
	var early interface{ Unsent() bool }
	if errors.As(err, &early) && early.Unsent() {
		return false
	}
	if HasCode(err, CodeNoCapacity) { // EC2 answers with 500 that it has no such machine, and starts none
		return false
	}
	return KindOf(err) == Passing
}

// serverFailed reports whether a server in trouble answered. The code alone does not say it: many services' errors are
// not in the SDK's models.
func serverFailed(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorFault() == smithy.FaultServer ||
		statusOf(err) >= http.StatusInternalServerError
}

// statusOf is the HTTP status AWS answered with; 0 when it did not answer.
func statusOf(err error) int {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		return 0
	}
	return response.HTTPStatusCode()
}

// InPassing is a ValidationError that the state just seen does not explain: reads lag by seconds, so looking again is
// safe, since every attempt describes before it acts.
func InPassing(doing, where string, err error) error {
	return &Error{
		Kind: Passing,
		Message: fmt.Sprintf(
			"%s (%s): %s; what AWS shows does not say why, so it is looked at again", doing, where, words(err),
		),
		Err: err,
	}
}
