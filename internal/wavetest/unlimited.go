package wavetest

import (
	"math"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// unlimited has attempts without a limit tried without one, as the server does; the SDK's test environment tries them
// ten times.
type unlimited struct {
	interceptor.WorkerInterceptorBase
}

// InterceptWorkflow looks at what each workflow asks for.
func (*unlimited) InterceptWorkflow(
	_ workflow.Context, next interceptor.WorkflowInboundInterceptor,
) interceptor.WorkflowInboundInterceptor {
	return &unlimitedIn{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

type unlimitedIn struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (i *unlimitedIn) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&unlimitedOut{interceptor.WorkflowOutboundInterceptorBase{Next: next}})
}

type unlimitedOut struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (o *unlimitedOut) ExecuteActivity(ctx workflow.Context, activity string, args ...any) workflow.Future {
	options := workflow.GetActivityOptions(ctx)
	if policy := options.RetryPolicy; policy != nil && policy.MaximumAttempts == 0 {
		without := *policy
		without.MaximumAttempts = math.MaxInt32
		ctx = workflow.WithRetryPolicy(ctx, without)
	}
	return o.Next.ExecuteActivity(ctx, activity, args...)
}
