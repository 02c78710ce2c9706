package aws

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
)

// reply is an answer of AWS's that refuses.
func reply(status int, code string) error {
	return &smithy.OperationError{ServiceID: "EC2", OperationName: "X", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      &smithy.GenericAPIError{Code: code, Message: "words"},
	}}
}

func TestErrorsOfAWSGetTheirKinds(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		want  string
		final bool
	}{
		{name: "a throttle by code", err: reply(503, "RequestLimitExceeded"), want: Throttled},
		{name: "a throttle by status", err: reply(429, "Whatever"), want: Throttled},
		{name: "a scaling activity in progress passes", err: reply(400, "ScalingActivityInProgress"), want: Throttled},
		{name: "EC2's other throttle", err: reply(503, "EC2ThrottledException"), want: Throttled},
		{name: "what Systems Manager says of many changes at once", err: reply(400, "TooManyUpdates"), want: Throttled},
		{name: "Auto Scaling is changing the group for another", err: reply(400, "ResourceInUse"), want: Throttled},
		{name: "denied", err: reply(403, "UnauthorizedOperation"), want: Denied},
		{name: "credentials that ran out are fetched anew", err: reply(403, "ExpiredToken"), want: Passing},
		{name: "a server's error of a service whose model does not say so", err: reply(500, "SomethingBroke"), want: Passing},
		{name: "invalid", err: reply(400, "ValidationError"), want: Refused},
		{name: "a lost connection", err: errors.New("connection reset"), want: Passing},
		{
			name: "it has a kind already, however wrapped", err: fmt.Errorf("outer: %w", Final(Gone, "gone")), want: Gone,
			final: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var known *Error
			require.ErrorAs(t, Wrap("do it", "production/web", c.err), &known)
			require.Equal(t, c.want, known.Kind)
			require.Equal(t, c.want, KindOf(c.err))
			require.Equal(t, c.final, known.Final)
			if !c.final {
				require.Contains(t, known.Message, "do it (production/web)")
			}
		})
	}
	require.NoError(t, Wrap("do it", "here", nil))
	require.Empty(t, KindOf(nil))
}

func TestIsNotFound(t *testing.T) {
	gone := reply(400, "InvalidInstanceID.NotFound")
	require.True(t, IsNotFound(gone))
	require.True(t, IsNotFound(Wrap("describe it", "here", gone)), "the code is kept under what was being done")
	require.False(t, IsNotFound(reply(400, "InvalidInstanceID.Malformed")))
	require.False(t, IsNotFound(errors.New("connection reset")))
	require.False(t, IsNotFound(nil))
}

type neverSent struct{ error }

func (neverSent) Unsent() bool { return true }

func TestMayHaveActed(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"the connection was cut", &smithy.OperationError{Err: io.ErrUnexpectedEOF}, true},
		{"the client did not send it", &smithy.OperationError{Err: neverSent{io.EOF}}, false},
		{"a server failed", reply(500, "InternalFailure"), true},
		{"a server was not available", reply(503, "Unavailable"), true},
		{"EC2's throttle, whose status is 503", reply(503, "RequestLimitExceeded"), false},
		{"throttled", reply(400, "ThrottlingException"), false},
		{"refused", reply(400, "InvalidParameterValue"), false},
		{"denied", reply(403, "AccessDenied"), false},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, MayHaveActed(c.err)) })
	}
}
