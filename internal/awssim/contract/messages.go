package contract

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func messages() Scenario {
	return Scenario{Name: "messages", Steps: func(c *Clients) []Step {
		topics, queues := sns.NewFromConfig(c.Config), sqs.NewFromConfig(c.Config)
		var topic, queue *string
		receive := func(ctx context.Context) ([]types.Message, error) {
			out, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, VisibilityTimeout: 60})
			if err != nil {
				return nil, err
			}
			return out.Messages, nil
		}
		return []Step{
			{"a topic takes what is published", func(ctx context.Context) error {
				made, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(c.Prefix + "topic")})
				if err != nil {
					return err
				}
				topic = made.TopicArn
				c.Later(func(ctx context.Context) error {
					_, err := topics.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: topic})
					return err
				})
				out, err := topics.Publish(
					ctx, &sns.PublishInput{TopicArn: topic, Subject: aws.String("a wave is on hold"), Message: aws.String("web")},
				)
				if err != nil {
					return err
				}
				if aws.ToString(out.MessageId) == "" {
					return errors.New("the message has no id")
				}
				return nil
			}},
			{"a topic that does not exist", func(ctx context.Context) error {
				_, err := topics.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(*topic + "-none"), Message: aws.String("web")})
				return refused(err, "NotFound", "NotFoundException")
			}},
			{"a message comes once while it is being worked on", func(ctx context.Context) error {
				made, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(c.Prefix + "queue")})
				if err != nil {
					return err
				}
				queue = made.QueueUrl
				c.Later(func(ctx context.Context) error {
					_, err := queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: queue})
					return err
				})
				if _, err := queues.SendMessage(
					ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("ready")},
				); err != nil {
					return err
				}
				first, err := receive(ctx)
				if err != nil {
					return err
				}
				again, err := receive(ctx)
				if err != nil {
					return err
				}
				if len(first) != 1 || len(again) != 0 {
					return fmt.Errorf("it came %d times, then %d times", len(first), len(again))
				}
				if _, err := queues.DeleteMessage(
					ctx, &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: first[0].ReceiptHandle},
				); err != nil {
					return err
				}
				return same("body", "ready", *first[0].Body)
			}},
			{"a receive waits for a message", func(ctx context.Context) error {
				if _, err := queues.SendMessage(
					ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("later"), DelaySeconds: 2},
				); err != nil {
					return err
				}
				out, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20})
				if err != nil {
					return err
				}
				if err := same("messages", 1, len(out.Messages)); err != nil {
					return err
				}
				_, err = queues.DeleteMessage(
					ctx, &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: out.Messages[0].ReceiptHandle},
				)
				return err
			}},
			{"deleted, it does not come back", func(ctx context.Context) error {
				if err := c.Pass(ctx, patience/10); err != nil {
					return err
				}
				left, err := receive(ctx)
				return errors.Join(err, same("messages", 0, len(left)))
			}},
			{"a queue that does not exist", func(ctx context.Context) error {
				_, err := queues.SendMessage(
					ctx, &sqs.SendMessageInput{QueueUrl: aws.String(*queue + "-none"), MessageBody: aws.String("x")},
				)
				return refused(err, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
			}},
		}
	}}
}
