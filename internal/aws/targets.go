package aws

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// registrations are the target groups that serve some instances, and each instance's places in them.
type registrations struct {
	groups    []patch.TargetGroup
	targets   map[string][]patch.Target // by instance id
	elsewhere []string                  // see patch.GroupState.ElsewhereTargets
	shared    []string                  // see patch.GroupState.SharedAddresses
}

// readRegistrations looks through every target group of the account and region that could hold one of the instances:
// they may be registered, by id or by private address, in groups that their Auto Scaling group knows nothing of. That
// is a call for each of what may be hundreds; where known is not nil only those and the attached ones are looked
// through.
func readRegistrations(
	ctx context.Context, s *Services, where string, attached, known []string, instances map[string]ec2types.Instance,
) (registrations, error) {
	found := registrations{targets: map[string][]patch.Target{}}
	each := func(groups []elbtypes.TargetGroup) error {
		for _, group := range groups {
			if err := found.read(ctx, s, where, group, attached, instances); err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	if known == nil {
		err = eachTargetGroup(ctx, s, where, each)
	} else {
		err = eachNamed(ctx, s, where, slices.Compact(slices.Sorted(slices.Values(slices.Concat(known, attached)))), each)
	}
	if err != nil {
		return found, err
	}
	shared, err := sharedAddresses(ctx, s, where, found.targets)
	if err != nil {
		return found, err
	}
	found.shared = shared
	slices.Sort(found.elsewhere)
	slices.SortFunc(found.groups, func(a, b patch.TargetGroup) int { return strings.Compare(a.ARN, b.ARN) })
	for _, targets := range found.targets {
		sortTargets(targets)
	}
	return found, nil
}

func eachTargetGroup(
	ctx context.Context, s *Services, where string, each func([]elbtypes.TargetGroup) error,
) error {
	pages := elb.NewDescribeTargetGroupsPaginator(s.ELB, &elb.DescribeTargetGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Wrap("describe target groups", where, err)
		}
		if err := each(page.TargetGroups); err != nil {
			return err
		}
	}
	return nil
}

// namedAtOnce is how many target groups one call may name. AWS documents twenty for load balancers, and for target
// groups nothing: unverified.
const namedAtOnce = 20

// eachNamed reads target groups by their ARNs. One that is gone fails the call for all that it names: then each is
// asked for by itself, and what is gone holds nobody.
func eachNamed(
	ctx context.Context, s *Services, where string, arns []string, each func([]elbtypes.TargetGroup) error,
) error {
	for part := range slices.Chunk(arns, namedAtOnce) {
		out, err := s.ELB.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{TargetGroupArns: part})
		switch {
		case IsNotFound(err) && len(part) == 1:
			continue
		case IsNotFound(err):
			for _, arn := range part {
				if err := eachNamed(ctx, s, where, []string{arn}, each); err != nil {
					return err
				}
			}
			continue
		case err != nil:
			return Wrap("describe target groups", where, err)
		}
		if err := each(out.TargetGroups); err != nil {
			return err
		}
	}
	return nil
}

func (r *registrations) read(
	ctx context.Context, s *Services, where string, group elbtypes.TargetGroup, attached []string,
	instances map[string]ec2types.Instance,
) error {
	arn := Deref(group.TargetGroupArn)
	isAttached := slices.Contains(attached, arn)
	here := reachable(group, instances)
	addresses := group.TargetType == elbtypes.TargetTypeEnumIp && len(here) < len(instances)
	if len(here) == 0 && !isAttached && !addresses {
		return nil
	}
	health, _, err := readTargetHealth(ctx, s, where, arn)
	if err != nil {
		return err
	}
	if addresses {
		r.elsewhere = append(r.elsewhere, targetsElsewhere(arn, here, instances, health)...)
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
	described.Others = holdsOthers(arn, here, health)
	r.groups = append(r.groups, described)
	return nil
}

// holdsOthers tells whether a target group holds what is none of the instances, or lets it go: somebody may have it
// out.
func holdsOthers(
	arn string, instances map[string]ec2types.Instance, health []elbtypes.TargetHealthDescription,
) bool {
	own := 0
	for _, instance := range instances {
		own += len(targetsOf(arn, instance, health))
	}
	return len(health) > own
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

// outsideItsNetwork is the zone of a target that is not in its target group's network: of a peered one, or beyond (API
// reference of TargetDescription).
const outsideItsNetwork = "all"

// targetsElsewhere names the targets of a group of another network that have the address of one of the instances: it
// may be the instance by way of a peering, or somebody else's machine with the same address. Nobody can tell.
func targetsElsewhere(
	arn string, here, instances map[string]ec2types.Instance, health []elbtypes.TargetHealthDescription,
) (found []string) {
	for id, instance := range instances {
		if _, in := here[id]; in {
			continue
		}
		for _, target := range targetsOf(arn, instance, health) {
			if target.Zone == outsideItsNetwork {
				found = append(found, id+" as "+target.ID+" in "+arn)
			}
		}
	}
	return found
}

// targetsOf picks an instance's registrations out of a group's.
func targetsOf(arn string, instance ec2types.Instance, health []elbtypes.TargetHealthDescription) []patch.Target {
	own := []string{Deref(instance.InstanceId), Deref(instance.PrivateIpAddress), Deref(instance.Ipv6Address)}
	for _, networkInterface := range instance.NetworkInterfaces {
		for _, address := range networkInterface.PrivateIpAddresses {
			own = append(own, Deref(address.PrivateIpAddress))
		}
		for _, address := range networkInterface.Ipv6Addresses {
			own = append(own, Deref(address.Ipv6Address))
		}
	}
	var targets []patch.Target
	for _, description := range health {
		if description.Target == nil || Deref(description.Target.Id) == "" ||
			!slices.ContainsFunc(own, func(id string) bool { return sameTarget(id, *description.Target.Id) }) {
			continue
		}
		target := patch.Target{
			TargetGroupARN: arn, ID: *description.Target.Id, Port: int(Deref(description.Target.Port)),
			QUICServerID: Deref(description.Target.QuicServerId),
		}
		if _, err := netip.ParseAddr(target.ID); err == nil { // of instances none may be registered again with one
			target.Zone = Deref(description.Target.AvailabilityZone)
		}
		if description.TargetHealth != nil {
			target.Health, target.Reason = patch.TargetHealth(description.TargetHealth.State), string(
				description.TargetHealth.Reason,
			)
		}
		targets = append(targets, target)
	}
	if patch.IsNode(own[0]) {
		return outside(targets)
	}
	return targets
}

// sameTarget compares ids and addresses; one IPv6 address is written in several ways.
func sameTarget(own, target string) bool {
	if own == target {
		return true
	}
	one, err := netip.ParseAddr(own)
	if err != nil {
		return false
	}
	other, err := netip.ParseAddr(target)
	return err == nil && one == other
}

func sortTargets(targets []patch.Target) {
	slices.SortFunc(targets, func(a, b patch.Target) int {
		if order := strings.Compare(a.TargetGroupARN+" "+a.ID, b.TargetGroupARN+" "+b.ID); order != 0 {
			return order
		}
		return a.Port - b.Port
	})
}
