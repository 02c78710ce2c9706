// Package image renews the image that an Auto Scaling group launches from: it is made, tried by an instance outside the
// group, and only then put into the launch template. So at no moment does the group launch what is not proven, and
// whatever breaks off leaves its template as it was.
package image

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
)

// Input starts RenewImage of a group that a wave has patched.
type Input struct {
	WaveID     string
	Group      patch.Group
	Policy     patch.Policy
	BaselineID string
	Donors     []string // instances of the group that the wave has patched, in the order in which they may give theirs
	Try        int
}

// attempt is the step's, by whose token what it makes is found again.
func (in Input) attempt(step string) activities.Attempt {
	return run.Attempt(in.WaveID, in.Group.String(), "image-"+step+"/"+in.Policy.Run, in.Try)
}

// Tokens are by which whoever heals finds the image and the instance that tries it.
func (in Input) Tokens() (image, trial string) {
	return in.attempt("make").Token, in.attempt("trial").Token
}

// A step is one line of the saga's table: what is done, and how it is undone.
type step struct {
	name string // for people
	do   func(workflow.Context) error
	undo func(workflow.Context) error // nil: nothing to undo
}

// table is RenewImage. What comes after the trial has ended has no undo: the image is proven by then, and each change
// of the template is one call.
func (r *renewal) table() []step {
	return []step{
		{"look", r.look, nil},
		{"make", r.make, r.quarantine},
		{"launch a trial", r.launch, r.endTrial},
		{"prove", r.prove, nil},
		{"end the trial", r.endProven, nil},
		{"put into the launch template", r.promote, nil},
		{"clean up", r.expire, nil},
	}
}

// renewal is one run.
type renewal struct {
	in     Input
	status patch.ImageRenewal
	now    string // the step under way
	trial  string // the instance that tries the image; "": none is known
	donor  string
	watch  *undo.Watch
}

// RenewImage renews the image of a group. It always ends with a result: what fails is told there, and undone.
func RenewImage(ctx workflow.Context, in Input) (*patch.ImageRenewal, error) {
	if err := run.ChildOf(ctx, "its group,", names.GroupLock(in.Group)); err != nil {
		return nil, err
	}
	r := &renewal{in: in}
	if err := workflow.SetQueryHandlerWithOptions(ctx, names.QueryStatus,
		func() (patch.ImageRenewal, error) { return r.status, nil },
		workflow.QueryHandlerOptions{Description: "What has become of the image so far"}); err != nil {
		return nil, err
	}
	r.run(ctx)
	r.show(ctx)
	return &r.status, nil
}

func (r *renewal) run(ctx workflow.Context) {
	var undos []step
	for _, step := range r.table() {
		r.now = step.name
		r.show(ctx)
		if step.undo != nil { // before it is done: what reports a failure may have had its effect
			undos = append(undos, step)
		}
		err := ctx.Err()
		if err == nil {
			err = step.do(ctx)
		}
		if err == nil {
			continue
		}
		r.status.Failed = r.why(step.name, err)
		clean, stop := r.undoing(ctx)
		for i := len(undos) - 1; i >= 0; i-- {
			r.now = "undo: " + undos[i].name
			r.show(ctx)
			if err := undos[i].undo(clean); err != nil {
				r.stranded(undos[i].name, err)
			}
		}
		if r.status.Image != "" {
			r.cleanUp(clean) // what failed before it: each wave makes one more
		}
		stop()
		return
	}
	r.now = ""
}

// why says why a step failed, for people.
func (r *renewal) why(step string, err error) string {
	if temporal.IsCanceledError(err) {
		return "it was cancelled before the step " + step
	}
	if step == "look" {
		return run.Reason(err)
	}
	return step + ": " + run.Reason(err)
}

// undoing is for what is undone: no cancel reaches it, and people are told of what does not end.
func (r *renewal) undoing(ctx workflow.Context) (workflow.Context, workflow.CancelFunc) {
	if r.watch == nil {
		r.watch = &undo.Watch{About: func() patch.FailingUndo {
			return patch.FailingUndo{Group: r.in.Group.String(), Step: patch.StepImage}
		}, Notice: func() patch.Notice {
			return patch.Notice{
				WaveID: r.in.WaveID, Plan: r.in.Policy.Plan, Stage: r.in.Policy.Stage, Verbs: []patch.Verb{patch.Abort},
			}
		}, Changed: r.show}
	}
	return r.watch.BeginHeeding(ctx)
}

func (r *renewal) show(ctx workflow.Context) {
	text := "**" + r.in.Group.String() + "**: "
	switch {
	case r.now != "":
		text += r.now
	default:
		text += r.status.Told()
	}
	if r.watch != nil && r.watch.Failing != nil {
		text += "\n\n" + r.watch.Failing.String()
	}
	workflow.SetCurrentDetails(ctx, text)
}

// stranded tells of what could not be undone.
func (r *renewal) stranded(step string, err error) {
	left := patch.Stranded{Account: r.in.Group.Account.Name, Region: r.in.Group.Region}
	if step == "launch a trial" {
		_, token := r.in.Tokens()
		left.Resource = strings.TrimSpace("instance "+r.trial) + " that tries the image of " + r.in.Group.Name()
		left.State = "it may still run: " + run.Reason(err)
		left.WhatToDo = fmt.Sprintf("terminate the instance with the tag %s%s, if there is one", names.TagAttempt, token)
	} else {
		left.Resource = "image " + r.status.Image + " of " + r.in.Group.Name()
		left.State = "it is not tried, and not marked so: " + run.Reason(err)
		left.WhatToDo = "deregister it, or look at it: no launch template names it"
	}
	r.status.Stranded = append(r.status.Stranded, left)
}

// strandVersion tells of a version that may be there, and of which nobody can say.
func (r *renewal) strandVersion(err error) {
	r.status.Stranded = append(r.status.Stranded, patch.Stranded{
		Account: r.in.Group.Account.Name, Region: r.in.Group.Region,
		Resource: "the launch template " + r.status.Was.TemplateName + " of " + r.in.Group.Name(),
		State:    "it may have a version with " + r.status.Image + ": " + run.Reason(err),
		WhatToDo: "see whether it has one whose description begins Patchtide " + r.in.attempt("version").Token +
			", and from which version the group launches; a roll back may not know of it",
	})
}

func (r *renewal) act(ctx workflow.Context, activity, input, output any) error {
	options := run.Acting(ctx, r.in.Group, r.in.Policy.Timing)
	return workflow.ExecuteActivity(options, activity, input).Get(options, output)
}

func (r *renewal) await(ctx workflow.Context, budget patch.Duration, activity, input, output any) error {
	return workflow.ExecuteActivity(
		run.Waiting(ctx, r.in.Group, r.in.Policy.Timing, budget), activity, input,
	).Get(ctx, output)
}

func (r *renewal) pace() activities.Pace { return run.Pace(r.in.Policy.Timing) }

func (r *renewal) note(format string, args ...any) {
	r.status.Notes = append(r.status.Notes, fmt.Sprintf(format, args...))
}
