package aws

import (
	"context"
	"slices"
	"strings"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// registrations are the target groups that serve some instances, and each instance's places in them.
type registrations struct {
	groups  []patch.TargetGroup
	targets map[string][]patch.Target // by instance id
}

// readRegistrations looks through every target group of the account and region that could hold one of the instances:
// they may be registered, by id or by private address, in groups that their Auto Scaling group knows nothing of.
func readRegistrations(
	ctx context.Context, s *Services, where string, attached []string, instances map[string]ec2types.Instance,
) (registrations, error) {
	found := registrations{targets: map[string][]patch.Target{}}
	pages := elb.NewDescribeTargetGroupsPaginator(s.ELB, &elb.DescribeTargetGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return found, Wrap("describe target groups", where, err)
		}
		for _, group := range page.TargetGroups {
			if err := found.read(ctx, s, where, group, attached, instances); err != nil {
				return found, err
			}
		}
	}
	slices.SortFunc(found.groups, func(a, b patch.TargetGroup) int { return strings.Compare(a.ARN, b.ARN) })
	for _, targets := range found.targets {
		sortTargets(targets)
	}
	return found, nil
}

func (r *registrations) read(
	ctx context.Context, s *Services, where string, group elbtypes.TargetGroup, attached []string,
	instances map[string]ec2types.Instance,
) error {
	arn := Deref(group.TargetGroupArn)
	isAttached := slices.Contains(attached, arn)
	here := reachable(group, instances)
	if len(here) == 0 && !isAttached {
		return nil
	}
	health, _, err := readTargetHealth(ctx, s, where, arn)
	if err != nil {
		return err
	}
	served := false
	for id, instance := range here {
		targets := targetsOf(arn, instance, health)
		if len(targets) > 0 {
			r.targets[id] = append(r.targets[id], targets...)
			served = true
		}
	}
	if !served && !isAttached {
		return nil
	}
	described, err := describeTargetGroup(ctx, s, where, group)
	if err != nil {
		return err
	}
	described.Attached = isAttached
	r.groups = append(r.groups, described)
	return nil
}

// reachable are the instances that the group could hold: two networks may use the same private addresses.
func reachable(group elbtypes.TargetGroup, instances map[string]ec2types.Instance) map[string]ec2types.Instance {
	here := map[string]ec2types.Instance{}
	if group.TargetType != "" && group.TargetType != elbtypes.TargetTypeEnumInstance &&
		group.TargetType != elbtypes.TargetTypeEnumIp {
		return here
	}
	for id, instance := range instances {
		if group.VpcId == nil || instance.VpcId == nil || *group.VpcId == *instance.VpcId {
			here[id] = instance
		}
	}
	return here
}

// readTargetHealth reads all targets of a group, or the given ones; a group that does not exist has none.
func readTargetHealth(
	ctx context.Context, s *Services, where, arn string, targets ...elbtypes.TargetDescription,
) (health []elbtypes.TargetHealthDescription, exists bool, err error) {
	out, err := s.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &arn, Targets: targets})
	if IsNotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, Wrap("describe the targets of "+arn, where, err)
	}
	return out.TargetHealthDescriptions, true, nil
}

// targetsOf picks an instance's registrations out of a group's.
func targetsOf(arn string, instance ec2types.Instance, health []elbtypes.TargetHealthDescription) []patch.Target {
	own := []string{Deref(instance.InstanceId), Deref(instance.PrivateIpAddress)}
	for _, networkInterface := range instance.NetworkInterfaces {
		for _, address := range networkInterface.PrivateIpAddresses {
			own = append(own, Deref(address.PrivateIpAddress))
		}
	}
	var targets []patch.Target
	for _, description := range health {
		if description.Target == nil || Deref(description.Target.Id) == "" || !slices.Contains(own, *description.Target.Id) {
			continue
		}
		target := patch.Target{
			TargetGroupARN: arn, ID: *description.Target.Id, Port: int(Deref(description.Target.Port)),
			Zone: Deref(description.Target.AvailabilityZone),
		}
		if description.TargetHealth != nil {
			target.Health, target.Reason = patch.TargetHealth(description.TargetHealth.State), string(
				description.TargetHealth.Reason,
			)
		}
		targets = append(targets, target)
	}
	return targets
}

func sortTargets(targets []patch.Target) {
	slices.SortFunc(targets, func(a, b patch.Target) int {
		if order := strings.Compare(a.TargetGroupARN+" "+a.ID, b.TargetGroupARN+" "+b.ID); order != 0 {
			return order
		}
		return a.Port - b.Port
	})
}
