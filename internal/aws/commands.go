package aws

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// Run Command's delivery time-out may be 30 seconds to 30 days: API reference of SendCommand.
const (
	LeastDelivery = 30
	MostDelivery  = 2592000
)

// usualDelivery is how long an agent may take to fetch a command that is given minutes or hours in all.
const usualDelivery = 10 * time.Minute

// Share divides the time that a run of PatchDocument has in all between its delivery and its execution, in AWS's
// seconds. A command whose agent is silent is given up when both have passed (the guide on command statuses), so that
// whoever waits for the whole budget learns how each instance's ended.
func (s Speed) Share(budget patch.Duration) (delivery, execution int32) {
	whole := s.OnAWS(budget)
	whole -= whole / 20 // for the lists to tell
	fetched := max(min(usualDelivery, whole/3), LeastDelivery*time.Second)
	left := min(max(whole-fetched, LeastInstall*time.Second), MostInstall*time.Second)
	return int32(fetched.Seconds()), int32(left.Seconds())
}

// commandPages bounds the search for a command by its comment. Lists begin with the newest and ours is minutes old, so
// that this many pages of an instance's commands reach far behind it.
const commandPages = 5

// commandsOf asks for an instance's commands: those that its agent has fetched.
func commandsOf(instance string) *ssm.ListCommandsInput {
	return &ssm.ListCommandsInput{InstanceId: &instance, MaxResults: Ptr(int32(CommandsPage))}
}

// commandsSince asks for the commands of any instance that were sent since a moment, fetched or not.
func commandsSince(since time.Time) *ssm.ListCommandsInput {
	return &ssm.ListCommandsInput{MaxResults: Ptr(int32(CommandsPage)), Filters: []ssmtypes.CommandFilter{{
		Key: ssmtypes.CommandFilterKeyInvokedAfter, Value: Ptr(since.UTC().Add(-time.Minute).Format(time.RFC3339)),
	}}}
}

// findCommands lists the commands asked for whose comment is the given one, from at most so many pages; 0: all. The
// time is AWS's, of the last answer.
func findCommands(
	ctx context.Context, s *Services, where string, in *ssm.ListCommandsInput, most int, comment string,
) (found []ssmtypes.Command, at time.Time, err error) {
	pages := ssm.NewListCommandsPaginator(s.SSM, in)
	for read := 0; pages.HasMorePages() && (most == 0 || read < most); read++ {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, at, Wrap("list commands", where, err)
		}
		if at, err = TimeOf(page.ResultMetadata, where); err != nil {
			return nil, at, err
		}
		found = append(found, withComment(page.Commands, comment)...)
	}
	slices.SortStableFunc(found, func(a, b ssmtypes.Command) int {
		return Deref(b.RequestedDateTime).Compare(Deref(a.RequestedDateTime))
	})
	return found, at, nil
}

// FindCommands lists an instance's commands whose comment is the given one, the newest first.
func FindCommands(ctx context.Context, s *Services, where, instance, comment string) ([]ssmtypes.Command, error) {
	found, _, err := findCommands(ctx, s, where, commandsOf(instance), commandPages, comment)
	return found, err
}

// FindCommandsSince lists the commands of any instance that were sent since a moment with the given comment, the newest
// first: lists by instance leave out what no agent has fetched yet.
func FindCommandsSince(
	ctx context.Context, s *Services, where string, since time.Time, comment string,
) ([]ssmtypes.Command, error) {
	found, _, err := findCommands(ctx, s, where, commandsSince(since), 0, comment)
	return found, err
}

// Addressees are instances that a command is meant for.
type Addressees struct {
	Online []string          // whose agents take it, in the order given
	Left   map[string]string // by id: why it is not sent to one
}

const notManaged = "Systems Manager does not manage the instance; check its agent, instance profile and route to the " +
	"endpoints"

// ReadAddressees tells whose agents take a command. A command that names one instance whose agent does not run may be
// refused for all (InvalidInstanceId in the API reference of SendCommand), and else waits for that one. One that is not
// listed is left out once that is believed (Absences).
func ReadAddressees(ctx context.Context, s *Services, where string, ids []string) (*Addressees, error) {
	agents, at, err := readAgents(ctx, s, where, ids)
	if err != nil {
		return nil, err
	}
	doubted := s.Absences.doubt("agents", at, ids, func(id string) bool { _, listed := agents[id]; return listed })
	if len(doubted) > 0 {
		return nil, doubtful(where, "Systems Manager", doubted)
	}
	found := &Addressees{Left: map[string]string{}}
	for _, id := range ids {
		switch agent, known := agents[id]; {
		case !known:
			found.Left[id] = notManaged
		case agent.PingStatus != ssmtypes.PingStatusOnline:
			found.Left[id] = fmt.Sprintf("its agent is silent (%s) since %s; see that it runs and reaches its endpoints",
				agent.PingStatus, Deref(agent.LastPingDateTime).UTC().Format(time.RFC3339))
		default:
			found.Online = append(found.Online, id)
		}
	}
	return found, nil
}

// ReadAgents reads what Systems Manager says of the agents of at most 50 instances, by instance; it lists none of one
// that it does not manage.
func ReadAgents(
	ctx context.Context, s *Services, where string, ids []string,
) (map[string]ssmtypes.InstanceInformation, error) {
	agents, _, err := readAgents(ctx, s, where, ids)
	return agents, err
}

// readAgents is ReadAgents, with AWS's time of the answer.
func readAgents(
	ctx context.Context, s *Services, where string, ids []string,
) (agents map[string]ssmtypes.InstanceInformation, at time.Time, err error) {
	agents = map[string]ssmtypes.InstanceInformation{}
	pages := ssm.NewDescribeInstanceInformationPaginator(s.SSM, &ssm.DescribeInstanceInformationInput{
		Filters:    []ssmtypes.InstanceInformationStringFilter{{Key: Ptr("InstanceIds"), Values: ids}},
		MaxResults: Ptr(int32(AgentsPage)),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, at, Wrap("describe the SSM agents", where, err)
		}
		if at, err = TimeOf(page.ResultMetadata, where); err != nil {
			return nil, at, err
		}
		for _, agent := range page.InstanceInformationList {
			agents[Deref(agent.InstanceId)] = agent
		}
	}
	return agents, at, nil
}

// anInstanceID is the id of an instance, or of a managed node, in a text, of which a shorter one, of the years before
// 2016, may be a part.
var anInstanceID = regexp.MustCompile(`(mi|i)-[0-9a-f]+`)

// Drop takes out those whom AWS names in refusing a command for all. It reports whether it named any: an agent may fall
// silent, and an instance be terminated, between the look and the call.
func (a *Addressees) Drop(err error) bool {
	if !HasCode(err, CodeAgentNotUsable) {
		return false
	}
	before, refused := len(a.Online), anInstanceID.FindAllString(err.Error(), -1)
	a.Online = slices.DeleteFunc(a.Online, func(id string) bool {
		named := slices.Contains(refused, id)
		if named {
			a.Left[id] = "Systems Manager takes no command for it: " + err.Error()
		}
		return named
	})
	return len(a.Online) < before
}

func withComment(commands []ssmtypes.Command, comment string) []ssmtypes.Command {
	return slices.DeleteFunc(commands, func(command ssmtypes.Command) bool { return Deref(command.Comment) != comment })
}
