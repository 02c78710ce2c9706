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
	service := innermost(err)
	switch {
	case service == "" || slices.Contains(onTheMachine, service):
		return ""
	case errors.As(err, &unsent):
		return unsent.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return ""
}

// innermost is the service whose call failed: what a call is signed with may be a call's result.
func innermost(err error) (service string) {
	var call *smithy.OperationError
	for errors.As(err, &call) {
		service, err = call.Service(), call.Err
	}
	return service
}
