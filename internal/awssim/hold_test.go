package awssim

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// queueIn is a lab with an empty queue, in whose clock each bit of waiting is worth step.
func queueIn(t *testing.T, step time.Duration, attributes map[string]string) (*lab, *sqs.Client, *string) {
	t.Helper()
	l := newLab(t, "healthy")
	l.wait = func(ctx context.Context, _ time.Duration) error {
		l.pass(step)
		return ctx.Err()
	}
	client := sqs.NewFromConfig(l.config())
	made, err := client.CreateQueue(
		context.Background(), &sqs.CreateQueueInput{QueueName: aws.String("waves"), Attributes: attributes},
	)
	require.NoError(t, err)
	return l, client, made.QueueUrl
}

func TestReceiveWaitsForAMessage(t *testing.T) {
	ctx := context.Background()
	for _, tc := range []struct {
		name       string
		step       time.Duration
		attributes map[string]string
		wait       int32
		delay      int32 // of the message that is under way
		held       time.Duration
		came       int
	}{
		{"nothing comes", time.Second, nil, 20, 60, 20 * time.Second, 0},
		{"it comes meanwhile", time.Second, nil, 20, 7, 7 * time.Second, 1},
		{
			"as long as the queue says", time.Second,
			map[string]string{"ReceiveMessageWaitTimeSeconds": "5"},
			0, 60,
			5 * time.Second, 0,
		},
		{
			"the call's own wait counts first", time.Second,
			map[string]string{"ReceiveMessageWaitTimeSeconds": "5"},
			10, 8,
			8 * time.Second, 1,
		},
		{"a short poll does not wait", time.Second, nil, 0, 7, 0, 0},
		{"a clock that stands still cannot wait", 0, nil, 20, 7, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, client, queue := queueIn(t, tc.step, tc.attributes)
			_, err := client.SendMessage(
				ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("held"), DelaySeconds: tc.delay},
			)
			require.NoError(t, err)
			began := l.clock()
			out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: tc.wait})
			require.NoError(t, err)
			require.Len(t, out.Messages, tc.came)
			require.Equal(t, tc.held, l.clock().Sub(began))
			require.Equal(t, 1, l.Calls()["sqs:ReceiveMessage"], "however often it looks, it is one call")
		})
	}
}

// A call that is held must not keep others out: here another client sends what it waits for.
func TestHeldCallsLetOthersIn(t *testing.T) {
	ctx := context.Background()
	l, client, queue := queueIn(t, 0, nil)
	sent := false
	l.wait = func(context.Context, time.Duration) error {
		l.pass(time.Second)
		if !sent {
			sent = true
			_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("now")})
			return err
		}
		return nil
	}
	out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20})
	require.NoError(t, err)
	require.Equal(t, "now", *out.Messages[0].Body)
}

// A client that hangs up while it waits takes no message with it.
func TestHeldCallOfAClientThatLeft(t *testing.T) {
	ctx, leave := context.WithCancel(context.Background())
	l, client, queue := queueIn(t, 0, nil)
	l.wait = func(ctx context.Context, _ time.Duration) error {
		l.pass(time.Second)
		leave()
		return ctx.Err()
	}
	_, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20})
	require.NoError(t, err, "in memory the empty reply still arrives")
	_, err = client.SendMessage(
		context.Background(), &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("mine")},
	)
	require.NoError(t, err)
	out, err := client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: queue})
	require.NoError(t, err)
	require.Len(t, out.Messages, 1)
}

// On the default clock, which runs by itself, a wait takes its time, as many times shorter as AWS's time is faster.
func TestHeldCallsOnTheWallsClock(t *testing.T) {
	scenario, err := world.LoadScenario("healthy")
	require.NoError(t, err)
	sim, err := New(Options{Scenario: scenario, Speed: 100})
	require.NoError(t, err)
	l := &lab{Sim: sim, t: t}
	client := sqs.NewFromConfig(l.config())
	made, err := client.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: aws.String("waves")})
	require.NoError(t, err)
	began := sim.now()
	out, err := client.ReceiveMessage(
		context.Background(), &sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl, WaitTimeSeconds: 10},
	)
	require.NoError(t, err)
	require.Empty(t, out.Messages)
	require.GreaterOrEqual(t, sim.now().Sub(began), 10*time.Second)
}
