package contract

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func targets() Scenario {
	return Scenario{Name: "targets", Steps: func(c *Clients) []Step {
		var arn *string
		var id string
		health := func(ctx context.Context, targets ...types.TargetDescription) (*elb.DescribeTargetHealthOutput, error) {
			return c.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: arn, Targets: targets})
		}
		one := func(port int32) []types.TargetDescription { return []types.TargetDescription{{Id: &id, Port: &port}} }
		return []Step{
			{"a target group is made and found by name", func(ctx context.Context) error {
				name := aws.String(c.Prefix + "targets")
				out, err := c.ELB.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
					Name: name, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: &c.VPC,
					TargetType: types.TargetTypeEnumInstance, HealthCheckPath: aws.String("/healthz"),
				})
				if err != nil {
					return err
				}
				arn = out.TargetGroups[0].TargetGroupArn
				c.Later(func(ctx context.Context) error {
					_, err := c.ELB.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: arn})
					return err
				})
				found, err := c.ELB.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: []string{*name}})
				if err != nil {
					return err
				}
				group := found.TargetGroups[0]
				return errors.Join(
					same("ARN", *arn, *group.TargetGroupArn), same("path", "/healthz", *group.HealthCheckPath),
					same("load balancers", 0, len(group.LoadBalancerArns)),
					same("interval", 30, *group.HealthCheckIntervalSeconds), same("healthy after", 5, *group.HealthyThresholdCount),
				)
			}},
			{"targets drain for five minutes unless told otherwise", func(ctx context.Context) error {
				out, err := c.ELB.DescribeTargetGroupAttributes(ctx, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: arn})
				if err != nil {
					return err
				}
				for _, attribute := range out.Attributes {
					if *attribute.Key == "deregistration_delay.timeout_seconds" {
						return same("delay", "300", *attribute.Value)
					}
				}
				return errors.New("no attribute deregistration_delay.timeout_seconds")
			}},
			{"an instance is registered by id and port", func(ctx context.Context) (err error) {
				if id, err = c.run(ctx, "target"); err != nil {
					return err
				}
				if err := c.untilInstance(ctx, id, "running"); err != nil {
					return err
				}
				for range 2 { // twice without harm
					if _, err := c.ELB.RegisterTargets(
						ctx, &elb.RegisterTargetsInput{TargetGroupArn: arn, Targets: []types.TargetDescription{{Id: &id}}},
					); err != nil {
						return err
					}
				}
				if _, err := c.ELB.RegisterTargets(
					ctx, &elb.RegisterTargetsInput{TargetGroupArn: arn, Targets: one(8080)},
				); err != nil {
					return err
				}
				out, err := health(ctx)
				if err != nil {
					return err
				}
				return same("registrations", 2, len(out.TargetHealthDescriptions))
			}},
			{"an instance that does not exist", func(ctx context.Context) error {
				_, err := c.ELB.RegisterTargets(
					ctx,
					&elb.RegisterTargetsInput{
						TargetGroupArn: arn, Targets: []types.TargetDescription{{Id: aws.String("i-0123456789abcdef0")}},
					},
				)
				return refused(err, "InvalidTarget")
			}},
			{"a group that does not exist", func(ctx context.Context) error {
				none := *arn + "0"
				_, err := c.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &none})
				return refused(err, "TargetGroupNotFound", "ValidationError")
			}},
			{"a group of a name that does not exist", func(ctx context.Context) error {
				_, err := c.ELB.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: []string{c.Prefix + "nobody"}})
				return refused(err, "TargetGroupNotFound")
			}},
			{"an Auto Scaling group registers what it launches and takes out what stands by", func(ctx context.Context) error {
				g, err := c.newGroup(ctx, "balanced", sizes{0, 1, 1}, *arn)
				if err != nil {
					return err
				}
				member, err := g.member(ctx)
				if err != nil {
					return err
				}
				registered := func(want bool) error {
					return c.eventually(ctx, func() (bool, string, error) {
						out, err := health(ctx)
						if err != nil {
							return false, "", err
						}
						is := false
						for _, target := range out.TargetHealthDescriptions {
							is = is || *target.Target.Id == member
						}
						return is == want, fmt.Sprintf("registered: %v", is), nil
					})
				}
				if err := registered(true); err != nil {
					return err
				}
				if err := g.enter(ctx, member, true); err != nil {
					return err
				}
				return registered(false)
			}},
			{"without a load balancer it is unused", func(ctx context.Context) error {
				out, err := health(ctx, one(8080)...)
				if err != nil {
					return err
				}
				got := out.TargetHealthDescriptions[0].TargetHealth
				return errors.Join(
					same("state", types.TargetHealthStateEnumUnused, got.State),
					same("reason", types.TargetHealthReasonEnumNotInUse, got.Reason),
				)
			}},
			{"one port is deregistered, the other stays", func(ctx context.Context) error {
				if _, err := c.ELB.DeregisterTargets(
					ctx, &elb.DeregisterTargetsInput{TargetGroupArn: arn, Targets: one(8080)},
				); err != nil {
					return err
				}
				return c.eventually(ctx, func() (bool, string, error) {
					out, err := health(ctx)
					if err != nil {
						return false, "", err
					}
					left := out.TargetHealthDescriptions
					return len(left) == 1 && *left[0].Target.Port == 80, fmt.Sprintf("%d registrations", len(left)), nil
				})
			}},
			{"one that is not registered is unused too", func(ctx context.Context) error {
				out, err := health(ctx, one(8080)...)
				if err != nil {
					return err
				}
				got := out.TargetHealthDescriptions[0].TargetHealth
				return errors.Join(
					same("state", types.TargetHealthStateEnumUnused, got.State),
					same("reason", types.TargetHealthReasonEnumNotRegistered, got.Reason),
				)
			}},
		}
	}}
}
