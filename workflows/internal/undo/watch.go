package undo

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/notice"
)

// Watch stands beside the undos of one workflow.
type Watch struct {
	About   func() patch.FailingUndo // where it puts back, and what
	Notice  func() patch.Notice      // whose wave it is
	Changed func(workflow.Context)   // Failing has changed

	Failing *patch.FailingUndo // what does not end; nil: nothing

	given string         // what a person gave up, and how it failed last; "": nothing
	told  []patch.Notice // of Failing
	asked bool           // a person gives up what is under way
	stop  workflow.CancelFunc
}

type watchKey struct{}

// Begin returns a context for undoing: it survives the workflow's cancel and ends only when what is under way in it
// fails and a person gives up.
func (w *Watch) Begin(ctx workflow.Context) (workflow.Context, workflow.CancelFunc) {
	undoing, stop := w.in(workflow.NewDisconnectedContext(ctx))
	return run.WhileOut(undoing), stop
}

// in has the watch stand in a context until that is stopped; one may begin within another.
func (w *Watch) in(ctx workflow.Context, stop workflow.CancelFunc) (workflow.Context, workflow.CancelFunc) {
	around := w.stop
	w.stop, w.asked, w.given = stop, false, ""
	return workflow.WithValue(ctx, watchKey{}, w), func() {
		stop()
		w.stop = around
	}
}

// BeginHeeding is Begin, and heeds the signal give-up, which is an abort told during the undo. One that was told before
// was about something else: the instance was only waited for then.
func (w *Watch) BeginHeeding(ctx workflow.Context) (workflow.Context, workflow.CancelFunc) {
	undoing, stop := w.Begin(ctx)
	w.heed(undoing)
	return undoing, stop
}

// BesideHeeding is BeginHeeding for what goes forward in order to put back: a cancel of the workflow ends it as well.
func (w *Watch) BesideHeeding(ctx workflow.Context) (workflow.Context, workflow.CancelFunc) {
	beside, stop := w.in(workflow.WithCancel(ctx))
	w.heed(beside)
	return beside, stop
}

func (w *Watch) heed(undoing workflow.Context) {
	signals := workflow.GetSignalChannel(undoing, names.SignalGiveUp)
	for signals.ReceiveAsync(nil) {
		continue
	}
	workflow.Go(undoing, func(c workflow.Context) {
		for c.Err() == nil {
			selector := workflow.NewSelector(c)
			selector.AddReceive(signals, func(channel workflow.ReceiveChannel, _ bool) { channel.Receive(c, nil); w.GiveUp() })
			selector.AddReceive(c.Done(), func(workflow.ReceiveChannel, bool) {})
			selector.Select(c)
		}
	})
}

// GiveUp is a person's word that what is under way need not be tried any longer. It is heeded once that fails: an undo
// that only takes its time is not cut.
func (w *Watch) GiveUp() { w.asked = true }

func (w *Watch) giveUp(t try, pending activities.Pending) {
	w.given = t.name() + " was given up"
	if pending.Failure != "" {
		w.given += fmt.Sprintf(" (attempt %d): %s", pending.Attempt, pending.Failure)
	}
	w.stop()
}

// explained has an undo's error say what was given up: that act, or one before it, after which nothing is tried.
func (w *Watch) explained(err error) error {
	if w.given == "" || !temporal.IsCanceledError(err) {
		return err
	}
	return &run.GivenUp{Said: w.given, Err: err}
}

// fails shows that an undo does not end, and tells people now and then.
func (w *Watch) fails(ctx workflow.Context, t try, pending activities.Pending) {
	now := workflow.Now(ctx)
	failing := w.About()
	failing.Act, failing.Since, failing.At = t.name(), t.began, now
	failing.Attempt, failing.Error = pending.Attempt, pending.Failure
	failing.Commands = ByHand(failing.Act, t.input)
	w.Failing = &failing
	w.Changed(ctx)
	if told := len(w.told); told == 0 || now.Sub(w.told[told-1].At) >= patch.Reminds(told) {
		w.tell(ctx, patch.NoticeUndoFails, failing.String(), failing.Commands)
	}
}

// ended takes back what was shown, and tells those who were told.
func (w *Watch) ended(ctx workflow.Context, err error) {
	if w.Failing == nil {
		return
	}
	why := fmt.Sprintf("%s has ended after %s", w.Failing.What(),
		patch.Duration(workflow.Now(ctx).Sub(w.Failing.Since).Round(time.Minute)))
	if err != nil {
		why = fmt.Sprintf("%s is not tried any longer: %s", w.Failing.What(), run.Reason(err))
	}
	if len(w.told) > 0 {
		w.tell(ctx, patch.NoticeUndoEnded, why, nil)
	}
	w.Failing, w.told = nil, nil
	w.Changed(ctx)
}

func (w *Watch) tell(ctx workflow.Context, kind patch.NoticeKind, why string, commands []string) {
	told := w.Notice()
	told.Kind, told.At, told.Why, told.Subject, told.Commands = kind, workflow.Now(ctx), why, w.Failing.What(), commands
	info := workflow.GetInfo(ctx).WorkflowExecution
	told.WorkflowID = info.ID
	told.Key = fmt.Sprintf("%s/%s/%s-%d-%d", info.ID, info.RunID, kind, w.Failing.Since.Unix(), len(w.told)+1)
	if kind == patch.NoticeUndoEnded {
		told.Verbs = nil
	}
	notice.Tell(ctx, told)
	w.told = append(w.told, told)
}
