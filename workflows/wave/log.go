package wave

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// log tells in the worker's log where the wave stands.
func (w *wave) log(ctx workflow.Context) {
	var about []any
	add := func(name, value string) {
		if value != "" {
			about = append(about, name, value)
		}
	}
	add("plan", w.status.Plan)
	add("stage", w.status.Stage)
	add("outcome", string(w.status.Outcome))
	add("asks", w.asks)
	tell := workflow.GetLogger(ctx).Info
	switch w.status.State {
	case patch.StateOnHold:
		tell = workflow.GetLogger(ctx).Warn
	case patch.StateClosed:
		add("reason", w.reason)
		if !w.status.EndedWell() {
			tell = workflow.GetLogger(ctx).Warn
		}
	}
	tell("wave: "+w.status.State.Words(), about...)
}
