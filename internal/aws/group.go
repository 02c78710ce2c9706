package aws

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// FindGroup reads an Auto Scaling group; nil when there is none.
func FindGroup(ctx context.Context, s *Services, group patch.Group) (*astypes.AutoScalingGroup, error) {
	found, _, err := FindGroupAt(ctx, s, group)
	return found, err
}

// FindGroupAt is FindGroup with the time by AWS's clock.
func FindGroupAt(ctx context.Context, s *Services, group patch.Group) (*astypes.AutoScalingGroup, time.Time, error) {
	out, err := s.AutoScaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		AutoScalingGroupNames: []string{group.AutoScalingGroup},
	})
	if err != nil {
		return nil, time.Time{}, Wrap("describe the Auto Scaling group", group.String(), err)
	}
	at, err := TimeOf(out.ResultMetadata, group.String())
	if err != nil {
		return nil, at, err
	}
	listed := len(out.AutoScalingGroups) > 0
	if !s.Unseen {
		doubted := s.Absences.doubt("groups", at, []string{group.String()}, func(string) bool { return listed })
		if len(doubted) > 0 {
			return nil, at, doubtful(group.String(), "Auto Scaling", []string{group.AutoScalingGroup})
		}
	}
	if !listed {
		return nil, at, nil
	}
	return &out.AutoScalingGroups[0], at, nil
}

// ReadGroup reads an Auto Scaling group; one that does not exist is GroupNotFound.
func ReadGroup(ctx context.Context, s *Services, group patch.Group) (*astypes.AutoScalingGroup, error) {
	found, _, err := ReadGroupAt(ctx, s, group)
	return found, err
}

// ReadGroupAt is ReadGroup with the time by AWS's clock.
func ReadGroupAt(ctx context.Context, s *Services, group patch.Group) (*astypes.AutoScalingGroup, time.Time, error) {
	found, at, err := FindGroupAt(ctx, s, group)
	if err == nil && found == nil {
		err = Final(
			GroupNotFound,
			"%s: no Auto Scaling group has this name in the account and region; correct the plan, or remove the group from it",
			group,
		)
	}
	return found, at, err
}

// FindMember finds an instance in its group; nil when it is no member.
func FindMember(group *astypes.AutoScalingGroup, id string) *astypes.Instance {
	i := slices.IndexFunc(
		group.Instances, func(instance astypes.Instance) bool { return Deref(instance.InstanceId) == id },
	)
	if i < 0 {
		return nil
	}
	return &group.Instances[i]
}

// MemberIDs are the instances that the group lists, sorted.
func MemberIDs(group *astypes.AutoScalingGroup) []string {
	ids := make([]string, len(group.Instances))
	for i, instance := range group.Instances {
		ids[i] = Deref(instance.InstanceId)
	}
	slices.Sort(ids)
	return ids
}

// noProcess is a name that AWS itself lists as suspended where somebody suspended all processes years ago. There is no
// such process any more, and nobody can resume it (guide on suspending processes).
const noProcess = "RemoveFromLoadBalancerLowPriority"

// SuspendedIn are the names of the processes that are suspended, sorted.
func SuspendedIn(group *astypes.AutoScalingGroup) []string {
	processes := []string{}
	for _, process := range group.SuspendedProcesses {
		if name := Deref(process.ProcessName); name != noProcess {
			processes = append(processes, name)
		}
	}
	slices.Sort(processes)
	return processes
}

// AttachedTo are the ARNs of the target groups that Auto Scaling itself registers members with.
func AttachedTo(group *astypes.AutoScalingGroup) []string {
	attached := slices.Clone(group.TargetGroupARNs)
	for _, source := range group.TrafficSources {
		if Deref(source.Type) == "elbv2" {
			attached = append(attached, Deref(source.Identifier))
		}
	}
	slices.Sort(attached)
	return slices.Compact(attached)
}

// otherBalancers names what is attached to the group beside target groups: Auto Scaling registers members there too.
func otherBalancers(group *astypes.AutoScalingGroup) []string {
	var others []string
	for _, name := range group.LoadBalancerNames {
		others = append(others, "Classic Load Balancer "+name)
	}
	for _, source := range group.TrafficSources {
		switch kind, id := Deref(source.Type), Deref(source.Identifier); kind {
		case "elbv2", "":
		case "elb":
			others = append(others, "Classic Load Balancer "+id)
		case "vpc-lattice":
			others = append(others, "VPC Lattice target group "+id)
		default:
			others = append(others, "traffic source "+kind+" "+id)
		}
	}
	slices.Sort(others)
	return slices.Compact(others)
}

func groupTagKeys(group *astypes.AutoScalingGroup) []string {
	keys := make([]string, len(group.Tags))
	for i, tag := range group.Tags {
		keys[i] = Deref(tag.Key)
	}
	return keys
}

// RequireGroup refuses what only a member of an Auto Scaling group can do.
func RequireGroup(group patch.Group, what string) error {
	if group.IsAutoScaling() {
		return nil
	}
	return Final(InvalidInput, "%s: only an Auto Scaling group can %s; these instances are chosen by tags", group, what)
}
