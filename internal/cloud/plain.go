package cloud

import (
	"context"
	"errors"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/patchtide/patchtide/internal/plain"
)

// plainText makes all text plain that AWS answers: output of commands, reasons, names, tags, and the words of errors.
// Much of it is whoever's who may write there, and it goes to terminals, chats and the Temporal UI. Here is the one
// place through which it comes, so that no reader need think of it.
func plainText(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("PatchtidePlainText", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleInitialize(ctx, in)
		plain.Strings(out.Result)
		var api smithy.APIError
		if errors.As(err, &api) {
			plain.Strings(api)
		}
		return out, metadata, err
	}), middleware.Before)
}
