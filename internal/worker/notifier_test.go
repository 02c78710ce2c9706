package worker_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/awssim/awssimtest"
	"github.com/patchtide/patchtide/internal/notify"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

// subscribed makes a topic with a queue behind it, and gives its ARN and what reads the queue.
func subscribed(t *testing.T, as aws.Config) (topic string, received func() []string) {
	topics, queues := sns.NewFromConfig(as), sqs.NewFromConfig(as)
	made, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("patching")})
	require.NoError(t, err)
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("patching")})
	require.NoError(t, err)
	attributes, err := queues.GetQueueAttributes(
		t.Context(),
		&sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}},
	)
	require.NoError(t, err)
	_, err = queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl: queue.QueueUrl, Attributes: map[string]string{"Policy": `{"Version": "2012-10-17", "Statement": {
			"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}}`},
	})
	require.NoError(t, err)
	_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(attributes.Attributes["QueueArn"]),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	require.NoError(t, err)
	return *made.TopicArn, func() []string {
		answer, err := queues.ReceiveMessage(
			t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10},
		)
		require.NoError(t, err)
		var bodies []string
		for _, message := range answer.Messages {
			bodies = append(bodies, *message.Body)
		}
		return bodies
	}
}

func TestATopicIsPublishedOnWithTheRightAccount(t *testing.T) {
	t.Setenv("PATCHTIDE_EXTERNAL_ID", "patchtide-lab")
	began := time.Now()
	fleet := awssimtest.New(t, awssimtest.Options{Now: func() time.Time { return began }})
	own := fleet.Config()
	example, err := config.Parse("patchtide.yaml", config.Example(), nil)
	require.NoError(t, err)
	production, found := example.Account("production")
	require.True(t, found)
	assumed := own.Copy()
	assumed.Credentials = stscreds.NewAssumeRoleProvider(
		sts.NewFromConfig(own), production.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.ExternalID = aws.String("patchtide-lab")
		})
	for name, c := range map[string]struct {
		owner   aws.Config
		account string
	}{
		"of one of the accounts: its role":                 {assumed, production.ID},
		"of the worker's own account: its own credentials": {own, fleet.Scenario.Home.ID},
	} {
		t.Run(name, func(t *testing.T) {
			topic, received := subscribed(t, c.owner)
			require.Contains(t, topic, ":"+c.account+":")
			loaded, err := config.Parse(
				"patchtide.yaml", append(config.Example(), []byte("\nnotify: [{sns: {topic_arn: '"+topic+"'}}]\n")...), nil,
			)
			require.NoError(t, err)
			notifier, err := worker.Notifier(
				t.Context(), worker.Options{Config: loaded, AWS: own, HTTP: fleet.HTTP, Namespace: "default"},
			)
			require.NoError(t, err)
			require.Equal(t, []string{"sns " + topic}, notifier.Channels())
			require.NoError(
				t, notifier.Send(t.Context(), "sns "+topic, patch.Notice{Kind: patch.NoticeTest, Key: "test/1", At: began}),
			)
			bodies := received()
			require.Len(t, bodies, 1)
			var document struct{ ID, Kind string }
			require.NoError(t, json.Unmarshal([]byte(bodies[0]), &document), "a queue gets the JSON")
			require.Equal(t, "test/1", document.ID)
			require.Equal(t, "test", document.Kind)

			gone := strings.Replace(topic, "patching", "gone", 1)
			loaded, err = config.Parse(
				"patchtide.yaml", append(config.Example(), []byte("\nnotify: [{sns: {topic_arn: '"+gone+"'}}]\n")...), nil,
			)
			require.NoError(t, err)
			notifier, err = worker.Notifier(
				t.Context(), worker.Options{Config: loaded, AWS: own, HTTP: own.HTTPClient.(*http.Client)},
			)
			require.NoError(t, err)
			var refused *notify.RefusedError
			require.ErrorAs(
				t, notifier.Send(t.Context(), "sns "+gone, patch.Notice{Kind: patch.NoticeTest, Key: "test/2"}), &refused,
			)
			require.ErrorContains(t, refused, "SNS answered NotFound")
		})
	}
}
