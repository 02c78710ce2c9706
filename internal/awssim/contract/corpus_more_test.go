package contract_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/patchtide/patchtide/internal/awssim/contract"
)

// wrong is an error unless it holds.
func wrong(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func templates(s *simulator) contract.Scenario {
	return scenario("what a group launches follows its template", func(c *contract.Clients) []contract.Step {
		return []contract.Step{
			{Name: "a new version, a new default, a new group member", Do: func(ctx context.Context) error {
				name := aws.String("versions")
				if err := s.group(ctx, c, *name); err != nil {
					return err
				}
				other := s.region.Images()[1].ID
				added, err := c.EC2.CreateLaunchTemplateVersion(ctx, &ec2.CreateLaunchTemplateVersionInput{
					LaunchTemplateName: name, SourceVersion: aws.String("1"),
					LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: &other},
				})
				if err != nil {
					return err
				}
				_, err = c.EC2.ModifyLaunchTemplate(
					ctx, &ec2.ModifyLaunchTemplateInput{LaunchTemplateName: name, DefaultVersion: aws.String("2")},
				)
				err = errors.Join(
					err,
					did(
						c.Scaling.SetDesiredCapacity(
							ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: name, DesiredCapacity: aws.Int32(3)},
						),
					),
				)
				if err != nil {
					return err
				}
				s.clock.pass(5 * time.Minute)
				ids, err := s.members(ctx, c, *name)
				if err != nil {
					return err
				}
				versions, err := c.EC2.DescribeLaunchTemplateVersions(
					ctx, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateName: name},
				)
				if err != nil {
					return err
				}
				newest := s.region.Instance(ids[len(ids)-1])
				return errors.Join(
					wrong(
						*added.LaunchTemplateVersion.VersionNumber == 2 && len(versions.LaunchTemplateVersions) == 2,
						"versions are miscounted",
					),
					wrong(newest.Image.ID == other, "the new member has image %s, not the new default's", newest.Image.ID),
					did(c.Scaling.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
						AutoScalingGroupName: name,
						LaunchTemplate:       &astypes.LaunchTemplateSpecification{LaunchTemplateName: name, Version: aws.String("1")},
					})),
					did(
						c.Scaling.DeleteAutoScalingGroup(
							ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: name, ForceDelete: aws.Bool(true)},
						),
					),
				)
			}},
		}
	})
}

func rules() contract.Scenario {
	return scenario("security groups and attributes", func(c *contract.Clients) []contract.Step {
		return []contract.Step{
			{Name: "rules come and go", Do: func(ctx context.Context) error {
				made, err := c.EC2.CreateSecurityGroup(
					ctx,
					&ec2.CreateSecurityGroupInput{
						GroupName: aws.String("corpus-isolation"), Description: aws.String("none"), VpcId: &c.VPC,
					},
				)
				if err != nil {
					return err
				}
				all := []ec2types.IpPermission{
					{IpProtocol: aws.String("-1"), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}},
				}
				http := []ec2types.IpPermission{
					{
						IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80),
						UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: made.GroupId}},
					},
				}
				return errors.Join(
					did(
						c.EC2.RevokeSecurityGroupEgress(
							ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: made.GroupId, IpPermissions: all},
						),
					),
					did(
						c.EC2.AuthorizeSecurityGroupEgress(
							ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: made.GroupId, IpPermissions: http},
						),
					),
					did(
						c.EC2.AuthorizeSecurityGroupIngress(
							ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: made.GroupId, IpPermissions: http},
						),
					),
					did(c.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{*made.GroupId}})),
					did(
						c.EC2.RevokeSecurityGroupIngress(
							ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: made.GroupId, IpPermissions: http},
						),
					),
					did(c.EC2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: made.GroupId})),
				)
			}},
			{Name: "targets by address, and attributes", Do: func(ctx context.Context) error {
				described, err := c.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{c.Managed}})
				if err != nil {
					return err
				}
				address := described.Reservations[0].Instances[0].PrivateIpAddress
				made, err := c.ELB.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
					Name: aws.String("addresses"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: &c.VPC,
					TargetType: elbtypes.TargetTypeEnumIp,
				})
				if err != nil {
					return err
				}
				arn, targets := made.TargetGroups[0].TargetGroupArn, []elbtypes.TargetDescription{{Id: address}}
				if _, err := c.ELB.RegisterTargets(
					ctx, &elb.RegisterTargetsInput{TargetGroupArn: arn, Targets: targets},
				); err != nil {
					return err
				}
				health, err := c.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: arn})
				if err != nil {
					return err
				}
				balancers, err := c.ELB.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
				if err != nil {
					return err
				}
				return errors.Join(
					wrong(
						*health.TargetHealthDescriptions[0].Target.Id == *address, "the target is %s",
						*health.TargetHealthDescriptions[0].Target.Id,
					),
					did(
						c.ELB.DescribeLoadBalancerAttributes(
							ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: balancers.LoadBalancers[0].LoadBalancerArn},
						),
					),
					did(c.ELB.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
						TargetGroupArn: arn,
						Attributes: []elbtypes.TargetGroupAttribute{
							{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("10")},
						},
					})),
					did(c.ELB.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: arn, Targets: targets})),
				)
			}},
		}
	})
}

// newBucket asks for a bucket in the region of the tests.
func newBucket(name *string) *s3.CreateBucketInput {
	return &s3.CreateBucketInput{
		Bucket: name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: tokyo},
	}
}

func uploads() contract.Scenario {
	return scenario("objects in parts", func(c *contract.Clients) []contract.Step {
		return []contract.Step{
			{Name: "two parts become an object, another upload is given up", Do: func(ctx context.Context) error {
				bucket, key := aws.String("parts"), aws.String("big")
				_, err := c.S3.CreateBucket(ctx, newBucket(bucket))
				if err != nil {
					return err
				}
				upload, err := c.S3.CreateMultipartUpload(
					ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key, ContentType: aws.String("text/plain")},
				)
				if err != nil {
					return err
				}
				var parts []s3types.CompletedPart
				for n, size := range []int{5 << 20, 10} {
					part, err := c.S3.UploadPart(ctx, &s3.UploadPartInput{
						Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(int32(n + 1)),
						Body: bytes.NewReader(bytes.Repeat([]byte("x"), size)),
					})
					if err != nil {
						return err
					}
					parts = append(parts, s3types.CompletedPart{PartNumber: aws.Int32(int32(n + 1)), ETag: part.ETag})
				}
				listed, err := c.S3.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: key, UploadId: upload.UploadId})
				if err != nil {
					return err
				}
				_, err = c.S3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
					Bucket: bucket, Key: key, UploadId: upload.UploadId,
					MultipartUpload: &s3types.CompletedMultipartUpload{Parts: parts},
				})
				if err != nil {
					return err
				}
				head, err := c.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
				if err != nil {
					return err
				}
				other, err := c.S3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
				if err != nil {
					return err
				}
				under := &s3.ListMultipartUploadsInput{Bucket: bucket}
				uploads, err := c.S3.ListMultipartUploads(ctx, under)
				if err != nil {
					return err
				}
				return errors.Join(
					wrong(len(uploads.Uploads) == 1, "%d uploads are listed", len(uploads.Uploads)),
					did(c.S3.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
						Bucket: bucket, Key: key, UploadId: other.UploadId, PartNumber: aws.Int32(1),
						CopySource: aws.String("parts/big"), CopySourceRange: aws.String("bytes=0-9"),
					})),
					wrong(len(listed.Parts) == 2, "%d parts are listed", len(listed.Parts)),
					wrong(*head.ContentLength == 5<<20+10, "the object has %d bytes", *head.ContentLength),
					did(
						c.S3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: other.UploadId}),
					),
				)
			}},
		}
	})
}

func messages(s *simulator) contract.Scenario {
	return scenario("topics and queues", func(c *contract.Clients) []contract.Step {
		topics, queues := sns.NewFromConfig(c.Config), sqs.NewFromConfig(c.Config)
		return []contract.Step{
			{Name: "what is published is received once, until it is deleted", Do: func(ctx context.Context) error {
				topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("alerts")})
				if err != nil {
					return err
				}
				queue, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("alerts")})
				if err != nil {
					return err
				}
				attributes, err := queues.GetQueueAttributes(
					ctx,
					&sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}},
				)
				if err != nil {
					return err
				}
				if err := restOfSQS(ctx, queues, queue.QueueUrl); err != nil {
					return err
				}
				subscribed, err := topics.Subscribe(ctx, &sns.SubscribeInput{
					TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(attributes.Attributes["QueueArn"]),
					Attributes: map[string]string{"RawMessageDelivery": "true"},
				})
				if err != nil {
					return err
				}
				if err := restOfSNS(ctx, topics, topic.TopicArn, subscribed.SubscriptionArn); err != nil {
					return err
				}
				_, err = queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
					QueueUrl: queue.QueueUrl, Attributes: map[string]string{"Policy": `{"Version":"2012-10-17","Statement":{` +
						`"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}}`},
				})
				if err != nil {
					return err
				}
				if _, err := topics.Publish(
					ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Subject: aws.String("wave"), Message: aws.String("held")},
				); err != nil {
					return err
				}
				receive := &sqs.ReceiveMessageInput{
					QueueUrl: queue.QueueUrl, WaitTimeSeconds: 20,
					MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"All"},
				}
				first, err := queues.ReceiveMessage(ctx, receive)
				if err != nil {
					return err
				}
				hidden, err := queues.ReceiveMessage(ctx, receive)
				if err != nil {
					return err
				}
				s.clock.pass(time.Minute)
				again, err := queues.ReceiveMessage(ctx, receive)
				if err != nil {
					return err
				}
				if len(first.Messages) != 1 || len(hidden.Messages) != 0 || len(again.Messages) != 1 ||
					*again.Messages[0].Body != "held" {
					return fmt.Errorf(
						"received %d, then %d, then %d messages", len(first.Messages), len(hidden.Messages), len(again.Messages),
					)
				}
				receipt := again.Messages[0].ReceiptHandle
				return errors.Join(
					did(
						queues.ChangeMessageVisibility(
							ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: queue.QueueUrl, ReceiptHandle: receipt, VisibilityTimeout: 5},
						),
					),
					did(queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue.QueueUrl, ReceiptHandle: receipt})),
					did(queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("x")})),
					did(queues.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: queue.QueueUrl})),
					did(queues.ListQueues(ctx, &sqs.ListQueuesInput{})),
					did(queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("alerts")})),
					did(topics.ListTopics(ctx, &sns.ListTopicsInput{})),
					did(topics.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: topic.TopicArn})),
					did(topics.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: topic.TopicArn})),
					did(topics.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: subscribed.SubscriptionArn})),
					did(topics.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: topic.TopicArn})),
					did(queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: queue.QueueUrl})),
					gone(ctx, queues, queue.QueueUrl),
				)
			}},
		}
	})
}
