package aws

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// longestReturned is how many bytes are kept of what a function returns, which may be 6 MB: its log is told, too.
const longestReturned = 1 << 10

// Codes of invocations that the function has not begun. That it is not there is final.
const (
	codeNoFunction      = "ResourceNotFoundException"
	codeFunctionPending = "ResourceConflictException" // it is being made, or changed (developer guide, "function states")
)

// codesNotInvoked say, some of them with a server's status, that what the function needs was not ready, and that it has
// not been invoked (API reference of Invoke, Errors).
var codesNotInvoked = []string{
	codeFunctionPending, "ResourceNotReadyException", "SnapStartNotReadyException", "SnapStartTimeoutException",
	"SnapStartException", "EC2ThrottledException", "EC2UnexpectedException", "EC2AccessDeniedException",
	"ENILimitReachedException", "SubnetIPAddressLimitReachedException", "InvalidSubnetIDException",
	"InvalidSecurityGroupIDException", "EFSIOException", "EFSMountConnectivityException", "EFSMountFailureException",
	"EFSMountTimeoutException", "KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException",
	"KMSNotFoundException",
}

// FunctionEnd is how a function ended.
type FunctionEnd struct {
	Failed string // why; "": it ended well
	Late   bool   // it failed because its own time was over
	Output string // the end of its log, and the beginning of what it returned
}

// InvokeFunction runs a function once and waits for its end. That it failed is an answer, with a status of 200 like one
// that ended well. No error of this one proves that it has not run but those of which IsNotInvoked says so.
func InvokeFunction(ctx context.Context, s *Services, function string, event []byte) (*FunctionEnd, error) {
	out, err := s.Lambda.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &function, InvocationType: types.InvocationTypeRequestResponse, LogType: types.LogTypeTail,
		Payload: event,
	})
	if err != nil {
		return nil, err
	}
	end := &FunctionEnd{}
	if log, err := base64.StdEncoding.DecodeString(Deref(out.LogResult)); err == nil {
		end.Output = strings.TrimSpace(string(log))
	}
	if returned := string(out.Payload); returned != "null" {
		if len(returned) > longestReturned {
			returned = strings.ToValidUTF8(returned[:longestReturned], "") + " ..."
		}
		end.Output = strings.TrimSpace(end.Output + "\n" + returned)
	}
	if kind := Deref(out.FunctionError); kind != "" {
		end.Failed, end.Late = describeFunctionError(kind, out.Payload)
	}
	return end, nil
}

// describeFunctionError says why a function failed. Runtimes put an object in place of what it returns, whose texts are
// theirs (developer guide, "function errors").
func describeFunctionError(kind string, payload []byte) (why string, late bool) {
	var said struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	_ = json.Unmarshal(payload, &said) // one of another shape has no words of its own
	why = "the function failed (" + kind + ")"
	for _, word := range []string{said.Type, said.Message} {
		if word != "" {
			why += ": " + patch.Clip(word, 300)
		}
	}
	return why, said.Type == "Sandbox.Timedout" || strings.Contains(said.Message, "Task timed out after ")
}

// IsNotInvoked reports whether an error of InvokeFunction proves that the function has not run, and that it may yet:
// it is throttled, or not ready.
func IsNotInvoked(err error) bool {
	return KindOf(err) == Throttled || HasCode(err, codesNotInvoked...)
}

// IsNoFunction reports whether there is no such function, or none of that version or alias.
func IsNoFunction(err error) bool { return HasCode(err, codeNoFunction) }

// InvokeAfter is how long Lambda wants a throttled caller to wait; 0 where it does not say. The reason beside it tells
// whose limit it was.
func InvokeAfter(err error) (wait time.Duration, reason string) {
	var throttled *types.TooManyRequestsException
	if !errors.As(err, &throttled) {
		return 0, ""
	}
	seconds, _ := strconv.Atoi(Deref(throttled.RetryAfterSeconds)) // no number: it does not say
	return time.Duration(max(seconds, 0)) * time.Second, string(throttled.Reason)
}

// MissingFunction is why a function cannot be invoked, by a dry run, which "validates parameter values and verifies
// that the user or role has permission to invoke the function" (API reference of Invoke); "": it can.
func MissingFunction(ctx context.Context, s *Services, where, function string) (string, error) {
	_, err := s.Lambda.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &function, InvocationType: types.InvocationTypeDryRun,
	})
	switch {
	case err == nil, IsNotInvoked(err): // what is not ready now may be by then
		return "", nil
	case IsNoFunction(err):
		return "there is no function " + function, nil
	case KindOf(err) == Denied:
		return "the role may not invoke the function " + function + ": " + words(err), nil
	}
	return "", Wrap("ask for the function "+function, where, err)
}
