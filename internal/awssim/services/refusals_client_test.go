package services_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// asked makes one call of each service.
func asked(config aws.Config) map[string]error {
	failed := func(_ any, err error) error { return err }
	return map[string]error{
		"ssm":            failed(ssm.NewFromConfig(config).DescribeInstanceInformation(ctx, nil)),
		"kms":            failed(kms.NewFromConfig(config).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("x")})),
		"ec2":            failed(ec2.NewFromConfig(config).DescribeInstances(ctx, &ec2.DescribeInstancesInput{})),
		"s3":             failed(s3.NewFromConfig(config).ListBuckets(ctx, &s3.ListBucketsInput{})),
		"sns":            failed(sns.NewFromConfig(config).ListTopics(ctx, &sns.ListTopicsInput{})),
		"sqs":            failed(sqs.NewFromConfig(config).ListQueues(ctx, &sqs.ListQueuesInput{})),
		"cloudformation": failed(cloudformation.NewFromConfig(config).DescribeStacks(ctx, nil)),
		"autoscaling":    failed(autoscaling.NewFromConfig(config).DescribeAutoScalingGroups(ctx, nil)),
		"monitoring":     failed(cloudwatch.NewFromConfig(config).DescribeAlarms(ctx, nil)),
	}
}

// Sources: "Common Errors" of each service's API reference, EC2's and S3's lists of error codes.
func TestEachServiceRefusesInItsOwnWords(t *testing.T) {
	a := staging(t, "healthy")
	unknown, denied, distant := a.config.Copy(), a.config.Copy(), a.config.Copy()
	unknown.Credentials = credentials.NewStaticCredentialsProvider("AKIAUNKNOWN000000000", "x", "")
	distant.Region = "me-south-1" // an opt-in region, which the account does not have
	bad := map[string]string{
		"ssm": "UnrecognizedClientException", "kms": "UnrecognizedClientException", "ec2": "AuthFailure",
		"s3": "InvalidAccessKeyId", "sns": "InvalidClientTokenId", "sqs": "InvalidClientTokenId",
		"cloudformation": "InvalidClientTokenId", "autoscaling": "InvalidClientTokenId", "monitoring": "InvalidClientTokenId",
	}
	compare(t, "an unknown key", bad, asked(unknown))
	compare(t, "a region that the account does not have", bad, asked(distant))

	nothing, err := world.ParsePolicy(
		`{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}`,
	)
	require.NoError(t, err)
	a.sim.Inspect(func(w *world.World) { w.Account("222233334444").SetPolicy("patchtide", nothing) })
	compare(t, "denied", map[string]string{
		"ssm": "AccessDeniedException", "kms": "AccessDeniedException", "ec2": "UnauthorizedOperation", "s3": "AccessDenied",
		"sns": "AuthorizationError", "sqs": "AccessDenied", "cloudformation": "AccessDenied", "autoscaling": "AccessDenied",
		"monitoring": "AccessDenied",
	}, asked(denied))
	a.pass(13 * time.Hour)
	compare(t, "expired", map[string]string{
		"ssm": "ExpiredTokenException", "kms": "ExpiredTokenException", "ec2": "RequestExpired", "s3": "ExpiredToken",
		"sns": "ExpiredToken", "sqs": "ExpiredToken", "cloudformation": "ExpiredToken", "autoscaling": "ExpiredToken",
		"monitoring": "ExpiredToken",
	}, asked(a.config))
}

func compare(t *testing.T, name string, want map[string]string, got map[string]error) {
	t.Helper()
	for service, err := range got {
		require.Equal(t, want[service], code(t, err), "%s: %s", name, service)
	}
}

// Source: API reference of AssumeRole.
func TestSessionsKeepTheLimits(t *testing.T) {
	a := staging(t, "healthy")
	for name, c := range map[string]struct {
		config  aws.Config
		role    string
		session string
		seconds int32
		message string
	}{
		"twelve hours of a role that allows them": {a.home, "patchtide", "wave", 43200, ""},
		"more than AWS's longest":                 {a.home, "patchtide", "wave", 43201, "less than or equal to 43200"},
		"less than AWS's shortest":                {a.home, "patchtide", "wave", 899, "greater than or equal to 900"},
		"more than the role allows": {
			a.home, "patchtide-automation", "wave", 3601, "exceeds the MaxSessionDuration set for this role",
		},
		"an hour with a role's keys": {a.config, "patchtide", "wave", 3600, ""},
		"more than an hour with a role's keys": {
			a.config, "patchtide", "wave", 3601, "exceeds the 1 hour session limit for roles assumed by role chaining",
		},
		"a space in the name":    {a.home, "patchtide", "a wave", 900, "regular expression pattern"},
		"a name of one letter":   {a.home, "patchtide", "w", 900, "length greater than or equal to 2"},
		"a name of 65 letters":   {a.home, "patchtide", strings.Repeat("w", 65), 900, "length less than or equal to 64"},
		"every letter of a name": {a.home, "patchtide", "aZ09_+=,.@-", 900, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sts.NewFromConfig(c.config).AssumeRole(ctx, &sts.AssumeRoleInput{
				RoleArn: aws.String("arn:aws:iam::111122223333:role/" + c.role), RoleSessionName: &c.session,
				ExternalId: aws.String("patchtide-lab"), DurationSeconds: &c.seconds,
			})
			if c.message == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, "ValidationError", code(t, err))
			require.ErrorContains(t, err, c.message)
		})
	}
	_, err := sts.NewFromConfig(a.home).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String("arn:aws:iam::111122223333:role/patchtide"), RoleSessionName: aws.String("wave"),
		WebIdentityToken: aws.String("token"),
	})
	require.Equal(t, "NotModelled", code(t, err), "it needs no signature, and is not modelled")
}

func TestAPresignedURLEnds(t *testing.T) {
	a, client := withBucket(t)
	_, err := client.PutObject(ctx, putting("a", "content", nil))
	require.NoError(t, err)
	for _, c := range []struct {
		age, expires string
		status       int
	}{{"20261108T015930Z", "60", http.StatusOK}, {"20261108T015830Z", "60", http.StatusForbidden}, {"20261108T015930Z", "604801", http.StatusBadRequest}} {
		request := httptest.NewRequest(http.MethodGet, "http://evidence.s3.ap-northeast-1.amazonaws.com/a?X-Amz-Date="+c.age+
			"&X-Amz-Expires="+c.expires+"&X-Amz-Credential="+credential(t, a)+"%2F20261108%2Fap-northeast-1%2Fs3%2Faws4_request"+
			"&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&X-Amz-SignedHeaders=host&X-Amz-Security-Token="+token(t, a), nil)
		answer := httptest.NewRecorder()
		a.sim.ServeHTTP(answer, request)
		require.Equal(t, c.status, answer.Code, answer.Body.String())
	}
}

func credential(t *testing.T, a *account) string {
	keys, err := a.config.Credentials.Retrieve(ctx)
	require.NoError(t, err)
	return keys.AccessKeyID
}

func token(t *testing.T, a *account) string {
	keys, err := a.config.Credentials.Retrieve(ctx)
	require.NoError(t, err)
	return keys.SessionToken
}

func TestWhatCloudWatchFormationAndIAMTell(t *testing.T) {
	a := staging(t, "healthy")
	watch := cloudwatch.NewFromConfig(a.config)
	_, err := watch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: make([]string, 101)})
	require.Equal(t, "ValidationError", code(t, err))
	alarm := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("own"), MetricName: aws.String("m"), Namespace: aws.String("n"), Threshold: aws.Float64(1),
		Statistic: types.StatisticSum, ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		EvaluationPeriods: aws.Int32(1), Period: aws.Int32(60), AlarmActions: []string{"foo"},
	}
	_, err = watch.PutMetricAlarm(ctx, alarm)
	require.ErrorContains(t, err, "Invalid arn syntax: foo")
	stacks, err := cloudformation.NewFromConfig(a.config).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
	require.NoError(t, err)
	require.NotNil(t, stacks.Stacks, "an empty list is there")
	require.Empty(t, stacks.Stacks)
	result, err := iam.NewFromConfig(a.config).SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:iam::222233334444:role/patchtide"), ActionNames: []string{"s3:GetObject"},
	})
	require.NoError(t, err)
	require.Len(t, result.EvaluationResults[0].MatchedStatements, 1)
	require.NotNil(t, result.EvaluationResults[0].MissingContextValues)
}
