package activities

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// findGroup reads an Auto Scaling group; nil when there is none.
func findGroup(ctx context.Context, s *aws.Services, group patch.Group) (*astypes.AutoScalingGroup, error) {
	found, _, err := seeGroup(ctx, s, group)
	return found, err
}

// seeGroup is findGroup with the time by AWS's clock.
func seeGroup(ctx context.Context, s *aws.Services, group patch.Group) (*astypes.AutoScalingGroup, time.Time, error) {
	out, err := s.AutoScaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		AutoScalingGroupNames: []string{group.AutoScalingGroup},
	})
	if err != nil {
		return nil, time.Time{}, aws.Wrap("describe the Auto Scaling group", group.String(), err)
	}
	at, err := awsTime(out.ResultMetadata, group.String())
	if err != nil || len(out.AutoScalingGroups) == 0 {
		return nil, at, err
	}
	return &out.AutoScalingGroups[0], at, nil
}

// readGroup reads an Auto Scaling group; one that does not exist is GroupNotFound.
func readGroup(ctx context.Context, s *aws.Services, group patch.Group) (*astypes.AutoScalingGroup, error) {
	found, err := findGroup(ctx, s, group)
	if err == nil && found == nil {
		err = aws.Final(aws.GroupNotFound, "%s: no Auto Scaling group has this name in the account and region; correct the plan, or remove the group from it", group)
	}
	return found, err
}

// findMember finds an instance in its group; nil when it is no member.
func findMember(group *astypes.AutoScalingGroup, id string) *astypes.Instance {
	i := slices.IndexFunc(group.Instances, func(instance astypes.Instance) bool { return deref(instance.InstanceId) == id })
	if i < 0 {
		return nil
	}
	return &group.Instances[i]
}

func memberIDs(group *astypes.AutoScalingGroup) []string {
	ids := make([]string, len(group.Instances))
	for i, instance := range group.Instances {
		ids[i] = deref(instance.InstanceId)
	}
	slices.Sort(ids)
	return ids
}

func suspendedIn(group *astypes.AutoScalingGroup) []string {
	processes := make([]string, len(group.SuspendedProcesses))
	for i, process := range group.SuspendedProcesses {
		processes[i] = deref(process.ProcessName)
	}
	slices.Sort(processes)
	return processes
}

// attachedTo are the ARNs of the target groups that Auto Scaling itself registers members with.
func attachedTo(group *astypes.AutoScalingGroup) []string {
	attached := slices.Clone(group.TargetGroupARNs)
	for _, source := range group.TrafficSources {
		if deref(source.Type) == "elbv2" {
			attached = append(attached, deref(source.Identifier))
		}
	}
	slices.Sort(attached)
	return slices.Compact(attached)
}

// weighted tells a group whose numbers do not count instances.
func weighted(group *astypes.AutoScalingGroup) bool {
	if kind := deref(group.DesiredCapacityType); kind != "" && kind != "units" {
		return true
	}
	if group.MixedInstancesPolicy == nil || group.MixedInstancesPolicy.LaunchTemplate == nil {
		return false
	}
	return slices.ContainsFunc(group.MixedInstancesPolicy.LaunchTemplate.Overrides, func(override astypes.LaunchTemplateOverrides) bool {
		return deref(override.WeightedCapacity) != ""
	})
}

// operators are the tags by which services that run their own instances mark them; a key that ends in "/" is a prefix.
var operators = []struct{ key, service string }{
	{"eks:cluster-name", "Amazon EKS"},
	{"kubernetes.io/cluster/", "Kubernetes"},
	{"AmazonECSManaged", "Amazon ECS"},
	{"elasticbeanstalk:environment-name", "Elastic Beanstalk"},
}

// OperatedBy names the service whose tag is among the keys; "" when there is none.
func OperatedBy(keys []string) string {
	for _, key := range keys {
		for _, operator := range operators {
			if key == operator.key || strings.HasSuffix(operator.key, "/") && strings.HasPrefix(key, operator.key) {
				return operator.service + " (tag " + key + ")"
			}
		}
	}
	return ""
}

// operatorOf names the service that operates a group, by the group's own word, its tags or those of its instances; "" when
// nobody claims it. group is nil for instances chosen by tags.
func operatorOf(group *astypes.AutoScalingGroup, instances map[string]ec2types.Instance) string {
	var keys []string
	if group != nil {
		if group.Operator != nil {
			return deref(group.Operator.Principal)
		}
		keys = groupTagKeys(group)
	}
	for _, id := range slices.Sorted(maps.Keys(instances)) {
		if operator := instances[id].Operator; operator != nil && deref(operator.Managed) {
			return deref(operator.Principal)
		}
		keys = append(keys, ec2TagKeys(instances[id].Tags)...)
	}
	return OperatedBy(keys)
}

func groupTagKeys(group *astypes.AutoScalingGroup) []string {
	keys := make([]string, len(group.Tags))
	for i, tag := range group.Tags {
		keys[i] = deref(tag.Key)
	}
	return keys
}
