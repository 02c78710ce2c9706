package aws

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// onTheMachine are the SDK's names of what it asks for credentials on the machine itself: an instance's and a
// container's metadata. That they do not answer says that there is no role, and nothing of AWS.
var onTheMachine = []string{"ec2imds", "endpoint-credentials"}

// Unreachable is why a call had no answer of AWS's at all, in the network's words: no such host, connection refused, a
// proxy, a time-out. It is "" where AWS has answered, whatever it said, where there were no credentials to ask with,
// and for nil.
func Unreachable(err error) string {
	var unsent *smithyhttp.RequestSendError
	switch {
	case innermost(err) == "" || IsWithoutCredentials(err):
		return ""
	case errors.As(err, &unsent):
		return unsent.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return ""
}

// IsWithoutCredentials reports whether nothing on this machine gave any: a call was never sent.
func IsWithoutCredentials(err error) bool { return slices.Contains(onTheMachine, innermost(err)) }

// Reason is what a person needs of an error of AWS's, without the SDK's way there: its code and message, why there was
// no answer, or that there were no credentials; else the error's own words.
func Reason(err error) string {
	var refused smithy.APIError
	switch why := Unreachable(err); {
	case why != "":
		return why
	case IsWithoutCredentials(err):
		return "no credentials were found, and this machine has no role"
	case errors.As(err, &refused):
		return refused.ErrorCode() + ": " + refused.ErrorMessage()
	}
	return err.Error()
}

// innermost is the service whose call failed: what a call is signed with may be a call's result.
func innermost(err error) (service string) {
	var call *smithy.OperationError
	for errors.As(err, &call) {
		service, err = call.Service(), call.Err
	}
	return service
}
