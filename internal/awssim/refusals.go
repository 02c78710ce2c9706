package awssim

import (
	"fmt"
	"net/http"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// The same refusal has another code from each service. Sources: each service's "Common Errors" page; EC2's and S3's
// lists of error codes; what the services' own models declare, like SNS's AuthorizationError and SQS's
// RequestThrottled.

// jsonServices speak AWS JSON: their codes end in Exception, and their status is 400.
var jsonServices = map[string]bool{"ssm": true, "kms": true, "codedeploy": true, "cloudtrail": true}

// unknownKey is how a service refuses a key it does not know.
func unknownKey(service string) *api.Error {
	const invalid = "The security token included in the request is invalid."
	switch {
	case jsonServices[service]:
		return api.Errorf("UnrecognizedClientException", invalid)
	case service == "lambda":
		return &api.Error{Code: "UnrecognizedClientException", Message: invalid, Status: http.StatusForbidden}
	case service == "ec2":
		return &api.Error{
			Code: "AuthFailure", Message: "AWS was not able to validate the provided access credentials",
			Status: http.StatusUnauthorized,
		}
	case service == "s3":
		return &api.Error{
			Code: "InvalidAccessKeyId", Message: "The AWS Access Key Id you provided does not exist in our records.",
			Status: http.StatusForbidden,
		}
	}
	return &api.Error{Code: "InvalidClientTokenId", Message: invalid, Status: http.StatusForbidden}
}

// expiredToken is how a service refuses an assumed role's keys after their time.
func expiredToken(service string) *api.Error {
	const expired = "The security token included in the request is expired"
	switch {
	case jsonServices[service]:
		return api.Errorf("ExpiredTokenException", expired)
	case service == "lambda":
		return &api.Error{Code: "ExpiredTokenException", Message: expired, Status: http.StatusForbidden}
	case service == "ec2":
		return api.Errorf("RequestExpired", "Request has expired.")
	case service == "s3":
		return api.Errorf("ExpiredToken", "The provided token has expired.")
	}
	return &api.Error{Code: "ExpiredToken", Message: expired, Status: http.StatusForbidden}
}

// refusal is what the verdict of a kind of policy becomes, in the words and with the code of the service. (IAM's guide,
// access denied error messages.)
func refusal(call api.Call, ask world.Ask, verdict world.Verdict, kind string) *api.Error {
	reason := fmt.Sprintf("because no %s allows the %s action", kind, ask.Action)
	if verdict == world.Denied {
		article := "a"
		if kind[0] == 'i' {
			article = "an"
		}
		reason = fmt.Sprintf("with an explicit deny in %s %s", article, kind)
	}
	resource := ask.Resource
	if call.Service == "s3" {
		resource = `"` + resource + `"`
	}
	message := fmt.Sprintf(
		"User: %s is not authorized to perform: %s on resource: %s %s", call.Caller, ask.Action, resource, reason,
	)
	switch {
	case call.Service == "ec2":
		return &api.Error{
			Code: "UnauthorizedOperation", Status: http.StatusForbidden,
			Message: "You are not authorized to perform this operation. " + message,
		}
	case call.Service == "sns":
		return &api.Error{Code: "AuthorizationError", Status: http.StatusForbidden, Message: message}
	case call.Service == "sqs", call.Service == "lambda":
		return &api.Error{Code: "AccessDeniedException", Status: http.StatusForbidden, Message: message}
	case jsonServices[call.Service]:
		return &api.Error{Code: "AccessDeniedException", Message: message}
	}
	return &api.Error{Code: "AccessDenied", Status: http.StatusForbidden, Message: message}
}
