package awssim

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

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

// FuzzAnyBody sends arbitrary bodies for arbitrary operations over every protocol: none may crash the simulator, and each is
// answered as AWS would, errors in the protocol's own shape.
func FuzzAnyBody(f *testing.F) {
	scenario, err := world.LoadScenario("healthy")
	require.NoError(f, err)
	for _, seed := range []struct {
		kind            byte
		operation, body string
	}{
		{0, "DescribeInstanceInformation", `{"MaxResults":5}`},
		{0, "StartAutomationExecution", `{"DocumentName":"x","Parameters":{"a":["b"]},"Tags":[{"Key":"k","Value":"v"}]}`},
		{0, "CreateDocument", `{"Name":"n","Content":"schemaVersion: '0.3'\nmainSteps: []","DocumentType":"Automation","DocumentFormat":"YAML"}`},
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
		{3, "", "Action=CreateAutoScalingGroup&AutoScalingGroupName=x&MinSize=-1&MaxSize=2147483647&DesiredCapacity=2147483647"},
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
	} {
		f.Add(seed.kind, seed.operation, []byte(seed.body))
	}
	start := time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, kind byte, operation string, body []byte) {
		now := start
		sim, err := New(Options{Scenario: scenario, Now: func() time.Time { return now }})
		require.NoError(t, err)
		shape := fuzzHeaders[int(kind)%len(fuzzHeaders)]
		request := httptest.NewRequest(shape.method, "http://localhost/", newReader(string(body)))
		request.URL.Path, request.URL.RawQuery = shape.path, ""
		if shape.path == "/bucket?delete" {
			request.URL.Path, request.URL.RawQuery = "/bucket", "delete"
		}
		key := scenario.Home.AccessKeyID
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20261108/"+tokyo+"/"+shape.service+"/aws4_request, SignedHeaders=host, Signature=0")
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
