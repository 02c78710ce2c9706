package contract_test

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// restOfSQS makes the calls that what follows does not need.
func restOfSQS(ctx context.Context, queues *sqs.Client, url *string) error {
	sent, err := queues.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{
		QueueUrl: url, Entries: []sqstypes.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: aws.String("x")}},
	})
	if err != nil {
		return err
	}
	got, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url})
	if err != nil {
		return err
	}
	handle, id := got.Messages[0].ReceiptHandle, sent.Successful[0].Id
	return errors.Join(
		did(queues.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{
			QueueUrl: url, Entries: []sqstypes.ChangeMessageVisibilityBatchRequestEntry{{Id: id, ReceiptHandle: handle}},
		})),
		did(queues.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{
			QueueUrl: url, Entries: []sqstypes.DeleteMessageBatchRequestEntry{{Id: id, ReceiptHandle: handle}},
		})),
		did(queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
			QueueUrl: url, Attributes: map[string]string{"DelaySeconds": "0"},
		})),
		did(queues.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: url, Tags: map[string]string{"a": "b"}})),
		did(queues.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: url})),
		did(queues.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: url, TagKeys: []string{"a"}})),
	)
}

// restOfSNS is it for topics.
func restOfSNS(ctx context.Context, topics *sns.Client, topic, subscription *string) error {
	return errors.Join(
		did(topics.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
			TopicArn: topic, AttributeName: aws.String("DisplayName"), AttributeValue: aws.String("Alerts"),
		})),
		did(topics.TagResource(ctx, &sns.TagResourceInput{
			ResourceArn: topic, Tags: []snstypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
		})),
		did(topics.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: topic})),
		did(topics.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: topic, TagKeys: []string{"a"}})),
		did(topics.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: subscription})),
		did(topics.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{
			SubscriptionArn: subscription, AttributeName: aws.String("RawMessageDelivery"), AttributeValue: aws.String("true"),
		})),
	)
}

// gone wants the SDK's own error for a queue that does not exist.
func gone(ctx context.Context, queues *sqs.Client, url *string) error {
	_, err := queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x")})
	var missing *sqstypes.QueueDoesNotExist
	return wrong(errors.As(err, &missing), "a deleted queue answers %v", err)
}
