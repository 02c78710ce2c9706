package cloud

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// expiredCodes are AWS's words for credentials whose time is over: the query services', the JSON services' and EC2's.
var expiredCodes = []string{"ExpiredToken", "ExpiredTokenException", "RequestExpired"}

// renew throws cached credentials away when AWS holds them for expired, though this host's clock does not, and sends
// the refused call with fresh ones. The refusal came before any effect, so that this is no repetition of a mutation.
func renew(cache *aws.CredentialsCache) func(*middleware.Stack) error {
	again := func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleInitialize(ctx, in)
		var refused smithy.APIError
		if !errors.As(err, &refused) || !slices.Contains(expiredCodes, refused.ErrorCode()) {
			return out, metadata, err
		}
		cache.Invalidate()
		return next.HandleInitialize(ctx, in)
	}
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("PatchtideRenew", again), middleware.Before)
	}
}
