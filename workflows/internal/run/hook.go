package run

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// hooks names activities by method references on a nil pointer.
var hooks *activities.AWS

// How long one request may take. What needs longer of a webhook answers 202, and is asked again. A function runs for 15
// minutes at most (Lambda's quotas), and has its answer a little later; of a worker that died meanwhile its heartbeats
// tell.
const (
	longestAnswer     = time.Minute
	longestInvocation = 16 * time.Minute
	longestSilence    = time.Minute
)

// callHook asks a webhook, or invokes a function, until there is an answer, or the call's time is over. It is as
// cancellable as ctx is.
func callHook(ctx workflow.Context, in activities.HookInput, t patch.Timing) (hooked Hooked) {
	options := hookOptions(ctx, in, t, in.Call.Timeout)
	activityOptions := workflow.GetActivityOptions(options)
	longest := longestAnswer
	if in.Call.Lambda != nil {
		longest, activityOptions.HeartbeatTimeout = longestInvocation, longestSilence
	}
	activityOptions.StartToCloseTimeout = max(min(in.Call.Timeout.D(), longest), patch.MinAttempt)
	options = workflow.WithActivityOptions(options, activityOptions)
	err := workflow.ExecuteActivity(options, hooks.CallHook, in).Get(ctx, &hooked.End)
	hooked.End, hooked.Result = endOf(ctx, in, hooked.End, err)
	if err != nil && !IsType(err, activities.ErrHookFailed) && !activities.NothingDone(err) {
		hooked.Doubt = unstoppable[in.Call.Kind()]
	}
	return hooked
}

// unstoppable are why nobody knows whether what was asked, and has not answered, goes on, by the kind of the hook.
var unstoppable = map[string]string{
	"lambda":  "nobody can stop a function; it ends by its own timeout, after 15 minutes at most",
	"webhook": "who was asked has not said that it ended",
}

// Hooked is how a call that starts something ended.
type Hooked struct {
	End     patch.HookEnd
	Result  patch.HookResult
	Started activities.HookStarted // none: not known whether anything was, where it may run
	MayRun  bool                   // it is to be stopped
	Doubt   string                 // why nobody knows whether it runs still; "": it does not
}

// Hook runs a call until it has ended or its time is over; what it has started is stopped then.
func Hook(ctx workflow.Context, in activities.HookInput, t patch.Timing) (hooked Hooked) {
	if !in.Call.Starts() {
		return callHook(ctx, in, t)
	}
	if hooked = startAndAwait(ctx, in, t); !hooked.MayRun {
		return hooked
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	stopped, err := StopHook(clean, in, hooked.Started, t)
	hooked.Doubt = HookDoubt(stopped, err)
	switch {
	case err != nil, stopped.End == nil:
	case stopped.End.Failed == "" && hooked.Result != patch.HookStopped: // it had ended by then
		hooked.End, hooked.Result = *stopped.End, patch.HookOK
	default:
		hooked.End.Output = stopped.End.Output
	}
	return hooked
}

// startAndAwait starts a call and waits until it has ended, or its time is over. It is as cancellable as ctx is; what
// it has started is left to StopHook.
func startAndAwait(ctx workflow.Context, in activities.HookInput, t patch.Timing) (hooked Hooked) {
	starting := hookOptions(ctx, in, t, max(in.Call.Timeout, t.Act))
	options := workflow.GetActivityOptions(starting)
	options.StartToCloseTimeout = t.Act.D()
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(starting, options), hooks.StartHook, in).Get(
		ctx, &hooked.Started); err != nil {
		hooked.End, hooked.Result = endOf(ctx, in, hooked.End, err)
		hooked.MayRun = !IsType(err, activities.ErrHookFailed) && !activities.NothingDone(err)
		return hooked
	}
	// Its machine ends it by itself at its timeout; then AWS has to tell.
	waiting := hookOptions(ctx, in, t, in.Call.Timeout+2*t.Look)
	err := workflow.ExecuteActivity(waiting, hooks.AwaitHook, activities.AwaitHookInput{
		HookInput: in, Started: hooked.Started,
	}).Get(ctx, &hooked.End)
	hooked.End, hooked.Result = endOf(ctx, in, hooked.End, err)
	hooked.MayRun = err != nil
	return hooked
}

// HookDoubt is why nobody knows whether what was stopped runs still; "": it does not.
func HookDoubt(stopped activities.HookStop, err error) string {
	switch {
	case err != nil:
		return Reason(err)
	case stopped.End == nil && !stopped.Never:
		return "it is cancelled, and the machine's agent, which is to end it, is silent"
	}
	return ""
}

// StopHook sees what a call may have started ended.
func StopHook(
	ctx workflow.Context, in activities.HookInput, started activities.HookStarted, t patch.Timing,
) (stopped activities.HookStop, err error) {
	err = workflow.ExecuteActivity(hookOptions(ctx, in, t, t.Stop), hooks.StopHook, activities.AwaitHookInput{
		HookInput: in, Started: started,
	}).Get(ctx, &stopped)
	return stopped, err
}

// hookOptions are those of a wait. While something is put back, a refusal that may pass is asked again until the hook's
// time is over.
func hookOptions(
	ctx workflow.Context, in activities.HookInput, t patch.Timing, budget patch.Duration,
) workflow.Context {
	options := workflow.GetActivityOptions(Waiting(ctx, in.Instance.Group, t, budget))
	if in.About.Undo || in.About.RollBack {
		options.RetryPolicy = &temporal.RetryPolicy{InitialInterval: t.Poll.D(), BackoffCoefficient: 1}
	}
	options.Summary = "hook " + in.About.Hook + " (" + string(in.About.Point) + ")"
	return workflow.WithActivityOptions(ctx, options)
}

// endOf is how a call ended by what its activity said.
func endOf(
	ctx workflow.Context, in activities.HookInput, end patch.HookEnd, err error,
) (patch.HookEnd, patch.HookResult) {
	switch {
	case err == nil && end.Failed == "":
		return end, patch.HookOK
	case err == nil && end.Late:
		return end, patch.HookTimedOut
	case err == nil:
		return end, patch.HookFailed
	case ctx.Err() != nil:
		return patch.HookEnd{Failed: "the wave was cancelled"}, patch.HookStopped
	case IsType(err, activities.ErrNotReady) || temporal.IsTimeoutError(err):
		return patch.HookEnd{
			Failed: "it did not end within " + in.Call.Timeout.String() + ": " + Reason(err),
		}, patch.HookTimedOut
	}
	return patch.HookEnd{Failed: Reason(err)}, patch.HookFailed
}
