package services

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// longestEvent is the most that a function is told by a synchronous invocation, 6 MB (Lambda's quotas).
const longestEvent = 6 << 20

// longestLogTail is how much of a function's log an invocation tells (API reference of Invoke, LogResult).
const longestLogTail = 4 << 10

func registerFunctions(r *api.Registry, w *world.World) {
	api.Handle(
		r, "lambda", "Invoke", []string{"FunctionName", "Qualifier", "InvocationType", "LogType", "Payload"},
		func(c api.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) { return invoke(w, c, in) },
	)
}

// functionName is a function with its version or alias, which a request may name beside it.
func functionName(function, qualifier string) string {
	if qualifier == "" {
		return function
	}
	return function + ":" + qualifier
}

func invoke(w *world.World, c api.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	name := functionName(deref(in.FunctionName), deref(in.Qualifier))
	region := regionOf(w, c)
	here := region.ARN("lambda", "function:")
	function, qualifier := region.Function(name)
	switch {
	case function == nil:
		return nil, &api.Error{
			Code: "ResourceNotFoundException", Status: http.StatusNotFound,
			Message: "Function not found: " + here + strings.TrimPrefix(name, here),
		}
	case in.InvocationType == types.InvocationTypeEvent:
		return nil, api.NotModelled("invocation type %s", in.InvocationType)
	case in.InvocationType == types.InvocationTypeDryRun:
		return &lambda.InvokeOutput{StatusCode: http.StatusNoContent}, nil
	case len(in.Payload) > longestEvent:
		return nil, &api.Error{
			Code: "RequestTooLargeException", Status: http.StatusRequestEntityTooLarge,
			Message: "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
		}
	case !w.Ready(function):
		return nil, &api.Error{
			Code: "ResourceConflictException", Status: http.StatusConflict,
			Message: "The operation cannot be performed at this time. The function is currently in the following state: Pending",
		}
	case function.Reserved != nil && *function.Reserved == 0:
		return nil, &api.Error{
			Code: "TooManyRequestsException", Status: http.StatusTooManyRequests, Message: "Rate Exceeded.",
			Details: map[string]string{"Reason": string(types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded)},
		}
	}
	answer := function.Invoke(c.Time, qualifier, in.Payload)
	version := "$LATEST"
	if qualifier != "" && qualifier != version {
		version = "1" // what every alias points to
	}
	out := &lambda.InvokeOutput{
		StatusCode: http.StatusOK, Payload: answer.Payload, ExecutedVersion: &version, FunctionError: given(answer.Error),
	}
	if in.LogType == types.LogTypeTail {
		log := answer.Log[max(len(answer.Log)-longestLogTail, 0):]
		out.LogResult = ref(base64.StdEncoding.EncodeToString([]byte(log)))
	}
	if answer.Took > 0 {
		return nil, &api.NotYet{Patience: answer.Took, Empty: out, Settled: true}
	}
	return out, nil
}
