package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

// AttachInput takes an instance into its group.
type AttachInput struct {
	Instance      Instance
	DesiredBefore int // desired just before, once the instance that gives way is gone
	Pace          Pace
}

func (in AttachInput) attached() once.Effect {
	return once.Shows(in.Instance.Group, in.Pace, in.Instance.ID+" in it", func(group *astypes.AutoScalingGroup) bool {
		return aws.FindMember(group, in.Instance.ID) != nil
	})
}

// Attach takes a running instance into its group, which raises desired by one, and waits until the group lists it. A
// member is done. MaxReached where desired = max leaves no room, Rejected (terminal) where it is another group's
// member, Gone when EC2 no longer has it.
func (a *AWS) Attach(ctx context.Context, input AttachInput) (err error) {
	defer once.Typed(&err)
	in := input.Instance
	if err := aws.RequireGroup(in.Group, "take an instance in"); err != nil {
		return err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	if input.attached().Taken(ctx) {
		return a.waits().See(ctx, s, input.attached())
	}
	seen, err := attachable(ctx, s, input)
	if err != nil || seen.Member != "" {
		return once.Unsent(ctx, err)
	}
	// A second attach is refused as invalid, as one is that can never be: it is sent only once the first is sure to have
	// had no effect.
	if err := a.waits().MaySend(ctx, input.Pace, seen.At, "attaching "+in.String()); err != nil {
		return err
	}
	if _, err = s.AutoScaling.AttachInstances(ctx, &autoscaling.AttachInstancesInput{
		AutoScalingGroupName: &in.Group.AutoScalingGroup, InstanceIds: []string{in.ID},
	}); err != nil {
		once.Refused(ctx, err)
		return aws.Wrap("attach the instance", in.String(), err)
	}
	input.attached().Sent(ctx)
	return a.waits().See(ctx, s, input.attached())
}

// attachable reads an instance that is to be attached, and says what keeps it from being. One that is a member of its
// group already is seen as that.
func attachable(ctx context.Context, s *aws.Services, input AttachInput) (*QuarantinedInstance, error) {
	in := input.Instance
	seen, err := aws.ReadQuarantined(ctx, s, in)
	switch {
	case err != nil:
		return nil, err
	case !seen.Present:
		return nil, once.Final(ErrGone, "%s: EC2 no longer has the instance", in)
	case seen.Member == in.Group.AutoScalingGroup:
		return seen, nil
	case seen.Member != "":
		return nil, once.Final(ErrRejected, "%s: it is a member of Auto Scaling group %s", in, seen.Member)
	}
	group, err := aws.ReadGroup(ctx, s, in.Group)
	if err != nil {
		return nil, err
	}
	if aws.FindMember(group, in.ID) != nil {
		return nil, once.NotReady(0, "%s is on its way out of its group and must settle before it can be attached", in)
	}
	if why, err := aws.WhyNotAttachable(ctx, s, group, in, seen); err != nil || why != "" {
		if err == nil {
			err = once.Final(ErrRejected, "%s: %s", in, why)
		}
		return nil, err
	}
	switch desired, limit := int(aws.Deref(group.DesiredCapacity)), int(aws.Deref(group.MaxSize)); {
	case desired >= limit && desired > input.DesiredBefore:
		// Either an earlier attempt attached it and the lists lag, or somebody took the room: looking again tells.
		return nil, once.NotReady(
			0, "%s to be listed in its group, or room for it: desired is %d and max %d", in, desired, limit,
		)
	case desired >= limit:
		return nil, once.Final(ErrMaxReached, "%s: desired is %d and max %d, which leaves no room for it", in, desired, limit)
	}
	return seen, nil
}
