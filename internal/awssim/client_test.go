package awssim

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/contract/shapes"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// What the healthy scenario holds.
const (
	home       = "999900001111"
	staging    = "222233334444"
	production = "111122223333"
	tokyo      = "ap-northeast-1"
)

// lab is a simulator whose clock stands still until a test moves it.
type lab struct {
	*Sim
	t   *testing.T
	mu  sync.Mutex
	now time.Time
}

func newLab(t *testing.T, scenario string) *lab {
	t.Helper()
	s, err := world.LoadScenario(scenario)
	require.NoError(t, err)
	l := &lab{t: t, now: time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)}
	l.Sim, err = New(Options{Scenario: s, Now: l.clock, Wait: func(context.Context, time.Duration) error { return nil }})
	require.NoError(t, err)
	return l
}

func (l *lab) clock() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

// pass moves the clock.
func (l *lab) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
}

// config is a client's for the home account, sending every call once.
func (l *lab) config() aws.Config {
	key := l.world.Scenario.Home
	return aws.Config{
		Region:      tokyo,
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: conforming(l.t, RoundTripper(l.Sim))},
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// conforming checks every reply against AWS's own descriptions of its APIs.
func conforming(t *testing.T, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	models, err := shapes.Default()
	require.NoError(t, err)
	return &shapes.Transport{Next: next, Models: models, Report: func(reply shapes.Reply, problems []string) {
		t.Errorf(
			"%s %s: the reply is not as AWS describes it: %s", reply.Service, reply.Operation, strings.Join(problems, "; "),
		)
	}}
}

// in is a client's config for another account, with keys as AssumeRole hands them out.
func (l *lab) in(account string) aws.Config {
	out, err := sts.NewFromConfig(l.config()).AssumeRole(context.Background(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + account + ":role/patchtide"), RoleSessionName: aws.String("wave"),
		ExternalId: aws.String("patchtide-lab"), DurationSeconds: aws.Int32(12 * 3600),
	})
	require.NoError(l.t, err)
	config := l.config()
	config.Credentials = credentials.NewStaticCredentialsProvider(
		*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken,
	)
	return config
}

// clients are real SDK clients for one account.
type clients struct {
	scaling *autoscaling.Client
	elb     *elb.Client
	ec2     *ec2.Client
	ssm     *ssm.Client
	watch   *cloudwatch.Client
	s3      *s3.Client
	sts     *sts.Client
}

func newClients(config aws.Config) clients {
	return clients{
		scaling: autoscaling.NewFromConfig(config), elb: elb.NewFromConfig(config), ec2: ec2.NewFromConfig(config),
		ssm: ssm.NewFromConfig(config), watch: cloudwatch.NewFromConfig(config), s3: s3.NewFromConfig(config),
		sts: sts.NewFromConfig(config),
	}
}

func (l *lab) production() clients { return newClients(l.in(production)) }
