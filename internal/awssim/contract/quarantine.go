package contract

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// quarantines is the way of an instance out of its group, into another security group, and back.
func quarantines() Scenario {
	return Scenario{Name: "auto scaling, detach and attach", Steps: func(c *Clients) []Step {
		var g *group
		var id, isolated, one string
		var before []string
		detach := func(ctx context.Context, decrement bool) error {
			_, err := c.Scaling.DetachInstances(ctx, &autoscaling.DetachInstancesInput{
				AutoScalingGroupName: g.name, InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: &decrement,
			})
			return err
		}
		attach := func(ctx context.Context) error {
			_, err := c.Scaling.AttachInstances(
				ctx, &autoscaling.AttachInstancesInput{AutoScalingGroupName: g.name, InstanceIds: []string{id}},
			)
			return err
		}
		set := func(ctx context.Context, ids []string) error {
			_, err := c.EC2.ModifyNetworkInterfaceAttribute(
				ctx, &ec2.ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: &one, Groups: ids},
			)
			return err
		}
		groups := func(ctx context.Context) ([]string, string, error) {
			instance, err := c.instance(ctx, id)
			if err != nil {
				return nil, "", err
			}
			var ids []string
			for _, one := range instance.NetworkInterfaces[0].Groups {
				ids = append(ids, *one.GroupId)
			}
			return ids, *instance.NetworkInterfaces[0].NetworkInterfaceId, nil
		}
		return []Step{
			{"with decrement desired goes down and nothing is launched", func(ctx context.Context) (err error) {
				if g, err = c.newGroup(ctx, "detach", sizes{1, 2, 2}); err != nil {
					return err
				}
				if id, err = g.member(ctx); err != nil {
					return err
				}
				if err := detach(ctx, true); err != nil {
					return err
				}
				return errors.Join(
					g.wants(ctx, 1), g.until(ctx, 1, types.LifecycleStateInService), c.untilInstance(ctx, id, "running"),
				)
			}},
			{"it is no member any more", func(ctx context.Context) error {
				return c.eventually(ctx, func() (bool, string, error) {
					out, err := c.Scaling.DescribeAutoScalingInstances(
						ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{id}},
					)
					if err != nil {
						return false, "", err
					}
					return len(out.AutoScalingInstances) == 0, "it is still listed", nil
				})
			}},
			{"an interface gets other security groups", func(ctx context.Context) error {
				made, err := c.EC2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
					GroupName: aws.String(c.Prefix + "isolated"), Description: aws.String("nothing in, nothing out"),
					VpcId: aws.String(c.VPC),
				})
				if err != nil {
					return err
				}
				isolated = *made.GroupId
				if before, one, err = groups(ctx); err != nil {
					return err
				}
				c.Later(func(ctx context.Context) error {
					_, err := c.EC2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &isolated})
					return err
				})
				if err := set(ctx, []string{isolated}); err != nil {
					return err
				}
				now, _, err := groups(ctx)
				if err != nil {
					return err
				}
				if !slices.Equal(now, []string{isolated}) {
					return errors.New("its security groups are not the new one alone")
				}
				return nil
			}},
			{"they show of the instance", func(ctx context.Context) error {
				instance, err := c.instance(ctx, id)
				if err != nil {
					return err
				}
				shown := slices.ContainsFunc(
					instance.SecurityGroups, func(g ec2types.GroupIdentifier) bool { return aws.ToString(g.GroupId) == isolated },
				)
				return errors.Join(set(ctx, before), same("shown of the instance", true, shown))
			}},
			{"an interface that does not exist", func(ctx context.Context) error {
				_, err := c.EC2.ModifyNetworkInterfaceAttribute(ctx, &ec2.ModifyNetworkInterfaceAttributeInput{
					NetworkInterfaceId: aws.String("eni-0123456789abcdef0"), Groups: []string{isolated},
				})
				return refused(err, "InvalidNetworkInterfaceID.NotFound")
			}},
			{"attached again desired goes up", func(ctx context.Context) error {
				if err := attach(ctx); err != nil {
					return err
				}
				return errors.Join(g.wants(ctx, 2), g.until(ctx, 2, types.LifecycleStateInService))
			}},
			{"without decrement another is launched in its place", func(ctx context.Context) error {
				if err := detach(ctx, false); err != nil {
					return err
				}
				return errors.Join(g.wants(ctx, 2), g.until(ctx, 2, types.LifecycleStateInService))
			}},
			{"nothing is attached above max", func(ctx context.Context) error {
				err := refused(attach(ctx), "ValidationError")
				_, end := c.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
				return errors.Join(err, end)
			}},
			{"a member is not attached again", func(ctx context.Context) (err error) {
				if err := g.resize(ctx, autoscaling.UpdateAutoScalingGroupInput{MaxSize: aws.Int32(4)}); err != nil {
					return err
				}
				if id, err = g.member(ctx); err != nil {
					return err
				}
				return refused(attach(ctx), "ValidationError")
			}},
		}
	}}
}
