package contract_test

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/internal/awssim/contract"
)

// corpus makes a success of the operations that the contract does not need, so that their replies are checked too.
func corpus(s *simulator) []contract.Scenario {
	return []contract.Scenario{
		restOfScaling(s), restOfEC2(s), restOfBalancing(s), restOfS3(), restOfPatching(s), restOfSSM(s), images(s),
		templates(s), rules(), uploads(), messages(s), metrics(s), signals(s), others(s), tools(s), functions(s),
	}
}

func did[T any](_ T, err error) error { return err }

func scenario(name string, steps func(*contract.Clients) []contract.Step) contract.Scenario {
	return contract.Scenario{Name: name, Steps: steps}
}

// group is the scenario's own kind of group, of two instances.
func (s *simulator) group(ctx context.Context, c *contract.Clients, name string) error {
	template, err := c.EC2.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: &name, LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: &c.Image},
	})
	if err != nil {
		return err
	}
	err = did(c.Scaling.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &name, MinSize: aws.Int32(0), DesiredCapacity: aws.Int32(2), MaxSize: aws.Int32(4),
		AvailabilityZones: c.Zones,
		LaunchTemplate:    &astypes.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId},
	}))
	s.clock.pass(5 * time.Minute)
	return err
}

func (s *simulator) members(ctx context.Context, c *contract.Clients, name string) ([]string, error) {
	out, err := c.Scaling.DescribeAutoScalingGroups(
		ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}},
	)
	if err != nil || len(out.AutoScalingGroups) == 0 {
		return nil, errors.Join(err, errors.New("no such group"))
	}
	var ids []string
	for _, instance := range out.AutoScalingGroups[0].Instances {
		ids = append(ids, *instance.InstanceId)
	}
	return ids, nil
}

func restOfScaling(s *simulator) contract.Scenario {
	name := aws.String("corpus")
	return scenario("the rest of Auto Scaling", func(c *contract.Clients) []contract.Step {
		return []contract.Step{
			{Name: "instances leave and join", Do: func(ctx context.Context) error {
				if err := s.group(ctx, c, *name); err != nil {
					return err
				}
				ids, err := s.members(ctx, c, *name)
				if err != nil {
					return err
				}
				one := ids[:1]
				err = did(
					c.Scaling.DetachInstances(
						ctx,
						&autoscaling.DetachInstancesInput{
							AutoScalingGroupName: name, InstanceIds: one, ShouldDecrementDesiredCapacity: aws.Bool(true),
						},
					),
				)
				s.clock.pass(time.Minute)
				return errors.Join(
					err,
					did(
						c.Scaling.AttachInstances(ctx, &autoscaling.AttachInstancesInput{AutoScalingGroupName: name, InstanceIds: one}),
					),
				)
			}},
			{Name: "a refresh starts and is cancelled", Do: func(ctx context.Context) error {
				s.clock.pass(5 * time.Minute)
				return errors.Join(
					did(c.Scaling.StartInstanceRefresh(ctx, &autoscaling.StartInstanceRefreshInput{AutoScalingGroupName: name})),
					did(
						c.Scaling.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: name}),
					),
					did(c.Scaling.CancelInstanceRefresh(ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: name})),
				)
			}},
			{Name: "a hook makes a launch wait", Do: func(ctx context.Context) error {
				s.clock.pass(10 * time.Minute)
				err := errors.Join(
					did(c.Scaling.PutLifecycleHook(ctx, &autoscaling.PutLifecycleHookInput{
						AutoScalingGroupName: name, LifecycleHookName: aws.String("ready"),
						LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_LAUNCHING"),
						HeartbeatTimeout:    aws.Int32(600), DefaultResult: aws.String("ABANDON"),
					})),
					did(c.Scaling.DescribeLifecycleHooks(ctx, &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: name})),
				)
				before, listErr := s.members(ctx, c, *name)
				err = errors.Join(
					err, listErr,
					did(
						c.Scaling.SetDesiredCapacity(
							ctx,
							&autoscaling.SetDesiredCapacityInput{
								AutoScalingGroupName: name, DesiredCapacity: aws.Int32(int32(len(before) + 1)),
							},
						),
					),
				)
				s.clock.pass(2 * time.Minute)
				after, listErr := s.members(ctx, c, *name)
				if listErr != nil || len(after) != len(before)+1 {
					return errors.Join(err, listErr, errors.New("the group did not grow"))
				}
				id := after[len(after)-1]
				return errors.Join(
					err,
					did(
						c.Scaling.RecordLifecycleActionHeartbeat(
							ctx,
							&autoscaling.RecordLifecycleActionHeartbeatInput{
								AutoScalingGroupName: name, LifecycleHookName: aws.String("ready"), InstanceId: &id,
							},
						),
					),
					did(c.Scaling.CompleteLifecycleAction(ctx, &autoscaling.CompleteLifecycleActionInput{
						AutoScalingGroupName: name, LifecycleHookName: aws.String("ready"), InstanceId: &id,
						LifecycleActionResult: aws.String("CONTINUE"),
					})),
					did(
						c.Scaling.DeleteLifecycleHook(
							ctx, &autoscaling.DeleteLifecycleHookInput{AutoScalingGroupName: name, LifecycleHookName: aws.String("ready")},
						),
					),
				)
			}},
			{Name: "a scheduled action", Do: func(ctx context.Context) error {
				return errors.Join(
					did(c.Scaling.PutScheduledUpdateGroupAction(ctx, &autoscaling.PutScheduledUpdateGroupActionInput{
						AutoScalingGroupName: name, ScheduledActionName: aws.String("night"),
						StartTime: aws.Time(s.clock.now().Add(time.Hour)), DesiredCapacity: aws.Int32(1),
					})),
					did(
						c.Scaling.DescribeScheduledActions(ctx, &autoscaling.DescribeScheduledActionsInput{AutoScalingGroupName: name}),
					),
					did(
						c.Scaling.DeleteScheduledAction(
							ctx,
							&autoscaling.DeleteScheduledActionInput{AutoScalingGroupName: name, ScheduledActionName: aws.String("night")},
						),
					),
				)
			}},
			{Name: "a warm pool", Do: func(ctx context.Context) error {
				return errors.Join(
					did(c.Scaling.PutWarmPool(ctx, &autoscaling.PutWarmPoolInput{AutoScalingGroupName: name, MinSize: aws.Int32(1)})),
					did(c.Scaling.DescribeWarmPool(ctx, &autoscaling.DescribeWarmPoolInput{AutoScalingGroupName: name})),
					did(
						c.Scaling.DeleteWarmPool(
							ctx, &autoscaling.DeleteWarmPoolInput{AutoScalingGroupName: name, ForceDelete: aws.Bool(true)},
						),
					),
				)
			}},
			{Name: "target groups and policies", Do: func(ctx context.Context) error {
				groups, err := c.ELB.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{})
				if err != nil {
					return err
				}
				arns := []string{*groups.TargetGroups[0].TargetGroupArn}
				return errors.Join(
					did(
						c.Scaling.AttachLoadBalancerTargetGroups(
							ctx, &autoscaling.AttachLoadBalancerTargetGroupsInput{AutoScalingGroupName: name, TargetGroupARNs: arns},
						),
					),
					did(
						c.Scaling.DescribeLoadBalancerTargetGroups(
							ctx, &autoscaling.DescribeLoadBalancerTargetGroupsInput{AutoScalingGroupName: name},
						),
					),
					did(
						c.Scaling.DetachLoadBalancerTargetGroups(
							ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: name, TargetGroupARNs: arns},
						),
					),
					did(c.Scaling.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{AutoScalingGroupName: name})),
				)
			}},
		}
	})
}

func restOfEC2(s *simulator) contract.Scenario {
	return scenario("the rest of EC2", func(c *contract.Clients) []contract.Step {
		return []contract.Step{
			{Name: "security groups", Do: func(ctx context.Context) error {
				made, err := c.EC2.CreateSecurityGroup(
					ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("quarantine"), Description: aws.String("lets nobody in")},
				)
				if err != nil {
					return err
				}
				s.clock.pass(time.Minute)
				return errors.Join(
					did(c.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})),
					did(
						c.EC2.ModifyInstanceAttribute(
							ctx, &ec2.ModifyInstanceAttributeInput{InstanceId: &c.Managed, Groups: []string{*made.GroupId}},
						),
					),
				)
			}},
			{Name: "volumes and templates", Do: func(ctx context.Context) error {
				volume, err := c.EC2.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: &c.Zones[0], Size: aws.Int32(8)})
				if err != nil {
					return err
				}
				return errors.Join(
					did(c.EC2.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: volume.VolumeId})),
					did(c.EC2.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{})),
				)
			}},
			{Name: "encryption by default", Do: func(ctx context.Context) error {
				return errors.Join(
					did(c.EC2.GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{})),
					did(c.EC2.GetEbsDefaultKmsKeyId(ctx, &ec2.GetEbsDefaultKmsKeyIdInput{})),
				)
			}},
			{Name: "a root volume is replaced", Do: func(ctx context.Context) error {
				described, err := c.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{c.Managed}})
				if err != nil {
					return err
				}
				root := described.Reservations[0].Instances[0].BlockDeviceMappings[0].Ebs.VolumeId
				snapshot, err := c.EC2.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: root})
				if err != nil {
					return err
				}
				s.clock.pass(10 * time.Minute)
				err = did(
					c.EC2.CreateReplaceRootVolumeTask(
						ctx, &ec2.CreateReplaceRootVolumeTaskInput{InstanceId: &c.Managed, SnapshotId: snapshot.SnapshotId},
					),
				)
				s.clock.pass(10 * time.Minute)
				return errors.Join(err, did(c.EC2.DescribeReplaceRootVolumeTasks(ctx, &ec2.DescribeReplaceRootVolumeTasksInput{})))
			}},
		}
	})
}

// restOfBalancing is it and what scripts read of networks, documents and parameters.
func restOfBalancing(_ *simulator) contract.Scenario {
	return scenario("the rest of load balancing", func(c *contract.Clients) []contract.Step {
		return []contract.Step{{Name: "load balancers and tags", Do: func(ctx context.Context) error {
			groups, err := c.ELB.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{})
			if err != nil {
				return err
			}
			arn := groups.TargetGroups[0].TargetGroupArn
			return errors.Join(
				did(c.ELB.AddTags(ctx, &elb.AddTagsInput{
					ResourceArns: []string{*arn}, Tags: []elbtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
				})),
				did(c.ELB.RemoveTags(ctx, &elb.RemoveTagsInput{ResourceArns: []string{*arn}, TagKeys: []string{"a"}})),
				did(c.ELB.ModifyTargetGroup(ctx, &elb.ModifyTargetGroupInput{
					TargetGroupArn: arn, HealthyThresholdCount: groups.TargetGroups[0].HealthyThresholdCount,
				})),
				did(c.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})),
				did(c.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})),
				did(c.EC2.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{})),
				did(c.EC2.DescribeRegions(ctx, &ec2.DescribeRegionsInput{})),
				did(c.SSM.ListDocuments(ctx, &ssm.ListDocumentsInput{})),
				did(c.SSM.ListDocumentVersions(ctx, &ssm.ListDocumentVersionsInput{Name: aws.String("AWS-RunPatchBaseline")})),
				did(c.SSM.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: aws.String("/")})),
				did(c.ELB.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})),
				did(
					c.ELB.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{*arn}}),
				),
			)
		}}}
	})
}

// settingsOf reads and sets what a bucket as a whole has.
func settingsOf(ctx context.Context, c *contract.Clients, bucket *string) error {
	policy := aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},` +
		`"Action":"s3:GetObject","Resource":"arn:aws:s3:::` + *bucket + `/*"}}`)
	encrypted := &s3types.ServerSideEncryptionConfiguration{Rules: []s3types.ServerSideEncryptionRule{{
		ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{
			SSEAlgorithm: s3types.ServerSideEncryptionAwsKms,
		},
	}}}
	return errors.Join(
		did(c.S3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: policy})),
		did(c.S3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket})),
		did(c.S3.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: bucket})),
		did(c.S3.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: bucket})),
		did(c.S3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket})),
		did(c.S3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
			Bucket: bucket, PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{},
		})),
		did(c.S3.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: bucket})),
		did(c.S3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
			Bucket: bucket, ServerSideEncryptionConfiguration: encrypted,
		})),
		did(c.S3.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: bucket})),
		did(c.S3.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: bucket})),
		did(c.S3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: bucket})),
		did(c.S3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: bucket})),
		did(c.S3.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: bucket})),
		did(c.S3.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: bucket})),
		did(c.S3.ListObjects(ctx, &s3.ListObjectsInput{Bucket: bucket})),
	)
}

func restOfS3() contract.Scenario {
	return scenario("the rest of S3", func(c *contract.Clients) []contract.Step {
		return []contract.Step{{Name: "buckets and heads", Do: func(ctx context.Context) error {
			bucket, key := aws.String("corpus-bucket"), aws.String("key")
			return errors.Join(
				did(c.S3.CreateBucket(ctx, newBucket(bucket))),
				did(c.S3.ListBuckets(ctx, &s3.ListBucketsInput{})),
				did(c.S3.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: bucket})),
				did(c.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key})),
				did(c.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})),
				did(c.S3.CopyObject(ctx, &s3.CopyObjectInput{
					Bucket: bucket, Key: aws.String("copy"), CopySource: aws.String("corpus-bucket/key"),
				})),
				settingsOf(ctx, c, bucket),
			)
		}}}
	})
}
