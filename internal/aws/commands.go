package aws

import (
	"context"
	"slices"
	"time"

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
		found = append(found, withComment(page.Commands, comment)...)
	}
	slices.SortStableFunc(found, func(a, b ssmtypes.Command) int {
		return Deref(b.RequestedDateTime).Compare(Deref(a.RequestedDateTime))
	})
	return found, nil
}

// FindCommandsSince lists the commands of any instance that were sent since a moment with the given comment: lists by
// instance leave out what no agent has fetched yet.
func FindCommandsSince(
	ctx context.Context, s *Services, where string, since time.Time, comment string,
) ([]ssmtypes.Command, error) {
	var found []ssmtypes.Command
	pages := ssm.NewListCommandsPaginator(s.SSM, &ssm.ListCommandsInput{
		MaxResults: Ptr(int32(50)),
		Filters: []ssmtypes.CommandFilter{{
			Key: ssmtypes.CommandFilterKeyInvokedAfter, Value: Ptr(since.UTC().Add(-time.Minute).Format(time.RFC3339)),
		}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Wrap("list commands", where, err)
		}
		found = append(found, withComment(page.Commands, comment)...)
	}
	return found, nil
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

func withComment(commands []ssmtypes.Command, comment string) []ssmtypes.Command {
	return slices.DeleteFunc(commands, func(command ssmtypes.Command) bool { return Deref(command.Comment) != comment })
}
