package awssim

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// several reports whether a call is about several things, so that some of it may take effect and some not.
func (c CallInfo) several() bool { return strings.Contains(c.Resource, ",") }

// halve leaves the first half of the things that a call is about in its input. A call about one thing has no halves:
// asking for it is a mistake in a test, and is told so.
func halve(input any) error {
	v := reflect.ValueOf(input).Elem()
	for _, name := range resourceFields {
		field := v.FieldByName(name)
		if field.IsValid() && field.Kind() == reflect.Slice && field.Len() > 1 {
			field.Set(field.Slice(0, field.Len()/2))
			return nil
		}
	}
	return api.NotModelled("fault %s for a call that is about one thing", FaultPartial)
}

// half is how a call ends of which only a part took effect.
func half(about string, input any) error {
	done := resourceOf(input)
	left := slices.DeleteFunc(
		strings.Split(about, ","), func(id string) bool { return slices.Contains(strings.Split(done, ","), id) },
	)
	return &api.Error{
		Code: internalFailure, Status: usualStatus(internalFailure),
		Message: fmt.Sprintf("injected: nothing was done about %s", strings.Join(left, ", ")),
	}
}

// wrongStates are the errors with which services say that something is not in a state for the call, by service or
// operation.
var wrongStates = map[string]*api.Error{
	"autoscaling": api.Errorf(
		"ValidationError", "injected: the instance is not in a state in which this can be done.",
	),
	"ec2": api.Errorf(
		"IncorrectInstanceState", "injected: the instance is not in a state in which this can be done.",
	),
	"elasticloadbalancing": api.Errorf(
		"InvalidTarget", "injected: the target is not in a running state.",
	),
	"lambda:Invoke": {
		Code: "ResourceConflictException", Status: http.StatusConflict,
		Message: "injected: The operation cannot be performed at this time. The function is currently in the following " +
			"state: Pending",
	},
	"ssm:SendCommand": api.Errorf(
		"InvalidInstanceId", "injected: the instance is not in a valid state.",
	),
	"ssm:StopAutomationExecution": api.Errorf(
		"InvalidAutomationStatusUpdateException", "injected: the execution has already ended.",
	),
	"ssm:SendAutomationSignal": api.Errorf(
		"InvalidAutomationSignalException", "injected: the execution waits for no signal.",
	),
	"ssm:UpdateDocument": api.Errorf(
		"InvalidDocumentOperation", "injected: the document is being changed.",
	),
	"ssm:DeletePatchBaseline": api.Errorf("ResourceInUseException", "injected: the baseline is in use."),
	"ssm:RegisterPatchBaselineForPatchGroup": api.Errorf(
		"AlreadyExistsException", "injected: the patch group has a baseline already.",
	),
	"ssm:GetCommandInvocation": api.Errorf(
		"InvocationDoesNotExist", "injected: the command is not known yet.",
	),
	"ssm:GetAutomationExecution": api.Errorf(
		"AutomationExecutionNotFoundException", "injected: the execution is not known yet.",
	),
	"ssm:DescribeAutomationStepExecutions": api.Errorf(
		"AutomationExecutionNotFoundException", "injected: the execution is not known yet.",
	),
	"ssm:StartAutomationExecution": api.Errorf(
		"AutomationExecutionLimitExceededException", "injected: too many executions run.",
	),
}

// wrongState is the error of FaultWrongState; reads, and calls for which no such error is known, refuse the fault by
// name.
func wrongState(service, operation string) error {
	failure := wrongStates[service+":"+operation]
	if failure == nil && !api.IsRead(operation) {
		failure = wrongStates[service]
	}
	if failure == nil {
		return api.NotModelled("fault %s for %s:%s", FaultWrongState, service, operation)
	}
	return failure
}
