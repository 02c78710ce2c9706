package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Run Command's delivery time-out may be 30 seconds to 30 days: API reference of SendCommand.
const (
	LeastDelivery = 30
	MostDelivery  = 2592000
)

// commandPages bounds the search for a command by its comment. Lists begin with the newest and ours is minutes old, so
// that this many pages of an instance's commands reach far behind it.
const commandPages = 5

// FindCommands lists an instance's commands whose comment is the given one, the newest first.
func FindCommands(ctx context.Context, s *Services, where, instance, comment string) ([]ssmtypes.Command, error) {
	var found []ssmtypes.Command
	pages := ssm.NewListCommandsPaginator(s.SSM, &ssm.ListCommandsInput{InstanceId: &instance, MaxResults: Ptr(int32(50))})
	for range commandPages {
		if !pages.HasMorePages() {
			break
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Wrap("list commands", where, err)
		}
		for _, command := range page.Commands {
			if Deref(command.Comment) == comment {
				found = append(found, command)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b ssmtypes.Command) int {
		return Deref(b.RequestedDateTime).Compare(Deref(a.RequestedDateTime))
	})
	return found, nil
}

// CommandOver reports whether an invocation's status is terminal.
func CommandOver(status ssmtypes.CommandInvocationStatus) bool {
	switch status {
	case ssmtypes.CommandInvocationStatusSuccess, ssmtypes.CommandInvocationStatusFailed,
		ssmtypes.CommandInvocationStatusCancelled, ssmtypes.CommandInvocationStatusTimedOut:
		return true
	}
	return false
}

// FindInvocation reads a command's state and output on an instance; nil when Systems Manager does not know of it, which
// is so for a moment after it was sent and again when its history of 30 days is over.
func FindInvocation(
	ctx context.Context, s *Services, where, instance, command string,
) (*ssm.GetCommandInvocationOutput, error) {
	out, err := s.SSM.GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{CommandId: &command, InstanceId: &instance})
	if IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Wrap("read a command's output", where, err)
	}
	return out, nil
}

// DescribeEnd says in one line how a command ended and why.
func DescribeEnd(invocation *ssm.GetCommandInvocationOutput) string {
	text := Deref(invocation.StatusDetails)
	if text == "" {
		text = string(invocation.Status)
	}
	if invocation.ResponseCode > 0 {
		text += fmt.Sprintf(", exit code %d", invocation.ResponseCode)
	}
	if reason := lastLine(Deref(invocation.StandardErrorContent)); reason != "" {
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

// ReadManaged keeps those that Systems Manager manages, in the order given.
func ReadManaged(ctx context.Context, s *Services, where string, ids []string) ([]string, error) {
	known := map[string]bool{}
	pages := ssm.NewDescribeInstanceInformationPaginator(s.SSM, &ssm.DescribeInstanceInformationInput{
		Filters:    []ssmtypes.InstanceInformationStringFilter{{Key: Ptr("InstanceIds"), Values: ids}},
		MaxResults: Ptr(int32(agentsPerRequest)),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Wrap("describe the SSM agents", where, err)
		}
		for _, agent := range page.InstanceInformationList {
			known[Deref(agent.InstanceId)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !known[id] }), nil
}

// ReadInvocations reads how a command goes on each of its instances, by instance id. It is empty for a moment after the
// command was sent.
func ReadInvocations(
	ctx context.Context, s *Services, where, command string,
) (map[string]ssmtypes.CommandInvocation, error) {
	found := map[string]ssmtypes.CommandInvocation{}
	pages := ssm.NewListCommandInvocationsPaginator(
		s.SSM, &ssm.ListCommandInvocationsInput{CommandId: &command, MaxResults: Ptr(int32(MostPerScan))},
	)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Wrap("read a command's invocations", where, err)
		}
		for _, invocation := range page.CommandInvocations {
			found[Deref(invocation.InstanceId)] = invocation
		}
	}
	return found, nil
}
