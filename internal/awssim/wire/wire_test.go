package wire

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

func form(text string) queryCodec {
	values, err := url.ParseQuery(text)
	if err != nil {
		panic(err)
	}
	return queryCodec{service: "autoscaling", form: values}
}

func TestQueryForms(t *testing.T) {
	for _, tc := range []struct {
		name, form, err string
		check           func(*testing.T, *autoscaling.SuspendProcessesInput)
	}{
		{"members in the order of their numbers", "ScalingProcesses.member.2=b&ScalingProcesses.member.10=c&ScalingProcesses.member.1=a", "", func(t *testing.T, in *autoscaling.SuspendProcessesInput) {
			require.Equal(t, []string{"a", "b", "c"}, in.ScalingProcesses)
		}},
		{"an empty list is given all the same", "ScalingProcesses=", "", func(t *testing.T, in *autoscaling.SuspendProcessesInput) {
			require.NotNil(t, in.ScalingProcesses)
			require.Empty(t, in.ScalingProcesses)
		}},
		{
			"unknown parameter", "Processes.member.1=a", "NotModelled: the simulated AWS does not model parameter Processes",
			nil,
		},
		{
			"a list with names", "ScalingProcesses.member.first=a",
			"NotModelled: the simulated AWS does not model parameter ScalingProcesses.first", nil,
		},
		{"value and structure", "ScalingProcesses=a&ScalingProcesses.member.1=b", "is both a value and a structure", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var in autoscaling.SuspendProcessesInput
			err := form(tc.form).decode(&in)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			tc.check(t, &in)
		})
	}
}

func TestJSONRefusesWhatTheModelLacks(t *testing.T) {
	for _, tc := range []struct{ name, body, err string }{
		{"unknown member", `{"Name":"x"}`, "NotModelled: the simulated AWS does not model parameter Name"},
		{"wrong type", `{"Parameters":{"A":"x"}}`, "SerializationException: parameter Parameters.A: want a list, got x"},
		{"not JSON", `{`, "SerializationException"},
		{"not a structure", `[]`, "want a structure"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := jsonCodec{body: []byte(tc.body)}.decode(&ssm.StartAutomationExecutionInput{})
			require.ErrorContains(t, err, tc.err)
		})
	}
	var in ssm.CreateAssociationInput
	require.NoError(t, jsonCodec{body: []byte(`{"ScheduleOffset":2,"Name":"x"}`)}.decode(&in))
	require.EqualValues(t, 2, *in.ScheduleOffset)
}

func TestEC2NamesFollowTheProtocol(t *testing.T) {
	var in ec2.CreateReplaceRootVolumeTaskInput
	values, _ := url.ParseQuery(
		"InstanceId=i-1&TagSpecification.1.ResourceType=replace-root-volume-task&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b",
	)
	require.NoError(t, queryCodec{ec2: true, form: values}.decode(&in))
	require.Equal(t, "a", *in.TagSpecifications[0].Tags[0].Key)
	var attribute ec2.ModifyInstanceAttributeInput
	values, _ = url.ParseQuery("InstanceId=i-1&GroupId.1=sg-1")
	require.NoError(t, queryCodec{ec2: true, form: values}.decode(&attribute))
	require.Equal(t, []string{"sg-1"}, attribute.Groups)
}

func TestChunkedBodies(t *testing.T) {
	for _, tc := range []struct{ name, body, want, code string }{
		{"with its checksum", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "hello", ""},
		{"signed chunks", "5;chunk-signature=abc\r\nhello\r\n0;chunk-signature=def\r\n\r\n", "hello", ""},
		{"wrong checksum", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "", "BadDigest"},
		{"cut short", "5\r\nhel", "", "IncompleteBody"},
		{"size beyond the body", "ffffffffff\r\nhello\r\n", "", "IncompleteBody"},
		{"negative size", "-5\r\nhello\r\n", "", "IncompleteBody"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header := http.Header{}
			got, err := unchunk([]byte(tc.body), header)
			if err == nil {
				err = checkDigests(header, "PutObject", got)
			}
			if tc.code != "" {
				var failure *api.Error
				require.ErrorAs(t, err, &failure)
				require.Equal(t, tc.code, failure.Code)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, string(got))
		})
	}
}

func TestPlacesInS3(t *testing.T) {
	for _, tc := range []struct{ url, bucket, key string }{
		{"http://127.0.0.1:4566/b/k/l", "b", "k/l"},
		{"http://b.s3.ap-northeast-1.amazonaws.com/k", "b", "k"},
		{"http://b.localhost:4566/k%20l", "b", "k l"},
		{"http://localhost:4566/", "", ""},
		{"http://a.b.s3.amazonaws.com/", "a.b", ""},
	} {
		t.Run(tc.url, func(t *testing.T) {
			bucket, key := s3Place(httptest.NewRequest(http.MethodGet, tc.url, nil))
			require.Equal(t, []string{tc.bucket, tc.key}, []string{bucket, key})
		})
	}
}

func TestArgumentsForTheLog(t *testing.T) {
	at := time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)
	name := "web"
	text := string(Arguments(&autoscaling.PutScheduledUpdateGroupActionInput{AutoScalingGroupName: &name, StartTime: &at}))
	require.JSONEq(t, `{"AutoScalingGroupName":"web","StartTime":"2026-11-08T02:00:00Z"}`, text)
	require.False(t, strings.Contains(text, "null"))
}
