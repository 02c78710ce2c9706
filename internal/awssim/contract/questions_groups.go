package contract

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func detachStandby() Question {
	return Question{
		Name: "detach-from-standby",
		Asks: "What else does a group do when a member in Standby is detached without decrement: desired capacity, " +
			"members terminated, members launched, within five minutes?",
		Believed: "desired +0, terminated 0, launched 0",
		Doubts:   map[string]string{"detach-terminates": "desired +0, terminated 1, launched 1"},
		Matters:  "Terminate is suspended around the detach of one that is out, and only then",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			one := *c // in one zone, or the group may rebalance its zones, which looks the same
			place := *c.Endpoint
			place.Zones, one.Endpoint = c.Zones[:1], &place
			g, err := one.newGroup(ctx, "standby", sizes{0, 3, 4})
			c.undo = append(c.undo, one.undo...)
			if err != nil {
				return "", err
			}
			id, err := g.member(ctx)
			if err != nil {
				return "", err
			}
			if err := g.enter(ctx, id, true); err != nil {
				return "", err
			}
			if err := g.until(ctx, 1, astypes.LifecycleStateStandby); err != nil {
				return "", err
			}
			before, err := g.read(ctx)
			if err != nil {
				return "", err
			}
			c.endLater(id)
			if _, err := c.Scaling.DetachInstances(ctx, &autoscaling.DetachInstancesInput{
				AutoScalingGroupName: g.name, InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: aws.Bool(false),
			}); err != nil {
				return codeOf(err)
			}
			if err := c.Pass(ctx, 5*time.Minute); err != nil {
				return "", err
			}
			after, err := g.read(ctx)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("desired %+d, terminated %d, launched %d", *after.DesiredCapacity-*before.DesiredCapacity,
				missing(before, after, id), missing(after, before, id)), nil
		},
	}
}

// missing counts the instances of one look, without one of them, that the other does not have.
func missing(of, in astypes.AutoScalingGroup, without string) int {
	n := 0
	for _, each := range of.Instances {
		if *each.InstanceId != without && !slices.ContainsFunc(
			in.Instances, func(other astypes.Instance) bool { return *other.InstanceId == *each.InstanceId },
		) {
			n++
		}
	}
	return n
}

func targetZone() Question {
	return Question{
		Name:     "target-zone-told",
		Asks:     "Does DescribeTargetHealth tell the zone of an instance's target, which may not be sent back?",
		Believed: "not told",
		Doubts:   map[string]string{"zones-told": "told"},
		Matters:  "the zone is sent back for targets by address only",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			out, err := c.ELB.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
				Name: aws.String(c.Prefix + "zone"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: &c.VPC,
				TargetType: types.TargetTypeEnumInstance,
			})
			if err != nil {
				return "", err
			}
			arn := out.TargetGroups[0].TargetGroupArn
			c.Later(func(ctx context.Context) error {
				_, err := c.ELB.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: arn})
				return err
			})
			id, err := c.run(ctx, "zone")
			if err != nil {
				return "", err
			}
			if err := c.untilInstance(ctx, id, "running"); err != nil {
				return "", err
			}
			if _, err := c.ELB.RegisterTargets(ctx, &elb.RegisterTargetsInput{
				TargetGroupArn: arn, Targets: []types.TargetDescription{{Id: &id}},
			}); err != nil {
				return "", err
			}
			health, err := c.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: arn})
			switch {
			case err != nil:
				return "", err
			case len(health.TargetHealthDescriptions) != 1:
				return "", fmt.Errorf("%d registrations", len(health.TargetHealthDescriptions))
			case health.TargetHealthDescriptions[0].Target.AvailabilityZone == nil:
				return "not told", nil
			}
			return "told", nil
		},
	}
}
