package contract_test

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/internal/awssim/contract"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// tools are the calls of scripts around patching and of terraform's provider.
func tools(s *simulator) contract.Scenario {
	return scenario("what tools call", func(c *contract.Clients) []contract.Step {
		return []contract.Step{
			{Name: "Systems Manager", Do: func(ctx context.Context) error {
				return errors.Join(
					did(c.SSM.GetConnectionStatus(ctx, &ssm.GetConnectionStatusInput{Target: &c.Managed})),
					did(c.SSM.DescribeParameters(ctx, &ssm.DescribeParametersInput{})),
					did(c.SSM.ListComplianceItems(ctx, &ssm.ListComplianceItemsInput{ResourceIds: []string{c.Managed}})),
					did(c.SSM.DescribeInstancePatchStatesForPatchGroup(
						ctx, &ssm.DescribeInstancePatchStatesForPatchGroupInput{PatchGroup: aws.String("amazon-linux-2023")},
					)),
				)
			}},
			{Name: "alarms", Do: func(ctx context.Context) error {
				name, arn := aws.String("corpus-both"), aws.String("arn:aws:cloudwatch:"+tokyo+":"+c.Account+":alarm:corpus-both")
				return errors.Join(
					did(c.Watch.PutCompositeAlarm(ctx, &cloudwatch.PutCompositeAlarmInput{
						AlarmName: name, AlarmRule: aws.String("TRUE"),
					})),
					did(c.Watch.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{AlarmName: name})),
					did(c.Watch.TagResource(ctx, &cloudwatch.TagResourceInput{
						ResourceARN: arn, Tags: []cwtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
					})),
					did(c.Watch.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: arn})),
					did(c.Watch.UntagResource(ctx, &cloudwatch.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"a"}})),
					did(c.Watch.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{*name}})),
				)
			}},
			{Name: "stacks, deployments and roles", Do: func(ctx context.Context) error {
				s.Inspect(func(*world.World) {
					s.region.PutStack(world.Stack{Name: "tools", Status: "UPDATE_COMPLETE", Resources: []world.StackResource{
						{Logical: "Group", Physical: "web", Type: "AWS::AutoScaling::AutoScalingGroup"},
					}})
					s.region.PutDeployment(world.Deployment{ID: "d-ABCDEF333", Status: "Succeeded"})
				})
				stacks, roles := cloudformation.NewFromConfig(c.Config), iam.NewFromConfig(c.Config)
				policies, err := roles.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: aws.String("patchtide")})
				if err != nil {
					return err
				}
				return errors.Join(
					did(stacks.ListStacks(ctx, &cloudformation.ListStacksInput{})),
					did(stacks.DescribeStackResources(
						ctx, &cloudformation.DescribeStackResourcesInput{StackName: aws.String("tools")},
					)),
					did(codedeploy.NewFromConfig(c.Config).GetDeployment(
						ctx, &codedeploy.GetDeploymentInput{DeploymentId: aws.String("d-ABCDEF333")},
					)),
					did(roles.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("patchtide")})),
					did(roles.ListAttachedRolePolicies(
						ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("patchtide")},
					)),
					wrong(len(policies.PolicyNames) <= 1, "a role has %d policies", len(policies.PolicyNames)),
				)
			}},
			{Name: "groups and balancers", Do: func(ctx context.Context) error {
				name, policy := aws.String("tools"), aws.String("more")
				if err := s.group(ctx, c, *name); err != nil {
					return err
				}
				balancers, err := c.ELB.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
				if err != nil {
					return err
				}
				return errors.Join(
					did(c.Scaling.DescribeLoadBalancers(
						ctx, &autoscaling.DescribeLoadBalancersInput{AutoScalingGroupName: name},
					)),
					did(c.Scaling.DescribeTrafficSources(
						ctx, &autoscaling.DescribeTrafficSourcesInput{AutoScalingGroupName: name},
					)),
					did(c.Scaling.PutScalingPolicy(ctx, &autoscaling.PutScalingPolicyInput{
						AutoScalingGroupName: name, PolicyName: policy, AdjustmentType: aws.String("ChangeInCapacity"),
						ScalingAdjustment: aws.Int32(1),
					})),
					did(c.Scaling.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{AutoScalingGroupName: name})),
					did(c.Scaling.ExecutePolicy(ctx, &autoscaling.ExecutePolicyInput{
						AutoScalingGroupName: name, PolicyName: policy,
					})),
					did(c.Scaling.DeletePolicy(ctx, &autoscaling.DeletePolicyInput{
						AutoScalingGroupName: name, PolicyName: policy,
					})),
					did(c.Scaling.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{
						AutoScalingGroupName: name, ForceDelete: aws.Bool(true),
					})),
					did(c.ELB.DescribeListeners(ctx, &elb.DescribeListenersInput{
						LoadBalancerArn: balancers.LoadBalancers[0].LoadBalancerArn,
					})),
				)
			}},
			{Name: "a load balancer", Do: func(ctx context.Context) error {
				group, err := c.ELB.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
					Name: aws.String("tools"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: &c.VPC,
				})
				if err != nil {
					return err
				}
				subnets, err := c.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
				if err != nil {
					return err
				}
				made, err := c.ELB.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
					Name: aws.String("tools"), Subnets: []string{*subnets.Subnets[0].SubnetId, *subnets.Subnets[1].SubnetId},
				})
				if err != nil {
					return err
				}
				arn := made.LoadBalancers[0].LoadBalancerArn
				listener, err := c.ELB.CreateListener(ctx, &elb.CreateListenerInput{
					LoadBalancerArn: arn, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
					DefaultActions: []elbtypes.Action{{
						Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: group.TargetGroups[0].TargetGroupArn,
					}},
				})
				if err != nil {
					return err
				}
				return errors.Join(
					did(c.ELB.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: listener.Listeners[0].ListenerArn})),
					did(c.ELB.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: arn})),
					did(c.ELB.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{
						TargetGroupArn: group.TargetGroups[0].TargetGroupArn,
					})),
				)
			}},
			{Name: "volumes come and go", Do: func(ctx context.Context) error {
				described, err := c.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{c.Managed}})
				if err != nil {
					return err
				}
				volume, err := c.EC2.CreateVolume(ctx, &ec2.CreateVolumeInput{
					AvailabilityZone: described.Reservations[0].Instances[0].Placement.AvailabilityZone, Size: aws.Int32(8),
				})
				if err != nil {
					return err
				}
				s.clock.pass(time.Minute)
				return errors.Join(
					did(c.EC2.AttachVolume(ctx, &ec2.AttachVolumeInput{
						VolumeId: volume.VolumeId, InstanceId: &c.Managed, Device: aws.String("/dev/sdf"),
					})),
					did(c.EC2.DetachVolume(ctx, &ec2.DetachVolumeInput{VolumeId: volume.VolumeId})),
					did(c.EC2.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: volume.VolumeId})),
					did(c.EC2.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{
						InstanceId: &c.Managed, Attribute: ec2types.InstanceAttributeNameDisableApiTermination,
					})),
				)
			}},
		}
	})
}
