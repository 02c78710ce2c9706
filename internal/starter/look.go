package starter

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/patch"
)

// Tags that people put on machines.
const (
	tagRole        = "Role"
	tagEnvironment = "Environment"
	tagName        = "Name"
	tagOfGroup     = "aws:autoscaling:groupName" // AWS puts it on a group's instances
)

// look is one region of one account.
type look struct {
	account, region string
	clients         *cloud.Clients
	systems         map[string]string            // a baseline by instance id; "" for a system without one
	foreign         map[string]string            // by instance id: a system that Patchtide does not patch
	tags            map[string]map[string]string // by instance id
	fleet           *Fleet
}

// Look looks at one region of an account with its clients and adds what it sees to the fleet.
func (f *Fleet) Look(ctx context.Context, account, region string, clients *cloud.Clients) error {
	l := look{
		account: account, region: region, clients: clients, systems: map[string]string{}, foreign: map[string]string{},
		tags: map[string]map[string]string{}, fleet: f,
	}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"the agents of Systems Manager", l.agents},
		{"Auto Scaling groups", l.scaling},
		{"instances", l.instances},
		{"patch groups", l.patchGroups},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s/%s: look at %s: %s", account, region, step.what, aws.Reason(err))
		}
	}
	return nil
}

func (l *look) leaveOut(name, why string) {
	l.fleet.LeftOut = append(l.fleet.LeftOut, LeftOut{l.account + "/" + l.region + "/" + name, why})
}

// agents learns each instance's operating system from its agent.
func (l *look) agents(ctx context.Context) error {
	pages := ssm.NewDescribeInstanceInformationPaginator(l.clients.SSM, &ssm.DescribeInstanceInformationInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, agent := range page.InstanceInformationList {
			platform, version := awssdk.ToString(agent.PlatformName), awssdk.ToString(agent.PlatformVersion)
			l.systems[awssdk.ToString(agent.InstanceId)] = baselineFor(platform, version)
			if baselines.SystemOf(platform, version) == "" {
				l.foreign[awssdk.ToString(agent.InstanceId)] = strings.TrimSpace(platform + " " + version)
			}
		}
	}
	return nil
}

// baselineFor is the built-in baseline of an operating system; its name ends in the version it is for.
func baselineFor(platform, version string) string {
	system := baselines.SystemOf(platform, version)
	for _, name := range baselines.Names() {
		baseline, err := baselines.Load(name)
		release := name[strings.LastIndex(name, "-")+1:]
		of := func(word string) bool { return word == release || strings.HasPrefix(word, release+".") }
		if err == nil && baseline.OperatingSystem == system && slices.ContainsFunc(strings.Fields(platform+" "+version), of) {
			return name
		}
	}
	return ""
}

// baselineOf is the one baseline of several instances, or why there is none.
func (l *look) baselineOf(ids []string) (name, why string) {
	for n, id := range ids {
		system, known := l.systems[id]
		switch {
		case !known:
			return "", id + " has no agent that Systems Manager knows"
		case l.foreign[id] != "":
			return "", id + " runs " + l.foreign[id] + ": " + baselines.Patches()
		case system == "":
			return "", id + " runs a system without a built-in baseline: write one into baselines_dir"
		case n > 0 && system != name:
			return "", "its instances run different systems"
		}
		name = system
	}
	return name, ""
}

func (l *look) scaling(ctx context.Context) error {
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(
		l.clients.AutoScaling, &autoscaling.DescribeAutoScalingGroupsInput{},
	)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, found := range page.AutoScalingGroups {
			name := awssdk.ToString(found.AutoScalingGroupName)
			tags := map[string]string{}
			for _, tag := range found.Tags {
				tags[awssdk.ToString(tag.Key)] = awssdk.ToString(tag.Value)
			}
			var ids []string
			for _, member := range found.Instances {
				ids = append(ids, awssdk.ToString(member.InstanceId))
			}
			baseline, why := l.baselineOf(ids)
			operator := aws.OperatedBy(slices.Sorted(maps.Keys(tags)))
			if found.Operator != nil {
				operator = awssdk.ToString(found.Operator.Principal)
			}
			switch {
			case operator != "":
				l.leaveOut(name, "it is operated by "+operator+", which replaces its instances itself")
				continue
			case len(ids) == 0:
				l.leaveOut(name, "it has no instances")
				continue
			case why != "":
				l.leaveOut(name, why)
				continue
			}
			group := Group{
				Account: l.account, Region: l.region, AutoScalingGroup: name, Role: cmp.Or(tags[tagRole], name),
				Environment: tags[tagEnvironment],
				Baseline:    baseline, ids: ids, Instances: len(ids), TargetGroups: len(found.TargetGroupARNs),
			}
			if group.Check, err = l.check(ctx, found.TargetGroupARNs); err != nil {
				return err
			}
			l.fleet.Groups = append(l.fleet.Groups, group)
		}
	}
	return nil
}

// askable are the paths that a configuration takes: the instance asks them itself, by a command.
var askable = regexp.MustCompile(`^/[A-Za-z0-9._~%/?=&:@+,-]*$`)

// check is what the first HTTP target group asks.
func (l *look) check(ctx context.Context, arns []string) (*HTTPCheck, error) {
	if len(arns) == 0 {
		return nil, nil
	}
	out, err := l.clients.ELB.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{TargetGroupArns: arns})
	if err != nil {
		return nil, err
	}
	for _, group := range out.TargetGroups {
		if group.HealthCheckProtocol != elbtypes.ProtocolEnumHttp || !awssdk.ToBool(group.HealthCheckEnabled) {
			continue // without HTTPS: our own check speaks plain HTTP
		}
		if !askable.MatchString(awssdk.ToString(group.HealthCheckPath)) {
			continue
		}
		port := awssdk.ToInt32(group.Port)
		if own, err := strconv.ParseInt(awssdk.ToString(group.HealthCheckPort), 10, 32); err == nil { // else "traffic-port"
			port = int32(own)
		}
		return &HTTPCheck{Path: awssdk.ToString(group.HealthCheckPath), Port: port}, nil
	}
	return nil, nil
}

// instances takes those outside any Auto Scaling group by their tag Role. A tag that members of a group carry, too,
// would choose those as well.
func (l *look) instances(ctx context.Context) error {
	byRole, inGroups := map[string][]ec2types.Instance{}, map[string]bool{}
	pages := ec2.NewDescribeInstancesPaginator(l.clients.EC2, &ec2.DescribeInstancesInput{
		Filters: []ec2types.Filter{{Name: awssdk.String("instance-state-name"), Values: []string{"running"}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, reservation := range page.Reservations {
			for _, instance := range reservation.Instances {
				tags := tagsOf(instance)
				l.tags[awssdk.ToString(instance.InstanceId)] = tags
				switch id := awssdk.ToString(instance.InstanceId); {
				case tags[tagOfGroup] != "":
					inGroups[tags[tagRole]] = true
				case aws.OperatedBy(slices.Sorted(maps.Keys(tags))) != "":
					l.leaveOut(id, "it is operated by "+aws.OperatedBy(slices.Sorted(maps.Keys(tags))))
				case tags[tagRole] == "":
					l.leaveOut(
						strings.TrimSpace(id+" "+tags[tagName]), "it is in no Auto Scaling group and has no tag Role to choose it by",
					)
				default:
					byRole[tags[tagRole]] = append(byRole[tags[tagRole]], instance)
				}
			}
		}
	}
	for _, role := range slices.Sorted(maps.Keys(byRole)) {
		group := Group{
			Account: l.account, Region: l.region, Tags: map[string]string{tagRole: role}, Role: role,
			Instances: len(byRole[role]),
		}
		var ids []string
		for _, instance := range byRole[role] {
			ids = append(ids, awssdk.ToString(instance.InstanceId))
			group.Environment = cmp.Or(group.Environment, tagsOf(instance)[tagEnvironment])
		}
		slices.Sort(ids)
		group.ids = ids
		var why string
		if group.Baseline, why = l.baselineOf(ids); why == "" && inGroups[role] {
			why = "members of Auto Scaling groups carry the same tag: choose these by another one"
		}
		if why != "" {
			l.leaveOut(group.Name(), why)
			continue
		}
		l.fleet.Groups = append(l.fleet.Groups, group)
	}
	return nil
}

// patchGroups finds groups with instances that lack the tag by which Systems Manager would judge them by their
// baseline. A wave would refuse those.
func (l *look) patchGroups(context.Context) error {
	for i := range l.fleet.Groups {
		group := &l.fleet.Groups[i]
		if group.Account != l.account || group.Region != l.region {
			continue
		}
		baseline, err := baselines.Load(group.Baseline)
		if err != nil {
			return err
		}
		judges := patch.Judges{Baseline: baseline.SSMName(), PatchGroup: baseline.PatchGroup, Asked: len(group.ids)}
		for _, id := range group.ids {
			joined, spaced := l.tags[id][patch.TagPatchGroup], l.tags[id][patch.TagPatchGroupSpaced]
			if name, sure := patch.PatchGroupOf(joined, spaced); !sure || name != baseline.PatchGroup {
				judges.Elsewhere = append(judges.Elsewhere, patch.Elsewhere{Instance: id, Joined: joined, Spaced: spaced})
			}
		}
		found := patch.JudgedElsewhere(patch.Group{
			Account: patch.Account{Name: group.Account}, Region: group.Region,
			AutoScalingGroup: group.AutoScalingGroup, Tags: group.Tags,
		}, "", judges)
		if len(found) > 0 {
			group.Elsewhere = found[0]
		}
	}
	return nil
}

func tagsOf(instance ec2types.Instance) map[string]string {
	tags := map[string]string{}
	for _, tag := range instance.Tags {
		tags[awssdk.ToString(tag.Key)] = awssdk.ToString(tag.Value)
	}
	return tags
}
