package once

import (
	"errors"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/aws"
)

func TestErrorsOfAWSKeepTheirKindInTemporal(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}
	for _, c := range []struct {
		name  string
		err   error
		want  string // "" for one that stays as it is
		final bool
		cause error
	}{
		{
			name: "a refusal, with AWS's part as its cause",
			err:  aws.Wrap("do it", "here", &smithy.OperationError{ServiceID: "EC2", Err: denied}), want: aws.Denied,
			cause: denied,
		},
		{name: "a lost connection", err: aws.Wrap("do it", "here", errors.New("connection reset")), want: aws.Passing},
		{name: "final", err: aws.Final(aws.Gone, "gone"), want: aws.Gone, final: true},
		{name: "typed already", err: NotReady(0, "%v", aws.Final(aws.Gone, "gone")), want: ErrNotReady},
		{name: "none of AWS's", err: errors.New("the disk is full")},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.err
			Typed(&err)
			var told *temporal.ApplicationError
			if c.want == "" {
				require.Same(t, c.err, err)
				return
			}
			require.ErrorAs(t, err, &told)
			require.Equal(t, c.want, told.Type())
			require.Equal(t, c.final, told.NonRetryable())
			require.Equal(t, c.cause, told.Unwrap())
		})
	}
	var none error
	Typed(&none)
	require.NoError(t, none)
}
