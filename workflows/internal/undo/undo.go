// Package undo is how what was changed is put back: acts that are tried until they succeed, and beside them a watch,
// which tells people of one that does not end and heeds who gives it up.
package undo

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// control names activities by method references on a nil pointer.
var control *activities.Control

// Act does what puts something back, or reads what that depends on, and waits for it. ctx has the activity's options;
// where a watch stands in it (see Watch.Begin) people are told of one that does not end. The activity itself knows
// nothing of that: it is one activity from its first attempt to its last, so that what an attempt left in its
// heartbeats is known to the next.
func Act(ctx workflow.Context, activity, input, output any) error {
	return watched(ctx, try{activity: activity, input: input}, output)
}

// Wait is Act for what polls until its budget is spent: as long as it only says that it is not over, it is told to
// nobody.
func Wait(ctx workflow.Context, activity, input, output any) error {
	return watched(ctx, try{activity: activity, input: input, waits: true}, output)
}

// try is one activity under way.
type try struct {
	activity, input any
	waits           bool
	began           time.Time
}

// name is the activity's, as Temporal shows it.
func (t try) name() string { return activities.NameOf(t.activity) }

func watched(ctx workflow.Context, t try, output any) error {
	future := workflow.ExecuteActivity(ctx, t.activity, t.input)
	clean, _ := workflow.NewDisconnectedContext(ctx)
	watch, _ := ctx.Value(watchKey{}).(*Watch)
	if watch == nil {
		return future.Get(clean, output)
	}
	t.began = workflow.Now(ctx)
	watch.follow(clean, t, future)
	err := watch.explained(future.Get(clean, output))
	watch.ended(clean, err)
	return err
}

// look asks Temporal how the activity stands; no answer is told as what it is.
func look(ctx workflow.Context, t try, future workflow.Future) activities.Pending {
	info := workflow.GetInfo(ctx).WorkflowExecution
	asking, stop := workflow.WithCancel(run.Looking(ctx, "how "+t.name()+" stands"))
	defer stop()
	answer := workflow.ExecuteActivity(asking, control.ReadPending, activities.ReadPendingInput{
		WorkflowID: info.ID, RunID: info.RunID, Activity: t.name(),
	})
	// Its only error is a cancel, which a disconnected context does not have.
	_ = workflow.Await(ctx, func() bool { return answer.IsReady() || future.IsReady() })
	var pending activities.Pending
	if !answer.IsReady() {
		return pending
	}
	if err := answer.Get(ctx, &pending); err != nil {
		pending.Failure = "it does not end, and nobody can tell why: " + run.Reason(err)
	}
	return pending
}

// until waits until the activity has ended, or the time is over, or somebody gives up.
func (w *Watch) until(ctx workflow.Context, wait time.Duration, future workflow.Future) {
	if future.IsReady() {
		return
	}
	timing, stop := workflow.WithCancel(ctx)
	defer stop()
	timer := workflow.NewTimerWithOptions(timing, wait, workflow.TimerOptions{
		Summary: "until people are told that it does not end",
	})
	asked := w.asked
	// Its only error is a cancel, which a disconnected context does not have.
	_ = workflow.Await(ctx, func() bool { return future.IsReady() || timer.IsReady() || w.asked != asked })
}

// follow stands beside an activity until it has ended, or is given up.
func (w *Watch) follow(ctx workflow.Context, t try, future workflow.Future) {
	w.asked = false
	for wait := patch.UndoFailsAfter; ; {
		if w.until(ctx, wait, future); future.IsReady() {
			return
		}
		pending := look(ctx, t, future)
		tried := workflow.Now(ctx).Sub(t.began)
		switch {
		case future.IsReady():
			return
		case w.asked && patch.MayGiveUp(pending.Failure != "", pending.Waits, tried):
			w.giveUp(t, pending)
			return
		case tried >= patch.UndoFailsAfter && (!t.waits || !pending.Waits):
			w.fails(ctx, t, pending)
		}
		if wait = patch.NextLook(tried); w.asked {
			wait = askedAgain
		}
	}
}

// askedAgain is after how long an activity is looked at again that a person wants given up and that had not failed.
const askedAgain = time.Minute
