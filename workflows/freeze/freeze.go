// Package freeze is Freeze, which keeps who froze what, and how others ask it.
package freeze

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Input starts Freeze; it is what an earlier run of it leaves.
type Input struct {
	Freezes  patch.Freezes
	Reminded time.Time // when people were told last that something is frozen still; zero: never
	// Begun: what is frozen is here. Without it the evidence is asked, which knows what a lost database held.
	Begun bool
	Kept  patch.Freezes // what the evidence has
}

// Request is what a person sends with freeze and unfreeze.
type Request struct {
	Account string `json:"account,omitempty"` // its name in the configuration; "": all
	Actor   string `json:"actor"`
	Reason  string `json:"reason"`
	ForAll  bool   `json:"for_all,omitempty"` // unfreeze only: what others froze, too

	broken error
}

const freezeExample = `{"actor": "you", "reason": "incident 4711", "account": "production"}`

// UnmarshalJSON decodes strictly and keeps the error for Validate.
func (r *Request) UnmarshalJSON(data []byte) error {
	type plain Request
	r.broken = run.Strict(data, (*plain)(r))
	return nil
}

// Validate answers with InvalidInput what is wrong and shows a right example.
func (r Request) Validate() error { return r.validate(nil) }

// ofFreeze is Validate for a freeze.
func (r Request) ofFreeze() error {
	if r.ForAll {
		return r.validate(errors.New("for_all: a freeze is by one person; it is unfreeze that takes back everybody's"))
	}
	return r.Validate()
}

func (r Request) validate(wrong error) error {
	err := cmp.Or(r.broken, wrong)
	if err == nil {
		err = patch.Answered(r.Actor, r.Reason)
	}
	if err != nil {
		return run.Invalid(err.Error(), freezeExample)
	}
	return nil
}

// Answer tells what is frozen after an Update, and whether it changed anything.
type Answer struct {
	Changed  bool          `json:"changed"`
	Lifted   patch.Freezes `json:"lifted,omitempty"`   // by unfreeze
	Replaced *patch.Freeze `json:"replaced,omitempty"` // by freeze: what the same person had said before, for another reason
	Freezes  patch.Freezes `json:"freezes"`
}

// freezer keeps who froze what.
type freezer struct {
	status   patch.FreezeStatus
	changes  int
	reminded time.Time

	recalled bool          // what was frozen before is known
	kept     patch.Freezes // what the evidence has
	keeping  bool          // it is being written there
}

// freezesKept is after how many changes the history begins anew.
const freezesKept = 500

// Freeze is one long-lived workflow that keeps who froze which accounts and why. Every wave asks it before each
// instance, and takes no answer for a freeze. The evidence keeps it too, so that it outlives Temporal's database. It
// ends only when somebody cancels or terminates it; then everything is frozen.
func Freeze(ctx workflow.Context, in Input) error {
	f := &freezer{status: patch.FreezeStatus{Freezes: in.Freezes}, reminded: in.Reminded}
	if err := f.answer(ctx); err != nil {
		return err
	}
	f.kept, f.recalled = in.Kept, in.Begun
	workflow.Go(ctx, f.keepInEvidence)
	if err := f.keep(ctx); err != nil {
		clean, _ := workflow.NewDisconnectedContext(ctx)
		lost := ""
		if f.unkept() { // whoever starts it anew reads it there
			if failed := f.keepNow(clean, run.Looking(clean, "what is frozen, into the evidence")); failed != nil {
				lost = run.Reason(failed)
			}
		}
		f.status.Closed = true
		f.changes++
		f.tell(ctx, ended(f.status.Freezes, lost))
		return err
	}
	return workflow.NewContinueAsNewError(ctx, Freeze, Input{
		Freezes: f.status.Freezes, Reminded: f.reminded, Begun: true, Kept: f.kept,
	})
}

// keep keeps the freezes, and tells people of them again while they last, until the history is to begin anew. Its only
// error is the cancel.
func (f *freezer) keep(ctx workflow.Context) error {
	over := func() bool {
		return (f.changes >= freezesKept || workflow.GetInfo(ctx).GetContinueAsNewSuggested()) &&
			workflow.AllHandlersFinished(ctx) && !f.keeping
	}
	if !f.recalled {
		if err := f.recall(ctx); err != nil {
			return err
		}
	}
	f.show(ctx)
	for {
		if err := workflow.Await(ctx, func() bool { return over() || len(f.status.Freezes) > 0 }); err != nil || over() {
			return err
		}
		due := f.status.Freezes.Reminder(f.reminded)
		early, err := run.Await(ctx, due.Sub(workflow.Now(ctx)), "until people are told that it is frozen still",
			func() bool { return over() || !due.Equal(f.status.Freezes.Reminder(f.reminded)) })
		if err != nil {
			return err
		}
		if !early {
			f.reminded = workflow.Now(ctx)
			f.changes++
			f.tell(ctx, frozenStill(f.status.Freezes))
		}
	}
}

func (f *freezer) answer(ctx workflow.Context) error {
	if err := workflow.SetQueryHandlerWithOptions(
		ctx,
		names.QueryStatus,
		func() (patch.FreezeStatus, error) { return f.status, nil },
		workflow.QueryHandlerOptions{Description: "Who froze which accounts, since when and why"},
	); err != nil {
		return err
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, names.UpdateFreeze, f.freeze, workflow.UpdateHandlerOptions{
		Description: "Hold every wave between instances, in one account or, without account, everywhere",
		Validator:   func(request Request) error { return request.ofFreeze() },
	}); err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, names.UpdateUnfreeze, f.unfreeze, workflow.UpdateHandlerOptions{
		Description: "Take back your freeze of one account or, without account, the one of everything; for_all: everybody's",
		Validator:   func(request Request) error { return request.Validate() },
	})
}

// freeze refuses an account that the configuration does not know: a misspelt name would freeze nothing.
func (f *freezer) freeze(ctx workflow.Context, request Request) (Answer, error) {
	if err := isAccount(ctx, request); err != nil {
		return Answer{}, err
	}
	if err := f.known(ctx); err != nil {
		return Answer{}, err
	}
	now, said, err := f.status.Freezes.With(patch.Freeze{
		Account: request.Account, Actor: request.Actor, Reason: request.Reason, Since: workflow.Now(ctx),
	})
	if err != nil {
		return Answer{}, run.Invalid(err.Error(), freezeExample)
	}
	f.status.Freezes = now
	f.changed(ctx)
	answer := Answer{Changed: true, Freezes: now}
	if said != nil && said.Reason != request.Reason {
		answer.Replaced = said
	}
	if said == nil || answer.Replaced != nil { // what is said twice is heard once
		f.tell(ctx, frozen(request))
	}
	return answer, nil
}

// unfreeze refuses an account that is neither frozen nor known to the configuration: whoever misspelt it would go home.
func (f *freezer) unfreeze(ctx workflow.Context, request Request) (Answer, error) {
	if err := f.known(ctx); err != nil {
		return Answer{}, err
	}
	actor := request.Actor
	if request.ForAll {
		actor = ""
	}
	left, lifted, err := f.status.Freezes.Without(request.Account, actor)
	if err != nil {
		return Answer{}, run.Invalid(err.Error(), freezeExample)
	}
	if len(lifted) == 0 {
		if err := isAccount(ctx, request); err != nil {
			return Answer{}, err
		}
		return Answer{Freezes: f.status.Freezes}, nil
	}
	f.status.Freezes = left
	f.changed(ctx)
	f.tell(ctx, thawed(request, lifted, left))
	return Answer{Changed: true, Lifted: lifted, Freezes: left}, nil
}

// isAccount refuses an account that the configuration does not know.
func isAccount(ctx workflow.Context, request Request) error {
	if request.Account == "" {
		return nil
	}
	var known []string
	if err := workflow.ExecuteActivity(run.Controlling(ctx, "which accounts there are"), control.KnownAccounts).Get(
		ctx, &known,
	); err != nil {
		return err
	}
	if slices.Contains(known, request.Account) {
		return nil
	}
	return run.Invalid(fmt.Sprintf("account: there is no %q in the worker's configuration; it knows %s", request.Account,
		strings.Join(known, ", ")), freezeExample)
}

// known waits until what was frozen before is known, which takes a moment: a word given earlier would be forgotten by
// it.
func (f *freezer) known(ctx workflow.Context) error {
	known, err := run.Await(ctx, 10*time.Second, "until what was frozen is read", func() bool { return f.recalled })
	if err == nil && !known {
		err = temporal.NewNonRetryableApplicationError("everything is frozen, for the evidence cannot be read yet, which "+
			"keeps what is: see that the worker reaches its evidence store, then say it again", activities.ErrEvidence, nil)
	}
	return err
}

func (f *freezer) changed(ctx workflow.Context) {
	f.changes++
	f.show(ctx)
}

// show tells people at the Temporal UI what is frozen.
func (f *freezer) show(ctx workflow.Context) {
	if len(f.status.Freezes) == 0 {
		workflow.SetCurrentDetails(ctx, "Nothing is frozen. Every wave asks here before each instance; never terminate "+
			"this workflow.")
		return
	}
	var text strings.Builder
	for _, freeze := range f.status.Freezes {
		run.Write(&text, "- %s\n", freeze)
	}
	workflow.SetCurrentDetails(ctx, text.String())
}
