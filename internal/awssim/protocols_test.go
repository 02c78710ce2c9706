package awssim

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

func requireCode(t *testing.T, err error, code string) {
	t.Helper()
	var failure smithy.APIError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, code, failure.ErrorCode(), "message: %s", failure.ErrorMessage())
}

func TestQueryProtocol(t *testing.T) {
	l := newLab(t, "healthy")
	c := l.production()
	ctx := context.Background()
	out, err := c.scaling.DescribeAutoScalingGroups(
		ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"web"}},
	)
	require.NoError(t, err)
	require.Len(t, out.AutoScalingGroups, 1)
	group := out.AutoScalingGroups[0]
	require.Equal(t, []int32{2, 4, 6}, []int32{*group.MinSize, *group.DesiredCapacity, *group.MaxSize})
	require.Len(t, group.Instances, 4)
	require.Equal(t, astypes.LifecycleStateInService, group.Instances[0].LifecycleState)
	require.Equal(t, "PatchGroup", *group.Tags[0].Key)
	require.WithinDuration(t, l.now.AddDate(0, 0, -30), *group.CreatedTime, 0)

	health, err := c.elb.DescribeTargetHealth(
		ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &group.TargetGroupARNs[0]},
	)
	require.NoError(t, err)
	require.Len(t, health.TargetHealthDescriptions, 4)

	_, err = c.scaling.EnterStandby(ctx, &autoscaling.EnterStandbyInput{
		AutoScalingGroupName: aws.String("nobody"), InstanceIds: []string{"i-1"},
		ShouldDecrementDesiredCapacity: aws.Bool(true),
	})
	requireCode(t, err, "ValidationError")
	_, err = c.scaling.SetInstanceHealth(
		ctx, &autoscaling.SetInstanceHealthInput{InstanceId: aws.String("i-1"), HealthStatus: aws.String("Healthy")},
	)
	requireCode(t, err, "ValidationError")
}

func TestEC2Protocol(t *testing.T) {
	l := newLab(t, "healthy")
	c := newClients(l.in(staging))
	out, err := c.ec2.DescribeInstances(context.Background(), &ec2.DescribeInstancesInput{
		Filters: []ec2types.Filter{
			{Name: aws.String("tag:Role"), Values: []string{"web"}},
			{Name: aws.String("instance-state-name"), Values: []string{"running"}},
		},
	})
	require.NoError(t, err)
	var ids []string
	for _, reservation := range out.Reservations {
		for _, instance := range reservation.Instances {
			ids = append(ids, *instance.InstanceId)
			require.NotEmpty(t, instance.Tags)
			require.Equal(t, ec2types.InstanceStateNameRunning, instance.State.Name)
			require.NotEmpty(t, instance.BlockDeviceMappings)
		}
	}
	require.Len(t, ids, 2)
	_, err = c.ec2.CreateTags(
		context.Background(),
		&ec2.CreateTagsInput{Resources: ids, Tags: []ec2types.Tag{{Key: aws.String("a"), Value: aws.String("<&>")}}},
	)
	require.NoError(t, err)
	tags, err := c.ec2.DescribeTags(
		context.Background(),
		&ec2.DescribeTagsInput{Filters: []ec2types.Filter{{Name: aws.String("key"), Values: []string{"a"}}}},
	)
	require.NoError(t, err)
	require.Len(t, tags.Tags, 2)
	require.Equal(t, "<&>", *tags.Tags[0].Value)
	_, err = c.ec2.DescribeInstances(
		context.Background(), &ec2.DescribeInstancesInput{InstanceIds: []string{"i-0123456789abcdef0"}},
	)
	requireCode(t, err, "InvalidInstanceID.NotFound")
}

func TestCBORProtocol(t *testing.T) {
	l := newLab(t, "healthy")
	c := l.production()
	ctx := context.Background()
	_, err := c.watch.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("cpu"), EvaluationPeriods: aws.Int32(3), Period: aws.Int32(60), Threshold: aws.Float64(-1.5),
		ComparisonOperator: cwtypes.ComparisonOperatorLessThanThreshold, MetricName: aws.String("CPU"),
		Namespace:  aws.String("AWS/EC2"),
		Statistic:  cwtypes.StatisticAverage,
		Dimensions: []cwtypes.Dimension{{Name: aws.String("InstanceId"), Value: aws.String("i-1")}},
	})
	require.NoError(t, err)
	_, err = c.watch.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("Patchtide"),
		MetricData: []cwtypes.MetricDatum{
			{MetricName: aws.String("Patched"), Value: aws.Float64(4), Timestamp: aws.Time(l.now)},
		},
	})
	require.NoError(t, err)
	l.pass(time.Minute)
	_, err = c.watch.SetAlarmState(
		ctx,
		&cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String("cpu"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("test"),
		},
	)
	require.NoError(t, err)
	out, err := c.watch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"cpu"}})
	require.NoError(t, err)
	require.Len(t, out.MetricAlarms, 1)
	alarm := out.MetricAlarms[0]
	require.Equal(t, cwtypes.StateValueAlarm, alarm.StateValue)
	require.InDelta(t, -1.5, *alarm.Threshold, 0)
	require.WithinDuration(t, l.now, *alarm.StateTransitionedTimestamp, 0)
	_, err = c.watch.SetAlarmState(
		ctx,
		&cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String("x"), StateValue: cwtypes.StateValueOk, StateReason: aws.String("test"),
		},
	)
	requireCode(t, err, "ResourceNotFound")
}

func TestSTS(t *testing.T) {
	l := newLab(t, "healthy")
	ctx := context.Background()
	out, err := newClients(l.in(production)).sts.GetCallerIdentity(ctx, nil)
	require.NoError(t, err)
	require.Equal(t, production, *out.Account)
	require.Equal(t, "arn:aws:sts::"+production+":assumed-role/patchtide/wave", *out.Arn)

	for _, tc := range []struct{ name, role, externalID, code string }{
		{"wrong external id", "arn:aws:iam::" + production + ":role/patchtide", "guess", "AccessDenied"},
		{"no such role", "arn:aws:iam::" + production + ":role/admin", "patchtide-lab", "AccessDenied"},
		{"no such account", "arn:aws:iam::000000000000:role/patchtide", "patchtide-lab", "AccessDenied"},
		{"not a role", "patchtide", "patchtide-lab", "ValidationError"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := newClients(l.config()).sts.AssumeRole(
				ctx, &sts.AssumeRoleInput{RoleArn: &tc.role, RoleSessionName: aws.String("session"), ExternalId: &tc.externalID},
			)
			requireCode(t, err, tc.code)
		})
	}

	stranger := l.config()
	stranger.Credentials = credentials.NewStaticCredentialsProvider("AKIASTRANGER", "x", "")
	_, err = newClients(stranger).sts.GetCallerIdentity(ctx, nil)
	requireCode(t, err, "InvalidClientTokenId")
	_, err = newClients(stranger).ssm.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{})
	requireCode(t, err, "UnrecognizedClientException")
	session := l.in(staging)
	l.pass(13 * time.Hour)
	_, err = newClients(session).sts.GetCallerIdentity(ctx, nil)
	requireCode(t, err, "ExpiredToken")
}

func TestS3(t *testing.T) {
	l := newLab(t, "healthy")
	server := httptest.NewServer(l)
	defer server.Close()
	for name, client := range map[string]*s3.Client{
		"in memory, virtual host": s3.NewFromConfig(l.config()),
		"over a socket, path style": s3.NewFromConfig(l.config(), func(o *s3.Options) {
			o.BaseEndpoint, o.UsePathStyle, o.HTTPClient = &server.URL, true, server.Client()
		}),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, bucket := context.Background(), aws.String("evidence-"+strings.Split(name, " ")[0])
			_, err := client.CreateBucket(
				ctx,
				&s3.CreateBucketInput{
					Bucket: bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: tokyo},
				},
			)
			require.NoError(t, err)
			_, err = client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: bucket})
			require.NoError(t, err)

			put := func(key, body string, change func(*s3.PutObjectInput)) (*s3.PutObjectOutput, error) {
				input := &s3.PutObjectInput{
					Bucket: bucket, Key: &key, Body: strings.NewReader(body), ContentType: aws.String("application/json"),
					Metadata: map[string]string{"wave": "w1"},
				}
				if change != nil {
					change(input)
				}
				return client.PutObject(ctx, input)
			}
			first, err := put("waves/1/a b.json", `{"n":1}`, func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
			require.NoError(t, err)
			_, err = put("waves/1/a b.json", "again", func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
			requireCode(t, err, "PreconditionFailed")
			_, err = put("waves/1/a b.json", `{"n":2}`, func(in *s3.PutObjectInput) { in.IfMatch = first.ETag })
			require.NoError(t, err)
			_, err = put("waves/1/a b.json", `{"n":3}`, func(in *s3.PutObjectInput) { in.IfMatch = first.ETag })
			requireCode(t, err, "PreconditionFailed")
			_, err = put("top.json", strings.Repeat("x", 100_000), nil)
			require.NoError(t, err)

			got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("waves/1/a b.json")})
			require.NoError(t, err)
			body, err := io.ReadAll(got.Body)
			require.NoError(t, err)
			require.Equal(t, `{"n":2}`, string(body))
			require.Equal(t, map[string]string{"wave": "w1"}, got.Metadata)
			part, err := client.GetObject(
				ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("waves/1/a b.json"), Range: aws.String("bytes=1-3")},
			)
			require.NoError(t, err)
			body, err = io.ReadAll(part.Body)
			require.NoError(t, err)
			require.Equal(t, `"n"`, string(body))

			head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("top.json")})
			require.NoError(t, err)
			require.Equal(t, int64(100_000), *head.ContentLength)
			_, err = client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("none")})
			requireCode(t, err, "NotFound")
			_, err = client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("none")})
			requireCode(t, err, "NoSuchKey")

			list, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Delimiter: aws.String("/")})
			require.NoError(t, err)
			require.Equal(t, "top.json", *list.Contents[0].Key)
			require.Equal(t, "waves/", *list.CommonPrefixes[0].Prefix)
			pages := 0
			for p := s3.NewListObjectsV2Paginator(
				client, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(1)},
			); p.HasMorePages(); pages++ {
				_, err := p.NextPage(ctx)
				require.NoError(t, err)
			}
			require.Equal(t, 2, pages)

			_, err = client.DeleteObjects(
				ctx,
				&s3.DeleteObjectsInput{
					Bucket: bucket, Delete: &s3types.Delete{Objects: []s3types.ObjectIdentifier{{Key: aws.String("top.json")}}},
				},
			)
			require.NoError(t, err)
			_, err = client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("waves/1/a b.json")})
			require.NoError(t, err)
			_, err = client.ListBuckets(ctx, &s3.ListBucketsInput{})
			require.NoError(t, err)
			_, err = put("x", "y", func(in *s3.PutObjectInput) { in.Bucket = aws.String("nowhere") })
			requireCode(t, err, "NoSuchBucket")
		})
	}
}

func TestWhatIsNotModelledFailsLoudly(t *testing.T) {
	l := newLab(t, "healthy")
	c := l.production()
	ctx := context.Background()
	_, err := c.scaling.DescribeAdjustmentTypes(ctx, &autoscaling.DescribeAdjustmentTypesInput{})
	requireCode(t, err, "NotModelled")
	_, err = c.ssm.ListOpsItemEvents(ctx, &ssm.ListOpsItemEventsInput{})
	requireCode(t, err, "NotModelled")
	_, err = c.scaling.UpdateAutoScalingGroup(
		ctx,
		&autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("web"), PlacementGroup: aws.String("together"),
		},
	)
	requireCode(t, err, "NotModelled")
	require.ErrorContains(t, err, "PlacementGroup")
	_, err = c.watch.DescribeAnomalyDetectors(ctx, &cloudwatch.DescribeAnomalyDetectorsInput{})
	requireCode(t, err, "NotModelled")

	request := httptest.NewRequest(
		http.MethodPost, "/", strings.NewReader("Action=EnterStandby&Version=2011-01-01&Surprise=1"),
	)
	request.Header.Set(
		"Authorization",
		"AWS4-HMAC-SHA256 Credential="+l.world.Scenario.Home.AccessKeyID+
			"/20261108/"+tokyo+"/autoscaling/aws4_request, SignedHeaders=host, Signature=0",
	)
	reply := httptest.NewRecorder()
	l.ServeHTTP(reply, request)
	require.Equal(t, http.StatusNotImplemented, reply.Code)
	require.Contains(t, reply.Body.String(), "parameter Surprise")
}

func TestRepliesOverASocketCanBeCut(t *testing.T) {
	l := newLab(t, "healthy")
	server := httptest.NewServer(l)
	defer server.Close()
	config := l.in(production)
	config.BaseEndpoint, config.HTTPClient = &server.URL, server.Client()
	l.AddFault(world.APIFault{Service: "autoscaling", Operation: "SuspendProcesses", Kind: FaultLostReply, Times: 1})
	c := newClients(config)
	input := &autoscaling.SuspendProcessesInput{
		AutoScalingGroupName: aws.String("web"), ScalingProcesses: []string{"AZRebalance"},
	}
	_, err := c.scaling.SuspendProcesses(context.Background(), input)
	require.ErrorContains(t, err, "EOF")
	out, err := c.scaling.DescribeAutoScalingGroups(context.Background(), &autoscaling.DescribeAutoScalingGroupsInput{})
	require.NoError(t, err)
	require.Equal(t, "AZRebalance", *out.AutoScalingGroups[0].SuspendedProcesses[0].ProcessName)
}

func TestCloudWatchSpeaksItsOlderProtocolsToo(t *testing.T) {
	l := newLab(t, "healthy")
	ask := func(body string, headers map[string]string) string {
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		request.Header.Set(
			"Authorization",
			"AWS4-HMAC-SHA256 Credential="+l.world.Scenario.Home.AccessKeyID+"/20261108/"+tokyo+"/monitoring/aws4_request",
		)
		for name, value := range headers {
			request.Header.Set(name, value)
		}
		reply := httptest.NewRecorder()
		l.ServeHTTP(reply, request)
		require.Equal(t, http.StatusOK, reply.Code, reply.Body.String())
		return reply.Body.String()
	}
	put := "Action=PutMetricAlarm&Version=2010-08-01&AlarmName=cpu&EvaluationPeriods=2&ComparisonOperator=LessThanThreshold&Threshold=1.5" +
		"&Namespace=AWS%2FEC2&MetricName=CPUUtilization&Statistic=Average&Period=300&Dimensions.member.1.Name=InstanceId&Dimensions.member.1.Value=i-1"
	require.Contains(t, ask(put, nil), "<PutMetricAlarmResponse")
	require.Contains(t, ask("Action=DescribeAlarms&AlarmNames.member.1=cpu", nil), "<AlarmName>cpu</AlarmName>")
	require.Contains(
		t, ask(`{"AlarmNames":["cpu"]}`, map[string]string{"X-Amz-Target": "GraniteServiceVersion20100801.DescribeAlarms"}),
		`"Threshold":1.5`,
	)
}
