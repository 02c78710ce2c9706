package shapes

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func reply(service, operation, contentType, body string) Reply {
	return Reply{
		Service: service, Operation: operation, Status: http.StatusOK, Header: http.Header{"Content-Type": {contentType}},
		Body: []byte(body),
	}
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	models, err := Default()
	require.NoError(t, err)
	const (
		json = "application/x-amz-json-1.1"
		xml  = "text/xml"
	)
	failed := func(r Reply) Reply { r.Status = http.StatusBadRequest; return r }
	query := func(result string) string {
		return "<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult>" + result +
			"</DescribeAutoScalingGroupsResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeAutoScalingGroupsResponse>"
	}
	for _, tc := range []struct {
		name  string
		reply Reply
		want  []string
	}{
		{"all is well", reply("SSM", "SendCommand", json, `{"Command":{"Status":"Success","RequestedDateTime":1.5}}`), nil},
		{"unknown member", reply("SSM", "SendCommand", json, `{"Order":{}}`), []string{": member Order is unknown"}},
		{
			"not in the list", reply("SSM", "SendCommand", json, `{"Command":{"Status":"Done"}}`),
			[]string{`Command.Status: "Done" is none of Pending, InProgress, Success, Cancelled, Failed, TimedOut, Cancelling`},
		},
		{
			"wrong type", reply("SSM", "SendCommand", json, `{"Command":{"TargetCount":"two"}}`),
			[]string{"Command.TargetCount: is string two and should be a integer"},
		},
		{
			"a time that is none", reply("SSM", "SendCommand", json, `{"Command":{"RequestedDateTime":"now"}}`),
			[]string{"Command.RequestedDateTime: is string now and should be a timestamp"},
		},
		{
			"pattern", reply("SSM", "SendCommand", json, `{"Command":{"DocumentVersion":""}}`),
			[]string{`Command.DocumentVersion: "" does not match ([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)`},
		},
		{
			"length", reply("SSM", "SendCommand", json, `{"Command":{"CommandId":"1"}}`),
			[]string{"Command.CommandId: has 1 characters and should have 36 to 36"},
		},
		{"no JSON", reply("SSM", "SendCommand", json, `{`), []string{"the body is not JSON: unexpected EOF"}},
		{
			"required member", reply("Auto Scaling", "DescribeAutoScalingGroups", xml, query("")),
			[]string{": required member AutoScalingGroups is missing"},
		},
		{
			"list item of another name",
			reply("Auto Scaling", "DescribeAutoScalingGroups", xml, query("<AutoScalingGroups><item/></AutoScalingGroups>")),
			[]string{"AutoScalingGroups: is string and should be a list"},
		},
		{
			"no result",
			reply(
				"Auto Scaling", "DescribeAutoScalingGroups", xml,
				"<DescribeAutoScalingGroupsResponse><ResponseMetadata><RequestId/></ResponseMetadata></DescribeAutoScalingGroupsResponse>",
			),
			[]string{"<DescribeAutoScalingGroupsResult> is missing"},
		},
		{
			"EC2 names",
			reply("EC2", "RunInstances", xml, "<RunInstancesResponse><requestId/><instanceSet/></RunInstancesResponse>"),
			[]string{": member instanceSet is unknown"},
		},
		{
			"S3 header",
			Reply{Service: "S3", Operation: "GetObject", Status: http.StatusOK, Header: http.Header{"Last-Modified": {"2026"}}},
			[]string{`LastModified: "2026" is no HTTP date`},
		},
		{
			"error that the operation has",
			failed(reply("SSM", "GetParameter", json, `{"__type":"ParameterNotFound","message":"m"}`)), nil,
		},
		{
			"error that it has not", failed(reply("SSM", "GetParameter", json, `{"__type":"Oops","message":"m"}`)),
			[]string{"error: code Oops is not one that GetParameter gives"},
		},
		{
			"error without a message", failed(reply("SSM", "GetParameter", json, `{"__type":"ParameterNotFound"}`)),
			[]string{"error: __type or message is missing"},
		},
		{
			"error in another protocol's shape",
			failed(reply("Auto Scaling", "EnterStandby", xml, "<Response><Errors/></Response>")),
			[]string{"error: there is no <Error> with <Code> and <Message>"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			problems, err := models.Check(tc.reply)
			require.NoError(t, err)
			require.Equal(t, tc.want, problems)
		})
	}
	_, err = models.Check(reply("SSM", "Sing", json, "{}"))
	require.EqualError(t, err, "SSM has no operation Sing")
	_, err = models.Check(reply("Kinesis", "PutRecord", json, "{}"))
	require.ErrorContains(t, err, "Kinesis")
}
