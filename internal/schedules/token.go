package schedules

import (
	"context"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
)

// token is what the server said, when a schedule was read, about how often it had been changed.
type token struct {
	value []byte
	sent  bool
}

type tokenKey struct{}

// DialOption makes a client whose changes of schedules can be protected: the server takes a change that brings the
// conflict token of what was read only while that is the newest, and the SDK (1.50.0, scheduleHandleImpl.Update) sends
// none.
func DialOption() grpc.DialOption { return grpc.WithChainUnaryInterceptor(carryToken) }

// carryToken keeps the token of a schedule that is read under update, and sends it with the change.
func carryToken(
	ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, call grpc.UnaryInvoker,
	options ...grpc.CallOption,
) error {
	seen, under := ctx.Value(tokenKey{}).(*token)
	if !under {
		return call(ctx, method, request, reply, conn, options...)
	}
	if update, is := request.(*workflowservice.UpdateScheduleRequest); is && len(seen.value) > 0 {
		update.ConflictToken, seen.sent = seen.value, true
	}
	err := call(ctx, method, request, reply, conn, options...)
	if found, is := reply.(*workflowservice.DescribeScheduleResponse); is && err == nil {
		seen.value = found.GetConflictToken()
	}
	return err
}
