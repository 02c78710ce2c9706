package cloud_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/patch"
)

// wire answers as a test says and remembers what was asked.
type wire struct {
	mu       sync.Mutex
	requests []*http.Request
	forms    []url.Values
	answer   func(*http.Request, url.Values) (int, string)
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	form, _ := url.ParseQuery(string(body))
	w.mu.Lock()
	w.requests, w.forms = append(w.requests, r), append(w.forms, form)
	w.mu.Unlock()
	status, reply := w.answer(r, form)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"text/xml"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(reply)),
	}, nil
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.requests)
}

const assumed = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>made-up</SecretAccessKey><SessionToken>token</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`

var production = patch.Account{Name: "production", ID: "111122223333"}

func connect(t *testing.T, w *wire, account cloud.Account) *cloud.Clients {
	t.Helper()
	c, err := cloud.New(cloud.Options{
		Config: aws.Config{
			Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "made-up", ""),
		},
		Accounts: []cloud.Account{account}, HTTP: w, Speed: 1e6, Version: "1.2.3",
	})
	require.NoError(t, err)
	clients, err := c.Connect(context.Background(), production, "ap-northeast-1")
	require.NoError(t, err)
	return clients
}

func TestMutationsAreSentOnceAndReadsAreRepeated(t *testing.T) {
	for _, test := range []struct {
		name string
		call func(context.Context, *cloud.Clients) error
		sent int
	}{
		{"autoscaling EnterStandby", func(ctx context.Context, c *cloud.Clients) error {
			_, err := c.AutoScaling.EnterStandby(
				ctx,
				&autoscaling.EnterStandbyInput{
					AutoScalingGroupName: aws.String("web"), ShouldDecrementDesiredCapacity: aws.Bool(true),
				},
			)
			return err
		}, 1},
		{"ec2 CreateSnapshot", func(ctx context.Context, c *cloud.Clients) error {
			_, err := c.EC2.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: aws.String("vol-1")})
			return err
		}, 1},
		{"ssm StartAutomationExecution", func(ctx context.Context, c *cloud.Clients) error {
			_, err := c.SSM.StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{DocumentName: aws.String("x")})
			return err
		}, 1},
		{"ec2 DescribeInstances", func(ctx context.Context, c *cloud.Clients) error {
			_, err := c.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
			return err
		}, 3},
		{"ssm GetAutomationExecution", func(ctx context.Context, c *cloud.Clients) error {
			_, err := c.SSM.GetAutomationExecution(ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: aws.String("x")})
			return err
		}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &wire{answer: func(*http.Request, url.Values) (int, string) { return http.StatusInternalServerError, "" }}
			require.Error(t, test.call(context.Background(), connect(t, w, cloud.Account{ID: production.ID})))
			require.Equal(t, test.sent, w.count())
			require.Contains(t, w.requests[0].UserAgent(), "patchtide/1.2.3")
			require.Contains(t, w.requests[0].Host+w.requests[0].URL.Host, "ap-northeast-1")
		})
	}
}

func TestMutationThatLosesItsConnectionIsSentOnce(t *testing.T) {
	lost := &losing{}
	c, err := cloud.New(cloud.Options{
		Config:   aws.Config{Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "made-up", "")},
		Accounts: []cloud.Account{{ID: production.ID}}, HTTP: lost, Speed: 1e6,
	})
	require.NoError(t, err)
	clients, err := c.Connect(context.Background(), production, "ap-northeast-1")
	require.NoError(t, err)
	_, err = clients.SSM.SendCommand(
		context.Background(), &ssm.SendCommandInput{DocumentName: aws.String("AWS-RunShellScript")},
	)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, 1, lost.calls)
}

type losing struct{ calls int }

func (l *losing) Do(*http.Request) (*http.Response, error) {
	l.calls++
	return nil, io.ErrUnexpectedEOF
}

// An opt-in region knows only accounts that have enabled it, and the worker's own need not be one of them.
func TestARoleIsAssumedAtHomeWhereTheRegionDoesNotKnowTheWorker(t *testing.T) {
	for _, c := range []struct {
		name, code string
		asked      []string // regions in which the role was asked for
		fails      bool
	}{
		{"it knows the worker", "", []string{"ap-northeast-1"}, false},
		{"it is not enabled", "RegionDisabledException", []string{"ap-northeast-1", "us-east-1"}, false},
		{"it does not know the worker's key", "InvalidClientTokenId", []string{"ap-northeast-1", "us-east-1"}, false},
		{"the role may not be assumed", "AccessDenied", []string{"ap-northeast-1"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &wire{}
			var asked []string
			w.answer = func(r *http.Request, form url.Values) (int, string) {
				if form.Get("Action") != "AssumeRole" {
					return http.StatusOK, ""
				}
				region := strings.Split(r.URL.Host, ".")[1]
				asked = append(asked, region)
				if c.code != "" && region == "ap-northeast-1" {
					return http.StatusForbidden, "<ErrorResponse><Error><Code>" + c.code + "</Code><Message>words</Message></Error></ErrorResponse>"
				}
				return http.StatusOK, assumed
			}
			clients := connect(t, w, cloud.Account{ID: production.ID, RoleARN: "arn:aws:iam::111122223333:role/patchtide"})
			_, err := clients.AutoScaling.DescribeAutoScalingGroups(
				context.Background(), &autoscaling.DescribeAutoScalingGroupsInput{},
			)
			if c.fails {
				require.ErrorContains(t, err, c.code)
			}
			require.Equal(t, c.asked, slices.Compact(asked))
		})
	}
}

func TestRoleIsAssumedOnceForManyCalls(t *testing.T) {
	w := &wire{}
	w.answer = func(r *http.Request, form url.Values) (int, string) {
		if form.Get("Action") == "AssumeRole" {
			return http.StatusOK, assumed
		}
		return http.StatusOK, `<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult/></DescribeAutoScalingGroupsResponse>`
	}
	clients := connect(
		t, w, cloud.Account{ID: production.ID, RoleARN: "arn:aws:iam::111122223333:role/patchtide", ExternalID: "example"},
	)
	for range 2 {
		_, err := clients.AutoScaling.DescribeAutoScalingGroups(
			context.Background(), &autoscaling.DescribeAutoScalingGroupsInput{},
		)
		require.NoError(t, err)
	}
	require.Equal(t, 3, w.count())
	require.Equal(t, "arn:aws:iam::111122223333:role/patchtide", w.forms[0].Get("RoleArn"))
	require.Equal(t, "example", w.forms[0].Get("ExternalId"))
	require.Equal(t, "patchtide", w.forms[0].Get("RoleSessionName"))
	require.Contains(t, w.requests[2].Header.Get("Authorization"), "ASIAEXAMPLE")
}

func TestExpiredCredentialsAreRenewed(t *testing.T) {
	refused := 0
	w := &wire{}
	w.answer = func(r *http.Request, form url.Values) (int, string) {
		switch {
		case form.Get("Action") == "AssumeRole":
			return http.StatusOK, assumed
		case refused == 0:
			refused++
			return http.StatusForbidden, `<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>`
		}
		return http.StatusOK, `<EnterStandbyResponse><EnterStandbyResult/></EnterStandbyResponse>`
	}
	clients := connect(t, w, cloud.Account{ID: production.ID, RoleARN: "arn:aws:iam::111122223333:role/patchtide"})
	_, err := clients.AutoScaling.EnterStandby(
		context.Background(),
		&autoscaling.EnterStandbyInput{
			AutoScalingGroupName: aws.String("web"), ShouldDecrementDesiredCapacity: aws.Bool(true),
		},
	)
	require.NoError(t, err)
	require.Equal(t, 4, w.count(), "assume, refused, assume again, sent")
	require.Equal(t, "AssumeRole", w.forms[2].Get("Action"))
	require.Equal(t, "web", w.forms[3].Get("AutoScalingGroupName"))
}

// TestLateMutationIsRefused runs real attempts: one lets most of its time pass before it acts, others lay in the socket
// of a process that was paused, so that for the SDK they have just begun.
func TestLateMutationIsRefused(t *testing.T) {
	const whole = 1500 * time.Millisecond
	for _, test := range []struct {
		name  string
		idles time.Duration
		lay   time.Duration // between Temporal's giving the task out and its arrival
		sent  int
		says  string
	}{
		{name: "all of the attempt is left", sent: 1},
		{name: "a sixth of the attempt is left", idles: 5 * whole / 6, says: "too little time left"},
		{name: "the task came late", lay: 5 * whole / 6, says: "before it reached this process, which was paused"},
		{name: "the task came when it was over", lay: time.Hour, says: "before it reached this process, which was paused"},
		{name: "Temporal's clock is ahead", lay: -time.Hour, sent: 1},
		{
			name: "Temporal's clock is ahead, and little is left", lay: -time.Hour, idles: 5 * whole / 6,
			says: "too little time left",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &wire{answer: func(*http.Request, url.Values) (int, string) { return http.StatusOK, "{}" }}
			clients := connect(t, w, cloud.Account{ID: production.ID})
			// The SDK's first call takes its time to prepare; that is not the attempt's.
			_, err := clients.SSM.GetDocument(t.Context(), &ssm.GetDocumentInput{Name: aws.String("x")})
			require.NoError(t, err)
			var refused *cloud.TooLate
			act := func(ctx context.Context) error {
				<-time.After(test.idles)
				// A detached context must not outwit the guard.
				_, err := clients.SSM.CancelCommand(
					context.WithoutCancel(ctx), &ssm.CancelCommandInput{CommandId: aws.String(strings.Repeat("0", 36))},
				)
				if err != nil && !errors.As(err, &refused) {
					return err
				}
				_, err = clients.SSM.GetDocument(ctx, &ssm.GetDocumentInput{Name: aws.String("x")})
				return err
			}
			env := (&testsuite.WorkflowTestSuite{}).NewTestWorkflowEnvironment()
			env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&delayed{by: test.lay}}})
			env.RegisterActivity(act)
			env.ExecuteWorkflow(func(ctx workflow.Context) error {
				ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
					StartToCloseTimeout: whole, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
				})
				return workflow.ExecuteActivity(ctx, act).Get(ctx, nil)
			})
			require.NoError(t, env.GetWorkflowError())
			require.Equal(t, test.sent+2, w.count(), "the reads go out in any case")
			require.Equal(t, test.sent == 0, refused != nil)
			if refused != nil {
				require.Equal(t, "CancelCommand", refused.Operation)
				require.ErrorContains(t, refused, test.says)
			}
		})
	}
}

// delayed makes attempts begin, by Temporal's clock, that much before they reach the worker.
type delayed struct {
	interceptor.WorkerInterceptorBase
	by time.Duration
}

func (d *delayed) InterceptActivity(
	_ context.Context, next interceptor.ActivityInboundInterceptor,
) interceptor.ActivityInboundInterceptor {
	in := &delayedInbound{by: d.by}
	in.Next = next
	return in
}

type delayedInbound struct {
	interceptor.ActivityInboundInterceptorBase
	by time.Duration
}

func (d *delayedInbound) Init(next interceptor.ActivityOutboundInterceptor) error {
	out := &delayedOutbound{by: d.by}
	out.Next = next
	return d.Next.Init(out)
}

type delayedOutbound struct {
	interceptor.ActivityOutboundInterceptorBase
	by time.Duration
}

func (d *delayedOutbound) GetInfo(ctx context.Context) activity.Info {
	info := d.Next.GetInfo(ctx)
	info.StartedTime = info.StartedTime.Add(-d.by)
	return info
}

func TestWrongUse(t *testing.T) {
	_, err := cloud.New(
		cloud.Options{Accounts: []cloud.Account{{ID: "111122223333", Name: "a"}, {ID: "111122223333", Name: "b"}}},
	)
	require.EqualError(t, err, "account 111122223333 is configured twice, as a and as b; keep one of them")

	c, err := cloud.New(
		cloud.Options{Accounts: []cloud.Account{{ID: "222233334444", Name: "staging", AutomationRoleARN: "arn:x"}}},
	)
	require.NoError(t, err)
	_, err = c.Activities().Connect(context.Background(), production, "ap-northeast-1")
	require.ErrorContains(
		t, err, "account 111122223333 (production) is not configured; this worker knows 222233334444 (staging)",
	)
	staging := patch.Account{ID: "222233334444", Name: "staging"}
	_, err = c.Connect(context.Background(), staging, "")
	require.ErrorContains(t, err, "no region was named")
	require.Equal(t, "arn:x", c.Activities().AutomationRole(staging))

	one, err := c.Connect(context.Background(), staging, "ap-northeast-1")
	require.NoError(t, err)
	two, err := c.Connect(context.Background(), staging, "ap-northeast-1")
	require.NoError(t, err)
	require.Same(t, one, two)
}
