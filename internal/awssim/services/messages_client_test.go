package services_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

func newQueue(t *testing.T, client *sqs.Client, name string, attributes map[string]string) *string {
	t.Helper()
	made, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	require.NoError(t, err)
	return made.QueueUrl
}

const notPrincipal = `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"},
	"Action": "sqs:*", "Resource": "*"}}`

// Source: API reference of CreateQueue and SetQueueAttributes.
func TestQueuesAreMadeByTheRules(t *testing.T) {
	client := sqs.NewFromConfig(staging(t, "healthy").config)
	fifo := map[string]string{"FifoQueue": "true"}
	for name, c := range map[string]struct {
		queue      string
		attributes map[string]string
		code       string
	}{
		"plain":                             {"a_B-1", nil, ""},
		"fifo":                              {"a.fifo", fifo, ""},
		"fifo by name alone":                {"b.fifo", nil, "InvalidParameterValue"},
		"fifo by attribute alone":           {"c", fifo, "InvalidParameterValue"},
		"a point":                           {"a.b", nil, "InvalidParameterValue"},
		"a name too long":                   {strings.Repeat("a", 81), nil, "InvalidParameterValue"},
		"no number":                         {"d", map[string]string{"VisibilityTimeout": "x"}, "InvalidAttributeValue"},
		"kept too short":                    {"d", map[string]string{"MessageRetentionPeriod": "59"}, "InvalidAttributeValue"},
		"content decides in a plain queue":  {"d", map[string]string{"ContentBasedDeduplication": "true"}, "InvalidAttributeName"},
		"a policy that is none":             {"d", map[string]string{"Policy": "{}"}, "InvalidAttributeValue"},
		"a policy that is not modelled":     {"d", map[string]string{"Policy": notPrincipal}, "NotModelled"},
		"a queue of the dead":               {"d", map[string]string{"RedrivePolicy": "{}"}, "NotModelled"},
		"the same name, another visibility": {"a_B-1", map[string]string{"VisibilityTimeout": "31"}, "QueueAlreadyExists"},
	} {
		if c.code == "" {
			newQueue(t, client, c.queue, c.attributes)
			continue
		}
		defer t.Run(name, func(t *testing.T) { // after what they collide with
			_, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &c.queue, Attributes: c.attributes})
			refusedOr(t, c.code, err)
		})
	}
}

func TestAQueueAndATopicBelongToOneAccountAndOneRegion(t *testing.T) {
	a := staging(t, "healthy")
	url := newQueue(t, sqs.NewFromConfig(a.config), "own", nil)
	topic, err := sns.NewFromConfig(a.config).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("own")})
	require.NoError(t, err)
	elsewhere := a.config.Copy()
	elsewhere.Region = "eu-west-1"
	for name, c := range map[string]struct {
		config       aws.Config
		queue, topic string
	}{
		"its own":         {a.config, "", ""},
		"another account": {a.as("111122223333"), "AccessDenied", "AuthorizationError"},
		"another region":  {elsewhere, "AWS.SimpleQueueService.NonExistentQueue", "InvalidParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqs.NewFromConfig(c.config).SendMessage(
				ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x")},
			)
			if c.queue == "AWS.SimpleQueueService.NonExistentQueue" {
				require.Contains(t, []string{c.queue, "QueueDoesNotExist"}, code(t, err))
			} else {
				refusedOr(t, c.queue, err)
			}
			_, err = sns.NewFromConfig(c.config).Publish(
				ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("x")},
			)
			refusedOr(t, c.topic, err)
		})
	}
}

// Source: API reference of SendMessage, "MessageDeduplicationId" and "MessageGroupId".
func TestAFIFOQueueDropsRepetitionsAndKeepsTheOrder(t *testing.T) {
	a := staging(t, "healthy")
	client := sqs.NewFromConfig(a.config)
	url := newQueue(t, client, "order.fifo", map[string]string{"FifoQueue": "true"})
	plain := newQueue(t, client, "plain", nil)
	send := func(url *string, body, group, once string) (*sqs.SendMessageOutput, error) {
		in := &sqs.SendMessageInput{QueueUrl: url, MessageBody: &body}
		if group != "" {
			in.MessageGroupId = &group
		}
		if once != "" {
			in.MessageDeduplicationId = &once
		}
		return client.SendMessage(ctx, in)
	}
	for name, c := range map[string]struct {
		url         *string
		group, once string
		code        string
	}{
		"no group":                  {url, "", "1", "MissingParameter"},
		"no id":                     {url, "g", "", "InvalidParameterValue"},
		"a space in the group":      {url, "a b", "1", "InvalidParameterValue"},
		"an id for a plain queue":   {plain, "", "1", "InvalidParameterValue"},
		"a group for a plain queue": {plain, "g", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := send(c.url, "x", c.group, c.once)
			refusedOr(t, c.code, err)
		})
	}
	first, err := send(url, "first", "g", "1")
	require.NoError(t, err)
	again, err := send(url, "repeated", "g", "1")
	require.NoError(t, err)
	require.Equal(t, *first.MessageId, *again.MessageId)
	_, err = send(url, "second", "g", "2")
	require.NoError(t, err)
	receive := func() []types.Message {
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: url, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
		})
		require.NoError(t, err)
		return out.Messages
	}
	got := receive()
	require.Equal(t, "first g 1", *got[0].Body+" "+got[0].Attributes["MessageGroupId"]+" "+
		got[0].Attributes["MessageDeduplicationId"])
	require.Empty(t, receive(), "the group waits for its first message")
	_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: got[0].ReceiptHandle})
	require.NoError(t, err)
	require.Equal(t, "second", *receive()[0].Body)
	a.pass(6 * time.Minute)
	late, err := send(url, "later", "g", "1")
	require.NoError(t, err)
	require.NotEqual(t, *first.MessageId, *late.MessageId, "after five minutes it is another message")
}

func TestBatchesHandlesAndTags(t *testing.T) {
	client := sqs.NewFromConfig(staging(t, "healthy").config)
	url := newQueue(t, client, "batches", nil)
	entry := func(id, body string) types.SendMessageBatchRequestEntry {
		return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
	}
	large := strings.Repeat("x", 600<<10)
	for name, c := range map[string]struct {
		entries []types.SendMessageBatchRequestEntry
		code    string
	}{
		"none":        {[]types.SendMessageBatchRequestEntry{}, "EmptyBatchRequest"},
		"eleven":      {make([]types.SendMessageBatchRequestEntry, 11), "TooManyEntriesInBatchRequest"},
		"an id twice": {[]types.SendMessageBatchRequestEntry{entry("a", "x"), entry("a", "y")}, "BatchEntryIdsNotDistinct"},
		"a bad id":    {[]types.SendMessageBatchRequestEntry{entry("a b", "x")}, "InvalidBatchEntryId"},
		"too large":   {[]types.SendMessageBatchRequestEntry{entry("a", large), entry("b", large)}, "BatchRequestTooLong"},
	} {
		t.Run(name, func(t *testing.T) {
			for n := range c.entries {
				if c.entries[n].Id == nil {
					c.entries[n] = entry(strings.Repeat("i", n+1), "x")
				}
			}
			_, err := client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: c.entries})
			require.Contains(t, code(t, err), c.code)
		})
	}
	sent, err := client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{
		QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{entry("a", "x"), entry("b", "\x01")},
	})
	require.NoError(t, err)
	require.Len(t, sent.Successful, 1)
	require.Equal(t, "InvalidMessageContents", *sent.Failed[0].Code)

	_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: aws.String("garbage")})
	require.Equal(t, "ReceiptHandleIsInvalid", code(t, err))
	got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url})
	require.NoError(t, err)
	handle := got.Messages[0].ReceiptHandle
	for range 2 {
		deleted, err := client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{
			QueueUrl: url, Entries: []types.DeleteMessageBatchRequestEntry{
				{Id: aws.String("a"), ReceiptHandle: handle}, {Id: aws.String("b"), ReceiptHandle: aws.String("garbage")},
			},
		})
		require.NoError(t, err)
		require.Len(t, deleted.Successful, 1, "a message that is gone is no error")
		require.Equal(t, "ReceiptHandleIsInvalid", *deleted.Failed[0].Code)
	}
	_, err = client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: url, Attributes: map[string]string{"MaximumMessageSize": "1024"},
	})
	require.NoError(t, err)
	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String(strings.Repeat("x", 1025))})
	require.Equal(t, "InvalidParameterValue", code(t, err))
	_, err = client.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: url, Tags: map[string]string{"team": "web", "x": "y"}})
	require.NoError(t, err)
	_, err = client.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: url, TagKeys: []string{"x"}})
	require.NoError(t, err)
	tags, err := client.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: url})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"team": "web"}, tags.Tags)
}

// Source: API reference of Publish.
func TestAFIFOTopicAsksForAGroup(t *testing.T) {
	topics := sns.NewFromConfig(staging(t, "healthy").config)
	_, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("a.fifo")})
	require.Equal(t, "InvalidParameter", code(t, err), "the attribute is missing")
	made, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{
		Name: aws.String("a.fifo"), Attributes: map[string]string{"FifoTopic": "true"},
	})
	require.NoError(t, err)
	publish := func(group, once *string) (*sns.PublishOutput, error) {
		return topics.Publish(ctx, &sns.PublishInput{
			TopicArn: made.TopicArn, Message: aws.String("x"), MessageGroupId: group, MessageDeduplicationId: once,
		})
	}
	_, err = publish(nil, aws.String("1"))
	require.Equal(t, "InvalidParameter", code(t, err))
	_, err = publish(aws.String("g"), nil)
	require.Equal(t, "InvalidParameter", code(t, err))
	first, err := publish(aws.String("g"), aws.String("1"))
	require.NoError(t, err)
	again, err := publish(aws.String("g"), aws.String("1"))
	require.NoError(t, err)
	require.Equal(t, *first.MessageId, *again.MessageId)
}
