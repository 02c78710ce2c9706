package cloud_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/patch"
)

// says answers every request so.
type says struct {
	status int
	body   string
}

func (s says) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: s.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(strings.NewReader(s.body)),
	}, nil
}

func connectTo(t *testing.T, answer says) *cloud.Clients {
	t.Helper()
	c, err := cloud.New(cloud.Options{
		Config:   aws.Config{Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")},
		Accounts: []cloud.Account{{ID: "111122223333", Name: "production"}},
		HTTP:     &http.Client{Transport: answer},
	})
	require.NoError(t, err)
	clients, err := c.Connect(t.Context(), patch.Account{ID: "111122223333"}, "ap-northeast-1")
	require.NoError(t, err)
	return clients
}

// Whoever may write a command's output, a name or a tag must not steer the terminals of those who read about it.
func TestWhatAWSSaysIsPlain(t *testing.T) {
	clients := connectTo(t, says{200, `{"StandardErrorContent": "\u001b[2J\u001b[31mall is well\u202e\r\nline 2\u0007"}`})
	out, err := clients.SSM.GetCommandInvocation(t.Context(), &ssm.GetCommandInvocationInput{
		CommandId: aws.String("ef7fdfd8-9b57-4151-a15c-db9a12345678"), InstanceId: aws.String("i-1"),
	})
	require.NoError(t, err)
	require.Equal(t, "[2J[31mall is well\nline 2", *out.StandardErrorContent)

	clients = connectTo(t, says{200, `<DescribeTagsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><tagSet><item>
		<key>Name</key><value>web&#x202e;&#x9b;31m</value></item></tagSet></DescribeTagsResponse>`})
	tags, err := clients.EC2.DescribeTags(t.Context(), &ec2.DescribeTagsInput{})
	require.NoError(t, err)
	require.Equal(t, "web31m", *tags.Tags[0].Value)
}

func TestWhatAWSRefusesWithIsPlain(t *testing.T) {
	for name, body := range map[string]string{
		"a modelled error": `{"__type": "InvalidDocument", "Message": "no\u001b[2J such\u202e document"}`,
		"another":          `{"__type": "StrangeException", "message": "no\u001b[2J such\u202e document"}`,
	} {
		t.Run(name, func(t *testing.T) {
			clients := connectTo(t, says{400, body})
			_, err := clients.SSM.GetDocument(t.Context(), &ssm.GetDocumentInput{Name: aws.String("x")})
			var api smithy.APIError
			require.ErrorAs(t, err, &api)
			require.Equal(t, "no[2J such document", api.ErrorMessage())
			require.NotContains(t, err.Error(), "\x1b")
		})
	}
}
