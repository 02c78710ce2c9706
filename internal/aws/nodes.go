package aws

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// aNode lets managed nodes through and no instance of EC2's: API reference, InstanceInformationStringFilter.
func aNode() ssmtypes.InstanceInformationStringFilter {
	return nodeFilter("ResourceType", string(ssmtypes.ResourceTypeManagedInstance))
}

func nodeFilter(key string, values ...string) ssmtypes.InstanceInformationStringFilter {
	return ssmtypes.InstanceInformationStringFilter{Key: &key, Values: values}
}

// DescribeNodes lists the managed nodes that the filters let through, with their tags, as machines: what reads a
// machine's state, address and tags reads a node's. A node is "running" as long as it is registered, since nobody can
// tell more: whether it is reached is its agent's to say. It has no zone, no network, no disk and nobody who launched
// it; its registration stands for its launch. The time is AWS's, of the answer.
func DescribeNodes(
	ctx context.Context, s *Services, where string, filters ...ssmtypes.InstanceInformationStringFilter,
) ([]ec2types.Instance, time.Time, error) {
	listed, at, err := listNodes(ctx, s, where, filters...)
	if err != nil {
		return nil, at, err
	}
	machines := make([]ec2types.Instance, len(listed))
	for i, node := range listed {
		if machines[i], err = readNode(ctx, s, where, node); err != nil {
			return nil, at, err
		}
	}
	return machines, at, nil
}

// listNodes lists the managed nodes that the filters let through.
func listNodes(
	ctx context.Context, s *Services, where string, filters ...ssmtypes.InstanceInformationStringFilter,
) (listed []ssmtypes.InstanceInformation, at time.Time, err error) {
	pages := ssm.NewDescribeInstanceInformationPaginator(s.SSM, &ssm.DescribeInstanceInformationInput{
		Filters: append([]ssmtypes.InstanceInformationStringFilter{aNode()}, filters...), MaxResults: Ptr(int32(AgentsPage)),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, at, Wrap("describe the managed nodes", where, err)
		}
		if at, err = TimeOf(page.ResultMetadata, where); err != nil {
			return nil, at, err
		}
		for _, node := range page.InstanceInformationList {
			if patch.IsNode(Deref(node.InstanceId)) {
				listed = append(listed, node)
			}
		}
	}
	return listed, at, nil
}

// readNode reads a node's tags, which no list tells.
func readNode(
	ctx context.Context, s *Services, where string, node ssmtypes.InstanceInformation,
) (ec2types.Instance, error) {
	id := Deref(node.InstanceId)
	out, err := s.SSM.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
		ResourceType: ssmtypes.ResourceTypeForTaggingManagedInstance, ResourceId: &id,
	})
	switch {
	case HasCode(err, CodeNoSuchNode):
		return ec2types.Instance{}, MayPass("%s: the managed node %s went away while its tags were read: %v", where, id, err)
	case err != nil:
		return ec2types.Instance{}, Wrap("list the tags of the managed node "+id, where, err)
	}
	machine := ec2types.Instance{
		InstanceId: &id, State: &ec2types.InstanceState{Name: ec2types.InstanceStateNameRunning},
		LaunchTime: node.RegistrationDate,
	}
	if address, err := netip.ParseAddr(Deref(node.IPAddress)); err == nil && address.Is6() {
		machine.Ipv6Address = node.IPAddress
	} else {
		machine.PrivateIpAddress = node.IPAddress
	}
	for _, tag := range out.TagList {
		machine.Tags = append(machine.Tags, ec2types.Tag{Key: tag.Key, Value: tag.Value})
	}
	return machine, nil
}

// readNodesByID reads managed nodes by id. Unknown ones are left out.
func readNodesByID(
	ctx context.Context, s *Services, where string, ids []string,
) (found []ec2types.Instance, at time.Time, err error) {
	for chunk := range slices.Chunk(ids, AgentsPage) {
		nodes, now, err := DescribeNodes(ctx, s, where, nodeFilter("InstanceIds", chunk...))
		if err != nil {
			return nil, at, err
		}
		found, at = append(found, nodes...), now
	}
	return found, at, nil
}

// readTaggedNodes lists the managed nodes that carry all of the tags.
func readTaggedNodes(
	ctx context.Context, s *Services, where string, tags map[string]string,
) ([]ec2types.Instance, time.Time, error) {
	var filters []ssmtypes.InstanceInformationStringFilter
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		filters = append(filters, nodeFilter("tag:"+key, tags[key]))
	}
	return DescribeNodes(ctx, s, where, filters...)
}

// FindNodesWith lists the managed nodes that carry a tag of that key, whatever its value.
func FindNodesWith(ctx context.Context, s *Services, where, key string) ([]ec2types.Instance, error) {
	nodes, _, err := DescribeNodes(ctx, s, where, nodeFilter("tag-key", key))
	return nodes, err
}

// gone is the error of a machine that is not there any more.
func gone(in Instance) error {
	if patch.IsNode(in.ID) {
		return Final(Gone, "%s: Systems Manager no longer has the managed node registered", in)
	}
	return Final(Gone, "%s: EC2 no longer has the instance", in)
}

// splitNodes parts the ids of instances from those of managed nodes.
func splitNodes(ids []string) (instances, nodes []string) {
	for _, id := range ids {
		if patch.IsNode(id) {
			nodes = append(nodes, id)
		} else {
			instances = append(instances, id)
		}
	}
	return instances, nodes
}

// outside are the targets that may be a node's: those that lie outside their target group's network. A target of the
// same address within a network is another machine. Registered again such a one needs its zone, which AWS may not have
// told: "If the IP address is outside the VPC, this parameter is required" (API reference, TargetDescription).
func outside(targets []patch.Target) []patch.Target {
	targets = slices.DeleteFunc(targets, func(target patch.Target) bool {
		return target.Zone != "" && target.Zone != outsideItsNetwork
	})
	for i := range targets {
		targets[i].Zone = outsideItsNetwork
	}
	return targets
}

// sharedAddresses names the registrations of nodes of which nobody can tell whose they are, since another node of the
// region has the same address: two sites may use the same private ones.
func sharedAddresses(
	ctx context.Context, s *Services, where string, registered map[string][]patch.Target,
) (found []string, err error) {
	if !slices.ContainsFunc(slices.Collect(maps.Keys(registered)), patch.IsNode) {
		return nil, nil
	}
	nodes, _, err := listNodes(ctx, s, where)
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(registered)) {
		for _, target := range registered[id] {
			for _, node := range nodes {
				if other := Deref(node.InstanceId); other != id && sameTarget(Deref(node.IPAddress), target.ID) {
					found = append(found, id+" as "+target.ID+", an address that "+other+" has as well, in "+target.TargetGroupARN)
				}
			}
		}
	}
	return found, nil
}
