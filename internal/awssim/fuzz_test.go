package awssim

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// fuzzHeaders are the shapes a request may have, by the byte that the fuzzer draws.
var fuzzHeaders = []struct {
	service, header, value string
	method, path           string
}{
	{"ssm", "X-Amz-Target", "AmazonSSM.", http.MethodPost, "/"},
	{"sqs", "X-Amz-Target", "AmazonSQS.", http.MethodPost, "/"},
	{"ec2", "", "", http.MethodPost, "/"},
	{"autoscaling", "", "", http.MethodPost, "/"},
	{"elasticloadbalancing", "", "", http.MethodPost, "/"},
	{"sts", "", "", http.MethodPost, "/"},
	{"sns", "", "", http.MethodPost, "/"},
	{"monitoring", "Smithy-Protocol", "rpc-v2-cbor", http.MethodPost, "/service/GraniteServiceVersion20100801/operation/"},
	{"monitoring", "X-Amz-Target", "GraniteServiceVersion20100801.", http.MethodPost, "/"},
	{"s3", "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", http.MethodPut, "/bucket/"},
	{"s3", "", "", http.MethodPost, "/bucket?delete"},
	{"s3", "", "", http.MethodGet, "/bucket/"},
}

// inProduction, added to the byte of fuzzHeaders, lets the production account ask, which holds a group behind a target
// group.
const inProduction = 128

// FuzzAnyBody sends arbitrary bodies for arbitrary operations over every protocol: none may crash the simulator, and
// each is answered as AWS would, errors in the protocol's own shape.
func FuzzAnyBody(f *testing.F) {
	scenario, err := world.LoadScenario("healthy")
	require.NoError(f, err)
	start := time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)
	key, instance, target := productionKey(f, scenario, start)
	for _, seed := range []struct {
		kind            byte
		operation, body string
	}{
		{0, "DescribeInstanceInformation", `{"MaxResults":5}`},
		{0, "StartAutomationExecution", `{"DocumentName":"x","Parameters":{"a":["b"]},"Tags":[{"Key":"k","Value":"v"}]}`},
		{
			0, "CreateDocument",
			`{"Name":"n","Content":"schemaVersion: '0.3'\nmainSteps: []","DocumentType":"Automation","DocumentFormat":"YAML"}`,
		},
		{0, "SendCommand", `{"DocumentName":"AWS-RunPatchBaseline","InstanceIds":[null],"Parameters":{"Operation":[""]}}`},
		{0, "CreatePatchBaseline", `{"Name":"n","ApprovalRules":{"PatchRules":[{"PatchFilterGroup":null}]}}`},
		{0, "PutParameter", `{"Name":"","Value":null}`},
		{0, "GetCalendarState", `{"CalendarNames":["x"],"AtTime":"yesterday"}`},
		{0, "", "{"},
		{1, "SendMessage", `{"QueueUrl":"x"}`},
		{2, "", "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3ARole&Filter.1.Value.1=web"},
		{2, "", "Action=CreateTags&ResourceId.1=i-1&Tag.1.Key=a&Tag.1.Value=b&Tag.1=c"},
		{2, "", "Action=RunInstances&ImageId=ami-0a1b2c3d4e5f60023&MinCount=1&MaxCount=99999999"},
		{2, "", "Action=CreateLaunchTemplate&LaunchTemplateName=x&LaunchTemplateData.ImageId=y"},
		{3, "", "Action=EnterStandby&AutoScalingGroupName=web&InstanceIds.member.1=i-1&ShouldDecrementDesiredCapacity=maybe"},
		{
			3, "",
			"Action=CreateAutoScalingGroup&AutoScalingGroupName=x&MinSize=-1&MaxSize=2147483647&DesiredCapacity=2147483647",
		},
		{4, "", "Action=DescribeTargetHealth&TargetGroupArn=x&Targets.member.1.Port=99999999999"},
		{5, "", "Action=AssumeRole&RoleArn=arn:aws:iam::1:role/x&DurationSeconds=1"},
		{6, "", "Action=Publish&TopicArn=x&Message=%ff"},
		{7, "DescribeAlarms", "\xa1jAlarmNames\x81cabc"},
		{7, "PutMetricAlarm", "\xbf"},
		{8, "DescribeAlarms", `{"AlarmNames":[1]}`},
		{9, "key", "5;x\r\nhello\r\n0\r\n\r\n"},
		{9, "key", "fffffffffffffff\r\n"},
		{10, "", "<Delete><Object><Key>a</Key></Object></Delete>"},
		{10, "", "<Delete"},
		{11, "key", ""},
		{1, "CreateQueue", `{"QueueName":"q","Attributes":{"ReceiveMessageWaitTimeSeconds":"20"}}`},
		{
			8, "PutMetricAlarm",
			`{"AlarmName":"a","Namespace":"N","MetricName":"M","Statistic":"Sum","Period":10,"EvaluationPeriods":60480,"Threshold":1,"ComparisonOperator":"LessThanThreshold","TreatMissingData":"breaching"}`,
		},
		{
			8, "PutMetricData",
			`{"Namespace":"N","MetricData":[{"MetricName":"M","Values":[1e308,-1e308],"Counts":[2,0],"Timestamp":1.7941e9}]}`,
		},
		{
			8, "GetMetricData",
			`{"StartTime":1,"EndTime":4e9,"MetricDataQueries":[{"Id":"m","MetricStat":{"Metric":{"Namespace":"AWS/AutoScaling","MetricName":"GroupMinSize"},"Period":60,"Stat":"Average"}}]}`,
		},
		{
			inProduction + 8, "GetMetricStatistics",
			`{"Namespace":"AWS/AutoScaling","MetricName":"GroupMinSize","Dimensions":[{"Name":"AutoScalingGroupName","Value":"web"}],"StartTime":1794102000,"EndTime":1794106000,"Period":60,"Statistics":["Average"]}`,
		},
		{
			inProduction + 3, "",
			"Action=PutScheduledUpdateGroupAction&AutoScalingGroupName=web&ScheduledActionName=x&DesiredCapacity=6&Recurrence=*%2F7+*+*+*+*&TimeZone=Asia%2FTokyo",
		},
		{
			inProduction + 3, "",
			"Action=PutScheduledUpdateGroupAction&AutoScalingGroupName=web&ScheduledActionName=x&DesiredCapacity=-6&Recurrence=TZ%3D",
		},
		{
			inProduction + 3, "",
			"Action=PutWarmPool&AutoScalingGroupName=web&MinSize=3&MaxGroupPreparedCapacity=-5&PoolState=Hibernated",
		},
		{
			inProduction + 3, "",
			"Action=EnterStandby&AutoScalingGroupName=web&ShouldDecrementDesiredCapacity=true&InstanceIds.member.1=" + instance,
		},
		{
			inProduction + 3, "",
			"Action=PutLifecycleHook&AutoScalingGroupName=web&LifecycleHookName=h&LifecycleTransition=autoscaling%3AEC2_INSTANCE_TERMINATING&HeartbeatTimeout=30",
		},
		{
			inProduction + 3, "",
			"Action=UpdateAutoScalingGroup&AutoScalingGroupName=web&MinSize=0&MaxSize=0&HealthCheckGracePeriod=-1",
		},
		{
			inProduction + 4, "",
			"Action=DeregisterTargets&TargetGroupArn=" + url.QueryEscape(target) + "&Targets.member.1.Id=" + instance +
				"&Targets.member.1.Port=80",
		},
		{inProduction + 2, "", "Action=RebootInstances&InstanceId.1=" + instance},
		{inProduction + 2, "", "Action=CreateReplaceRootVolumeTask&InstanceId=" + instance},
		{inProduction + 2, "", "Action=StopInstances&Hibernate=true&InstanceId.1=" + instance},
		{
			inProduction, "SendCommand",
			`{"DocumentName":"AWS-RunPatchBaseline","InstanceIds":["` + instance +
				`"],"Parameters":{"Operation":["Install"],"BaselineOverride":["s3://a/b"]}}`,
		},
		{
			inProduction, "StartAutomationExecution",
			`{"DocumentName":"AWS-PatchAsgInstance","Parameters":{"InstanceId":["` + instance + `"]}}`,
		},
	} {
		f.Add(seed.kind, seed.operation, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, kind byte, operation string, body []byte) {
		now := start
		sim, err := New(Options{Scenario: scenario, Now: func() time.Time { return now }})
		require.NoError(t, err)
		shape := fuzzHeaders[int(kind%inProduction)%len(fuzzHeaders)]
		request := httptest.NewRequest(shape.method, "http://localhost/", newReader(string(body)))
		request.URL.Path, request.URL.RawQuery = shape.path, ""
		if shape.path == "/bucket?delete" {
			request.URL.Path, request.URL.RawQuery = "/bucket", "delete"
		}
		signer := scenario.Home.AccessKeyID
		if kind >= inProduction {
			signer = key.AccessKeyID
			request.Header.Set("X-Amz-Security-Token", key.SessionToken)
		}
		request.Header.Set(
			"Authorization",
			"AWS4-HMAC-SHA256 Credential="+signer+
				"/20261108/"+tokyo+"/"+shape.service+"/aws4_request, SignedHeaders=host, Signature=0",
		)
		value := shape.value
		switch {
		case shape.header == "X-Amz-Target":
			value += operation
		case len(shape.path) > 1:
			if shape.path != "/bucket?delete" {
				request.URL.Path += operation
			}
		}
		if shape.header != "" {
			request.Header.Set(shape.header, value)
		}
		reply := httptest.NewRecorder()
		sim.ServeHTTP(reply, request)
		require.NotEqual(t, http.StatusInternalServerError, reply.Code, "an error that no service meant: %s", reply.Body)
		if reply.Code >= 400 {
			requireErrorShape(t, shape.service, shape.header, reply)
		}
		now = now.Add(time.Hour) // what the request began must not crash the world later
		sim.Inspect(func(*world.World) {})
	})
}

// productionKey is a key of the production account, and an instance and a target group there: every simulator of the
// same scenario knows them.
func productionKey(
	f *testing.F, scenario *world.Scenario, start time.Time,
) (key aws.Credentials, instance, target string) {
	f.Helper()
	sim, err := New(Options{Scenario: scenario, Now: func() time.Time { return start }})
	require.NoError(f, err)
	out, err := sts.NewFromConfig(aws.Config{
		Region: tokyo, HTTPClient: &http.Client{Transport: RoundTripper(sim)},
		Credentials: credentials.NewStaticCredentialsProvider(scenario.Home.AccessKeyID, scenario.Home.SecretAccessKey, ""),
	}).AssumeRole(context.Background(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + production + ":role/patchtide"), RoleSessionName: aws.String("fuzz"),
		ExternalId: aws.String("patchtide-lab"), DurationSeconds: aws.Int32(12 * 3600),
	})
	require.NoError(f, err)
	sim.Inspect(func(w *world.World) {
		region := w.Account(production).Region(tokyo)
		instance, target = region.Instances()[0].ID, region.TargetGroups()[0].ARN
	})
	return aws.Credentials{
		AccessKeyID: *out.Credentials.AccessKeyId, SessionToken: *out.Credentials.SessionToken,
	}, instance, target
}

// requireErrorShape checks that an error is spelt as the protocol spells it, with a code and a message.
func requireErrorShape(t *testing.T, service, header string, reply *httptest.ResponseRecorder) {
	t.Helper()
	body := reply.Body.Bytes()
	switch {
	case header == "X-Amz-Target":
		var failure struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		require.NoError(t, json.Unmarshal(body, &failure), "%s", body)
		require.NotEmpty(t, failure.Type)
	case header == "Smithy-Protocol":
		value, err := cbor.Decode(body)
		require.NoError(t, err)
		require.Contains(t, value, "__type")
	case service == "ec2":
		var failure struct {
			XMLName xml.Name `xml:"Response"`
			Code    string   `xml:"Errors>Error>Code"`
		}
		require.NoError(t, xml.Unmarshal(body, &failure), "%s", body)
		require.NotEmpty(t, failure.Code)
	case service == "s3":
		var failure struct {
			XMLName xml.Name `xml:"Error"`
			Code    string   `xml:"Code"`
		}
		require.NoError(t, xml.Unmarshal(body, &failure), "%s", body)
		require.NotEmpty(t, failure.Code)
	default:
		var failure struct {
			XMLName xml.Name `xml:"ErrorResponse"`
			Code    string   `xml:"Error>Code"`
		}
		require.NoError(t, xml.Unmarshal(body, &failure), "%s", body)
		require.NotEmpty(t, failure.Code)
	}
}

func newReader(text string) io.Reader { return &oneByOne{text} }

// oneByOne hands text out in pieces, as a network does.
type oneByOne struct{ text string }

func (r *oneByOne) Read(p []byte) (int, error) {
	if r.text == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 7)], r.text)
	r.text = r.text[n:]
	return n, nil
}
