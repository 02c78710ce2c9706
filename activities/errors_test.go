package activities

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
)

func TestAWSErrorsGetTheirTypes(t *testing.T) {
	code := func(code string, status int) error {
		return &smithy.OperationError{ServiceID: "EC2", OperationName: "X", Err: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: &smithy.GenericAPIError{Code: code, Message: "words"},
		}}
	}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"a throttle by code", code("RequestLimitExceeded", 503), ErrThrottled},
		{"a throttle by status", code("Whatever", 429), ErrThrottled},
		{"a scaling activity in progress passes", code("ScalingActivityInProgress", 400), ErrThrottled},
		{"denied", code("UnauthorizedOperation", 403), ErrAccessDenied},
		{"credentials that ran out are fetched anew", code("ExpiredToken", 403), ErrAWS},
		{"a server's error of a service whose model does not say so", code("SomethingBroke", 500), ErrAWS},
		{"invalid", code("ValidationError", 400), ErrRejected},
		{"a lost connection", errors.New("connection reset"), ErrAWS},
		{"typed already, however wrapped", fmt.Errorf("outer: %w", final(ErrGone, "gone")), ErrGone},
	} {
		t.Run(c.name, func(t *testing.T) {
			var typed *temporal.ApplicationError
			require.ErrorAs(t, awsError("do it", "production/web", c.err), &typed)
			require.Equal(t, c.want, typed.Type())
			if c.want != ErrGone {
				require.False(t, typed.NonRetryable())
				require.Contains(t, typed.Message(), "do it (production/web)")
			}
		})
	}
	require.NoError(t, awsError("do it", "here", nil))
}
