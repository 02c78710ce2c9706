package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/baselines"
	paws "github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/patch"
)

// groups looks at the groups that plans name here: whether they are there, and whether the agents of their instances
// answer. It also returns ARNs of what a wave would change, to ask permissions for.
func (p place) groups(ctx context.Context, clients *cloud.Clients) (results []Result, resources []string) {
	seen := map[string]bool{}
	for _, plan := range p.Config.Plans {
		resolved, err := p.Config.Plan(plan.Name)
		if err != nil {
			return append(results, Result{"group", p.String(), Problem, err.Error(), "run `patchtide check`"}), resources
		}
		for _, stage := range resolved.Stages {
			for _, group := range stage.Groups {
				baseline := resolved.Of(group).Baseline
				key := group.Name() + "\x00" + baseline
				if group.Account.ID != p.account.ID || group.Region != p.region || seen[key] {
					continue
				}
				seen[key] = true
				wanted, err := p.Config.Baselines.Load(baseline)
				if err != nil {
					return append(results, Result{"group", p.String(), Problem, err.Error(), "run `patchtide check`"}), resources
				}
				members, arns, err := p.members(ctx, clients, group)
				if err != nil {
					results = append(results, p.unread("group", group.String(), err))
					continue
				}
				resources = append(resources, arns...)
				results = append(results, p.agents(ctx, clients, group, members, wanted)...)
				results = append(results, p.judges(ctx, clients, group, members, wanted)...)
			}
		}
	}
	return results, resources
}

// unread is a look that AWS refused.
func (p place) unread(check, where string, err error) Result {
	mend := "try again; if it stays so, see whether this machine reaches AWS in " + p.region
	switch {
	case isDenied(err):
		mend = patch.MendDenied(reason(err), fmt.Sprintf("allow what the message names in the policy of %s",
			p.account.RoleARN))
	case errors.Is(err, errNoGroup):
		mend = "correct the group's name, account or region in the plan, or take it out"
	}
	return Result{check, where, Problem, reason(err), mend}
}

var errNoGroup = errors.New("there is no such Auto Scaling group")

// members are the instances of a group that should be patched now, with ARNs of it.
func (p place) members(ctx context.Context, clients *cloud.Clients, group patch.Group) (ids, arns []string, err error) {
	if group.IsAutoScaling() {
		out, err := clients.AutoScaling.DescribeAutoScalingGroups(
			ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{group.AutoScalingGroup}},
		)
		if err != nil {
			return nil, nil, err
		}
		if len(out.AutoScalingGroups) == 0 {
			return nil, nil, errNoGroup
		}
		found := out.AutoScalingGroups[0]
		for _, member := range found.Instances {
			if member.LifecycleState == astypes.LifecycleStateInService {
				ids = append(ids, aws.ToString(member.InstanceId))
			}
		}
		arns = append([]string{aws.ToString(found.AutoScalingGroupARN)}, found.TargetGroupARNs...)
	} else if group.IsNodes() {
		found, err := paws.ReadTagged(ctx, clients.Services(), group)
		if err != nil {
			return nil, nil, err
		}
		ids = slices.Sorted(maps.Keys(found.Instances))
		if len(ids) > 0 {
			arns = append(arns, p.arn("ssm", "managed-instance/"+ids[0]))
		}
		return ids, arns, nil
	} else {
		filters := []ec2types.Filter{{Name: aws.String("instance-state-name"), Values: []string{"running"}}}
		for key, value := range group.Tags {
			filters = append(filters, ec2types.Filter{Name: aws.String("tag:" + key), Values: []string{value}})
		}
		pages := ec2.NewDescribeInstancesPaginator(clients.EC2, &ec2.DescribeInstancesInput{Filters: filters})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, nil, err
			}
			for _, reservation := range page.Reservations {
				for _, instance := range reservation.Instances {
					ids = append(ids, aws.ToString(instance.InstanceId))
				}
			}
		}
	}
	slices.Sort(ids)
	if len(ids) > 0 {
		arns = append(arns, p.arn("ec2", "instance/"+ids[0]))
	}
	return ids, arns, nil
}

func nobodyThere(group patch.Group) string {
	if group.IsNodes() {
		return "no managed node with these tags is registered there now"
	}
	return "no instance runs there now"
}

// agents asks Systems Manager for the agents of a group's instances.
func (p place) agents(
	ctx context.Context, clients *cloud.Clients, group patch.Group, ids []string, wanted baselines.Baseline,
) []Result {
	if len(ids) == 0 {
		return []Result{
			{
				"agents", group.String(), Unknown, nobodyThere(group),
				"if there should be some, correct the group's name or tags in the plan",
			},
		}
	}
	agents := map[string]ssmtypes.InstanceInformation{}
	for chunk := range slices.Chunk(ids, paws.AgentsPage) {
		pages := ssm.NewDescribeInstanceInformationPaginator(clients.SSM, &ssm.DescribeInstanceInformationInput{
			Filters:    []ssmtypes.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: chunk}},
			MaxResults: aws.Int32(paws.AgentsPage),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return []Result{p.unread("agents", group.String(), err)}
			}
			for _, agent := range page.InstanceInformationList {
				agents[aws.ToString(agent.InstanceId)] = agent
			}
		}
	}
	var unknown, silent, others []string
	for _, id := range ids {
		agent, known := agents[id]
		system := baselines.SystemOf(aws.ToString(agent.PlatformName), aws.ToString(agent.PlatformVersion))
		windows := system == ssmtypes.OperatingSystemWindows
		switch {
		case !known:
			unknown = append(unknown, id)
		case agent.PingStatus != ssmtypes.PingStatusOnline:
			silent = append(silent, fmt.Sprintf("%s (%s)", id, agent.PingStatus))
		case wanted.Adopts && system != "" && windows == (wanted.Platform == patch.Windows):
		case system != wanted.OperatingSystem:
			others = append(
				others, fmt.Sprintf("%s (%s %s)", id, aws.ToString(agent.PlatformName), aws.ToString(agent.PlatformVersion)),
			)
		}
	}
	var results []Result
	if len(unknown) > 0 {
		results = append(results, Result{
			"agents", group.String(), Problem, some(unknown, len(ids)) + " unknown to Systems Manager",
			"install and start amazon-ssm-agent there, give the instance profile AmazonSSMManagedInstanceCore, and let it " +
				"reach Systems Manager; then " + listAgents(p),
		})
	}
	if len(silent) > 0 {
		results = append(results, Result{
			"agents", group.String(), Problem, some(silent, len(ids)) + " not online",
			"on the instance: `systemctl restart amazon-ssm-agent`; then " + listAgents(p),
		})
	}
	if len(others) > 0 {
		results = append(results, Result{
			"agents", group.String(), Problem,
			fmt.Sprintf(
				"%s of another operating system than the baseline %s (%s)", some(others, len(ids)), wanted.Name,
				wanted.OperatingSystem,
			),
			"name a baseline of that system in the plan, or take them out of the group; " + baselines.Patches(),
		})
	}
	if len(results) == 0 {
		results = append(
			results, Result{Check: "agents", Where: group.String(), State: OK, Says: fmt.Sprintf("all %d online", len(ids))},
		)
	}
	return results
}

// judges asks which baseline Systems Manager would judge the instances of a group by, and says what a wave's preflight
// would.
func (p place) judges(
	ctx context.Context, clients *cloud.Clients, group patch.Group, ids []string, wanted baselines.Baseline,
) []Result {
	if len(ids) == 0 {
		return nil
	}
	services := clients.Services()
	instances, _, err := paws.ReadInstances(ctx, services, group.String(), ids)
	if err != nil {
		return []Result{p.unread("patch group", group.String(), err)}
	}
	if wanted.Adopts {
		return p.adopted(ctx, services, group, instances)
	}
	judges, err := paws.ReadJudges(ctx, services, group.String(), paws.WantedBaseline{
		Name: wanted.SSMName(), PatchGroup: wanted.PatchGroup, System: wanted.OperatingSystem,
	}, instances)
	if err != nil {
		return []Result{p.unread("patch group", group.String(), err)}
	}
	var results []Result
	for _, refusal := range patch.JudgedElsewhere(group, "", *judges) {
		results = append(results, Result{"patch group", refusal.Where, Problem, refusal.What, refusal.WhatToDo})
	}
	if len(results) == 0 {
		results = append(results, Result{
			Check: "patch group", Where: group.String(), State: OK,
			Says: fmt.Sprintf("all %d are judged by %s", len(instances), wanted.SSMName()),
		})
	}
	return results
}

func listAgents(p place) string {
	return fmt.Sprintf("`aws ssm describe-instance-information --region %s`", p.region)
}

// shown is how many instances are named; the rest is counted.
const shown = 5

func some(ids []string, all int) string {
	named, more := ids, ""
	if len(ids) > shown {
		named, more = ids[:shown], fmt.Sprintf(" and %d more", len(ids)-shown)
	}
	return fmt.Sprintf("%d of %d: %s%s", len(ids), all, strings.Join(named, ", "), more)
}
