// Package soak is WatchSoak, which looks at the instances of a stage now and then, between it and the next. It changes
// nothing and holds no lock: its wave has parked.
package soak

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Input starts WatchSoak.
type Input struct {
	WaveID   string
	Groups   []Watched
	Platform patch.Platform      // of groups that name no other
	Checks   []patch.HealthCheck // those of the stage's bake
	Timing   patch.Timing
	Every    patch.Duration // between two looks
	Until    time.Time      // it is looked then as well: what ends may be short, and its last look old
	// ContinueAfter is how many looks one run has; 0: as many as its history may have.
	ContinueAfter int

	// What one run hands to the next.
	Next  time.Time // when it looks next; zero: at once
	Looks int       // so far
}

// Watched is a group of the stage, with those of its instances that are looked at.
type Watched struct {
	Group     patch.Group
	Instances []string
	Targets   []string // ARNs of the target groups that it serves through
}

// How long is waited after a look that was not well: to confirm what was ill, and for what could not be read, as parts
// of the time between two looks: 5 and 15 minutes of an hour.
const (
	confirms   = 12
	readsAgain = 4
)

// WatchSoak looks again and again until it is cancelled, and tells its wave each look. It ends by itself only when two
// looks, one soon after the other, were bad: with the second one.
func WatchSoak(ctx workflow.Context, in Input) (*patch.SoakLook, error) {
	if err := run.ChildOf(ctx, "its wave,", in.WaveID); err != nil {
		return nil, err
	}
	suspected := false
	for looks := 1; ; looks++ {
		if err := await(ctx, in.Next); err != nil {
			return nil, err
		}
		look := in.look(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		in.Looks++
		tell(ctx, look)
		verdict := look.Verdict()
		if verdict == patch.SoakIll && suspected {
			return &look, nil
		}
		suspected = verdict == patch.SoakIll
		in.Next = in.after(workflow.Now(ctx), verdict)
		if !suspected && (isLong(ctx) || looks == in.ContinueAfter) {
			return nil, workflow.NewContinueAsNewError(ctx, WatchSoak, in)
		}
	}
}

// after is when it is looked at next after a look at a moment.
func (in Input) after(now time.Time, verdict patch.SoakVerdict) time.Time {
	pause := in.Every
	switch verdict {
	case patch.SoakIll:
		pause /= confirms
	case patch.SoakUnknown:
		pause /= readsAgain
	}
	next := now.Add(pause.D())
	if now.Before(in.Until) && next.After(in.Until) {
		return in.Until
	}
	return next
}

func await(ctx workflow.Context, next time.Time) error {
	left := next.Sub(workflow.Now(ctx))
	if next.IsZero() || left <= 0 {
		return ctx.Err()
	}
	return workflow.NewTimerWithOptions(ctx, left, workflow.TimerOptions{
		Summary: "until the stage's health is looked at again",
	}).Get(ctx, nil)
}

// tell tells the wave, and shows on the page, what a look saw. A wave that is gone has nobody to tell; the cancel is on
// its way.
func tell(ctx workflow.Context, look patch.SoakLook) {
	workflow.SetCurrentDetails(ctx, look.String())
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	_ = workflow.SignalExternalWorkflow(ctx, parent.ID, parent.RunID, names.SignalSoakLook, look).Get(ctx, nil)
}

// longestHistory is up to how many events one run has before the next goes on: a look at 300 instances of as many
// groups takes some 4,000.
const longestHistory = 8_000

func isLong(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return info.GetCurrentHistoryLength() > longestHistory || info.GetContinueAsNewSuggested()
}
