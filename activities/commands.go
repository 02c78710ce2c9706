package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/aws"
)

// Run Command's delivery time-out may be 30 seconds to 30 days: API reference of SendCommand.
const (
	leastDelivery = 30
	mostDelivery  = 2592000
)

// commandPages bounds the search for a command by its comment. Lists begin with the newest and ours is minutes old, so that
// this many pages of an instance's commands reach far behind it.
const commandPages = 5

// findCommands lists an instance's commands whose comment is the given one, the newest first.
func findCommands(ctx context.Context, s *aws.Services, where, instance, comment string) ([]ssmtypes.Command, error) {
	var found []ssmtypes.Command
	pages := ssm.NewListCommandsPaginator(s.SSM, &ssm.ListCommandsInput{InstanceId: &instance, MaxResults: ptr(int32(50))})
	for range commandPages {
		if !pages.HasMorePages() {
			break
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, aws.Wrap("list commands", where, err)
		}
		for _, command := range page.Commands {
			if deref(command.Comment) == comment {
				found = append(found, command)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b ssmtypes.Command) int {
		return deref(b.RequestedDateTime).Compare(deref(a.RequestedDateTime))
	})
	return found, nil
}

// commandOver tells whether an invocation's status is terminal.
func commandOver(status ssmtypes.CommandInvocationStatus) bool {
	switch status {
	case ssmtypes.CommandInvocationStatusSuccess, ssmtypes.CommandInvocationStatusFailed,
		ssmtypes.CommandInvocationStatusCancelled, ssmtypes.CommandInvocationStatusTimedOut:
		return true
	}
	return false
}

// findInvocation reads a command's state and output on an instance; nil when Systems Manager does not know of it, which is
// so for a moment after it was sent and again when its history of 30 days is over.
func findInvocation(ctx context.Context, s *aws.Services, where, instance, command string) (*ssm.GetCommandInvocationOutput, error) {
	out, err := s.SSM.GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{CommandId: &command, InstanceId: &instance})
	if aws.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, aws.Wrap("read a command's output", where, err)
	}
	return out, nil
}

// describeEnd says in one line how a command ended and why.
func describeEnd(invocation *ssm.GetCommandInvocationOutput) string {
	text := deref(invocation.StatusDetails)
	if text == "" {
		text = string(invocation.Status)
	}
	if invocation.ResponseCode > 0 {
		text += fmt.Sprintf(", exit code %d", invocation.ResponseCode)
	}
	if reason := lastLine(deref(invocation.StandardErrorContent)); reason != "" {
		text += ": " + reason
	}
	return text
}

// lastLine is the last line that says something, short enough for a table.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	line := strings.TrimSpace(lines[len(lines)-1])
	if runes := []rune(line); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return line
}
