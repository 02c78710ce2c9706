package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/require"
)

// lateAWS takes each request, and answers after so long.
type lateAWS time.Duration

func (l lateAWS) Do(request *http.Request) (*http.Response, error) {
	select {
	case <-request.Context().Done():
		return nil, request.Context().Err()
	case <-time.After(time.Duration(l)):
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")),
		}, nil
	}
}

// A call that AWS does not answer is told within seconds, once for all that go on beside it, and no more once it is.
func TestACallThatAWSDoesNotAnswerIsTold(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes time.Duration
		calls []string // regions that are asked at once
		says  string
	}{
		{"answered in time", 2 * time.Second, []string{"eu-west-1"}, ""},
		{
			"late", 20 * time.Second,
			[]string{"eu-west-1"},
			`AWS has not answered for 3s: SSM DescribeInstanceInformation in eu-west-1. …
AWS has not answered for 18s: SSM DescribeInstanceInformation in eu-west-1. …
`,
		},
		{
			"many at once", 5 * time.Second,
			[]string{"us-east-1", "eu-west-1", "eu-west-2", "eu-west-1", "eu-west-3", "sa-east-1"},
			`AWS has not answered for 3s: SSM DescribeInstanceInformation in eu-west-1, SSM DescribeInstanceInformation in eu-west-2, ` +
				`SSM DescribeInstanceInformation in eu-west-3 and 2 more. …
`,
		},
	} {
		c.says = strings.ReplaceAll(c.says, "…", "Each is tried three times, 20s long; Ctrl-C ends this")
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				slow := slowCalls{out: &out}
				var calls sync.WaitGroup
				for _, region := range c.calls {
					calls.Go(func() {
						client := ssm.New(ssm.Options{
							Region: region, HTTPClient: lateAWS(c.takes), Credentials: aws.AnonymousCredentials{},
						}, ssm.WithAPIOptions(slow.add))
						_, err := client.DescribeInstanceInformation(t.Context(), nil)
						if err != nil {
							t.Error(err)
						}
					})
				}
				calls.Wait()
				<-time.After(time.Hour)
				require.Equal(t, c.says, out.String())
				require.Empty(t, slow.calls)
			})
		})
	}
}

// What a command asks AWS with gives an attempt up, so that AWS that takes connections and never answers is told.
func TestAWSThatNeverAnswersIsGivenUp(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	var out bytes.Buffer
	sdk, err := awsConfig(t.Context(), &out)
	require.NoError(t, err)
	timed, ok := sdk.HTTPClient.(interface{ GetTimeout() time.Duration })
	require.True(t, ok)
	require.Equal(t, patience, timed.GetTimeout())
	require.Len(t, sdk.APIOptions, 1)
}
