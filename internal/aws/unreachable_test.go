package aws_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
)

// answers is what a call of AWS's comes to.
type answers func(*http.Request) (*http.Response, error)

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func TestUnreachable(t *testing.T) {
	static := credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "made-up", "")
	dns := &net.DNSError{Err: "no such host", Name: "sts.ap-northeast-1.amazonaws.com", IsNotFound: true}
	fails := func(err error) answers { return func(*http.Request) (*http.Response, error) { return nil, err } }
	refused := fails(&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")})
	metadata := awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
		return awssdk.Credentials{}, &smithy.OperationError{
			ServiceID: "ec2imds", OperationName: "GetMetadata",
			Err: &smithyhttp.RequestSendError{Err: errors.New("connection refused")},
		}
	})
	for _, c := range []struct {
		name        string
		credentials awssdk.CredentialsProvider
		transport   answers
		context     func(context.Context) context.Context
		want        string // a part; "" where AWS has answered or was not asked
	}{
		{name: "no such host", credentials: static, transport: fails(dns), want: "no such host"},
		{name: "refused", credentials: static, transport: refused, want: "connection refused"},
		{
			name: "a time-out of ours", credentials: static, transport: fails(context.DeadlineExceeded),
			want: "no answer in time",
			context: func(ctx context.Context) context.Context {
				ctx, cancel := context.WithTimeout(ctx, 0)
				t.Cleanup(cancel)
				return ctx
			},
		},
		{name: "no role on the machine", credentials: metadata, transport: refused},
		{
			name: "an answer that refuses", credentials: static,
			transport: func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Request: r}, nil
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := t.Context()
			if c.context != nil {
				ctx = c.context(ctx)
			}
			client := sts.New(sts.Options{
				Region: "ap-northeast-1", Credentials: c.credentials, HTTPClient: &http.Client{Transport: c.transport},
				Retryer: awssdk.NopRetryer{},
			})
			_, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			require.Error(t, err)
			require.Less(t, len(aws.Reason(err)), 150, "%s", aws.Reason(err))
			require.NotContains(t, aws.Reason(err), "operation error")
			if c.want == "" {
				require.Empty(t, aws.Unreachable(err), "%v", err)
				return
			}
			require.Contains(t, aws.Unreachable(err), c.want, "%v", err)
			require.Equal(t, aws.Unreachable(err), aws.Reason(err))
		})
	}
	require.Empty(t, aws.Unreachable(nil))
}
