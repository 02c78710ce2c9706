package run

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
)

// UntilGivenUp returns a context for undoing: it survives the workflow's cancel and ends only when a person gives up
// (abort, told during the undo, comes as the signal give-up). Undo acts retry until then.
func UntilGivenUp(ctx workflow.Context) (workflow.Context, workflow.CancelFunc) {
	clean, cancel := workflow.NewDisconnectedContext(ctx)
	signals := workflow.GetSignalChannel(clean, names.SignalGiveUp)
	workflow.Go(clean, func(c workflow.Context) {
		selector := workflow.NewSelector(c)
		selector.AddReceive(signals, func(channel workflow.ReceiveChannel, _ bool) { channel.Receive(c, nil); cancel() })
		selector.AddReceive(c.Done(), func(workflow.ReceiveChannel, bool) {})
		selector.Select(c)
	})
	return clean, cancel
}
