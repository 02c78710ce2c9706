package run

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// Await waits until something is so, at most so long, and reports whether it is; its only error is a cancel. The timer
// ends with the wait. The SDK's own leaves it running, and a page of the Temporal UI, and a log, would tell hours later
// that it fired, as if that had decided anything.
func Await(ctx workflow.Context, atMost time.Duration, summary string, so func() bool) (bool, error) {
	if so() {
		return true, nil
	}
	timing, stop := workflow.WithCancel(ctx)
	defer stop()
	timer := workflow.NewTimerWithOptions(timing, atMost, workflow.TimerOptions{Summary: summary})
	if err := workflow.Await(ctx, func() bool { return so() || timer.IsReady() }); err != nil {
		return false, err
	}
	if so() {
		return true, nil
	}
	return false, ctx.Err()
}
