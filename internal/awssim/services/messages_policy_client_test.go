package services_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// policyOf is a policy of one statement.
func policyOf(effect, principal, action, resource, condition string) string {
	if condition != "" {
		condition = `, "Condition": ` + condition
	}
	return `{"Version": "2012-10-17", "Statement": [{"Effect": "` + effect + `", "Principal": ` + principal + `, "Action": "` +
		action + `", "Resource": "` + resource + `"` + condition + `}]}`
}

const otherAccount = "111122223333"

// Sources: SQS guide, "Basic examples of Amazon SQS policies" and "Limitations of Amazon SQS custom policies"; SNS guide,
// "Example cases for Amazon SNS access control"; IAM guide, "Cross-account policy evaluation logic".
func TestPoliciesOpenQueuesAndTopics(t *testing.T) {
	for name, c := range map[string]struct {
		effect, principal, action, condition string
		own, other                           bool // whether the account itself, and another, may send and publish
	}{
		"none":              {"", "", "", "", true, false},
		"the other account": {"Allow", `{"AWS": "111122223333"}`, "%s", "", true, true},
		"its root":          {"Allow", `{"AWS": ["arn:aws:iam::111122223333:root"]}`, "%s", "", true, true},
		"its role":          {"Allow", `{"AWS": "arn:aws:iam::111122223333:role/patchtide"}`, "%s", "", true, true},
		"another role":      {"Allow", `{"AWS": "arn:aws:iam::111122223333:role/nobody"}`, "%s", "", true, false},
		"everybody":         {"Allow", `"*"`, "%s", "", true, true},
		"another action":    {"Allow", `"*"`, "X:Get*", "", true, false},
		"a condition on accounts": {
			"Allow", `{"AWS": "*"}`, "%s", `{"StringEquals": {"aws:PrincipalAccount": "222233334444"}}`, true, false,
		},
		"a denial of all":      {"Deny", `"*"`, "%s", "", false, false},
		"a denial without TLS": {"Deny", `"*"`, "%s", `{"Bool": {"aws:SecureTransport": "false"}}`, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := staging(t, "healthy")
			queues, topics := sqs.NewFromConfig(a.config), sns.NewFromConfig(a.config)
			url := newQueue(t, queues, "own", nil)
			topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("own")})
			require.NoError(t, err)
			if c.effect != "" {
				_, err = queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{
					"Policy": policyOf(c.effect, c.principal, strings.NewReplacer("%s", "sqs:SendMessage", "X", "sqs").Replace(c.action),
						"arn:aws:sqs:ap-northeast-1:222233334444:own", c.condition),
				}})
				require.NoError(t, err)
				_, err = topics.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
					TopicArn: topic.TopicArn, AttributeName: aws.String("Policy"), AttributeValue: aws.String(policyOf(
						c.effect, c.principal, strings.NewReplacer("%s", "SNS:Publish", "X", "SNS").Replace(c.action), *topic.TopicArn,
						c.condition,
					)),
				})
				require.NoError(t, err)
			}
			for may, config := range map[*bool]aws.Config{&c.own: a.config, &c.other: a.as(otherAccount)} {
				queueCode, topicCode := "AccessDenied", "AuthorizationError"
				if *may {
					queueCode, topicCode = "", ""
				}
				_, err = sqs.NewFromConfig(config).SendMessage(
					ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x")},
				)
				refusedOr(t, queueCode, err)
				_, err = sqs.NewFromConfig(config).SendMessageBatch(ctx, &sqs.SendMessageBatchInput{
					QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: aws.String("x")}},
				})
				refusedOr(t, queueCode, err)
				_, err = sns.NewFromConfig(config).Publish(
					ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("x")},
				)
				refusedOr(t, topicCode, err)
			}
			_, err = sqs.NewFromConfig(a.as(otherAccount)).DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: url})
			require.Equal(t, "AccessDenied", code(t, err), "no policy opens that")
		})
	}
}

// Source: SNS guide, "Subscribing an Amazon SQS queue to an Amazon SNS topic", step 2.
func TestATopicReachesAQueueThatLetsIt(t *testing.T) {
	a := staging(t, "healthy")
	queues, topics := sqs.NewFromConfig(a.config), sns.NewFromConfig(a.config)
	url := newQueue(t, queues, "own", nil)
	const arn = "arn:aws:sqs:ap-northeast-1:222233334444:own"
	topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("own")})
	require.NoError(t, err)
	_, err = topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(arn),
	})
	require.NoError(t, err)
	from := func(arn string) string { return `{"ArnEquals": {"aws:SourceArn": "` + arn + `"}}` }
	for _, c := range []struct {
		name, policy string
		received     int
	}{
		{"no policy", "", 0},
		{"for the account only", policyOf("Allow", `{"AWS": "222233334444"}`, "sqs:SendMessage", arn, ""), 0},
		{
			"for another topic",
			policyOf("Allow", `{"Service": "sns.amazonaws.com"}`, "sqs:SendMessage", arn, from(*topic.TopicArn+"-2")), 0,
		},
		{
			"for the topic", policyOf("Allow", `{"Service": "sns.amazonaws.com"}`, "sqs:SendMessage", arn, from(*topic.TopicArn)), 1,
		},
		{"as SDKs write it", policyOf("Allow", `{"AWS": "*"}`, "SQS:SendMessage", arn, from(*topic.TopicArn)), 1},
		{"taken away again", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
				QueueUrl: url, Attributes: map[string]string{"Policy": c.policy},
			})
			require.NoError(t, err)
			told, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
				QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"},
			})
			require.NoError(t, err)
			require.Equal(t, c.policy, told.Attributes["Policy"])
			_, err = topics.Publish(ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("x")})
			require.NoError(t, err)
			got, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, VisibilityTimeout: 3600})
			require.NoError(t, err)
			require.Len(t, got.Messages, c.received)
		})
	}
	_, err = topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"),
		Endpoint: aws.String("arn:aws:sqs:ap-northeast-1:111122223333:theirs"),
	})
	require.Equal(t, "NotModelled", code(t, err), "it would wait for its confirmation")
}

// Source: API references of SetTopicAttributes, GetTopicAttributes and CreateTopic.
func TestAttributesOfATopic(t *testing.T) {
	client := sns.NewFromConfig(staging(t, "healthy").config)
	plain, err := client.CreateTopic(ctx, &sns.CreateTopicInput{
		Name: aws.String("plain"), Attributes: map[string]string{"DisplayName": "first"},
		Tags: []snstypes.Tag{{Key: aws.String("team"), Value: aws.String("web")}},
	})
	require.NoError(t, err)
	policy := policyOf("Allow", `"*"`, "SNS:Publish", *plain.TopicArn, "")
	for _, c := range []struct{ name, attribute, value, code string }{
		{"a name", "DisplayName", "Patches", ""},
		{"a name too long", "DisplayName", strings.Repeat("x", 101), "InvalidParameter"},
		{"a policy", "Policy", policy, ""},
		{"a policy that is none", "Policy", "{", "InvalidParameter"},
		{"a policy without principals", "Policy", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`, "InvalidParameter"},
		{"deliveries by HTTP", "DeliveryPolicy", `{"http": {}}`, ""},
		{"no JSON", "DeliveryPolicy", "x", "InvalidParameter"},
		{"content in a plain topic", "ContentBasedDeduplication", "true", "InvalidParameter"},
		{"encryption", "KmsMasterKeyId", "alias/aws/sns", "NotModelled"},
		{"feedback", "HTTPSuccessFeedbackRoleArn", "arn:aws:iam::1:role/x", "NotModelled"},
		{"an attribute that is none", "Colour", "red", "InvalidParameter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := client.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
				TopicArn: plain.TopicArn, AttributeName: &c.attribute, AttributeValue: &c.value,
			})
			refusedOr(t, c.code, err)
		})
	}
	told, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: plain.TopicArn})
	require.NoError(t, err)
	require.Equal(t, "Patches", told.Attributes["DisplayName"])
	require.Equal(t, policy, told.Attributes["Policy"])
	require.Equal(t, "222233334444", told.Attributes["Owner"])
	require.Equal(t, "0", told.Attributes["SubscriptionsConfirmed"])
	_, err = client.CreateTopic(ctx, &sns.CreateTopicInput{
		Name: aws.String("plain"), Attributes: map[string]string{"DisplayName": "other"},
	})
	require.Equal(t, "InvalidParameter", code(t, err), "it is there, with another name")
	_, err = client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("plain")})
	require.NoError(t, err)
	_, err = client.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
		TopicArn: aws.String(*plain.TopicArn + "-none"), AttributeName: aws.String("DisplayName"), AttributeValue: aws.String("x"),
	})
	require.Equal(t, "NotFound", code(t, err))
	tags, err := client.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: plain.TopicArn})
	require.NoError(t, err)
	require.Equal(t, "web", *tags.Tags[0].Value)
}

// Source: IAM guide, "Identity-based policies and resource-based policies": within an account one of them is enough.
func TestAPolicyOfAQueueLetsARoleInThatMayNothing(t *testing.T) {
	a := staging(t, "healthy")
	client := sqs.NewFromConfig(a.config)
	url := newQueue(t, client, "own", map[string]string{"Policy": policyOf(
		"Allow", `{"AWS": "arn:aws:iam::222233334444:role/patchtide"}`, "sqs:SendMessage", "*", "",
	)})
	for name, c := range map[string]struct{ effect, code string }{
		"not allowed": {"Allow", ""}, "denied": {"Deny", "AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			policy, err := world.ParsePolicy(
				`{"Version": "2012-10-17", "Statement": {"Effect": "` + c.effect + `", "Action": "sqs:Send*", "Resource": "` +
					map[string]string{"Allow": "arn:none", "Deny": "*"}[c.effect] + `"}}`,
			)
			require.NoError(t, err)
			a.sim.Inspect(func(w *world.World) { w.Account("222233334444").SetPolicy("patchtide", policy) })
			_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x")})
			refusedOr(t, c.code, err)
			_, err = client.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: url})
			require.Equal(t, "AccessDenied", code(t, err))
		})
	}
}
