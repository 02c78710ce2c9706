package wave

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/soak"
)

// soaking is a stage that is done, until the next begins.
type soaking struct {
	*patch.Soak // in the status of the stage

	stage   int    // its index in the plan
	of      string // what soaks: the stage, or a step of it
	asks    bool   // somebody is asked to approve once it is over
	watched []soak.Watched
	ill     *patch.SoakLook     // what two looks saw, until somebody decides; nil: nothing
	stop    workflow.CancelFunc // ends the watch; nil: nobody watches
}

// isIll reports whether people have to decide about what was seen.
func (s *soaking) isIll() bool { return s != nil && s.ill != nil }

// isBefore reports whether the stage of that name begins next.
func (s *soaking) isBefore(stage string) bool { return s != nil && s.Before == stage }

// soak parks the wave between a stage that is done and the next, where that demands it. Where the wave does not go on,
// its outcome is told.
func (w *wave) soak(ctx workflow.Context, stage int) (outcome patch.Outcome, goesOn bool) {
	if stage+1 == len(w.plan.Stages) || w.plan.Stages[stage+1].After == nil {
		return "", true
	}
	next := w.plan.Stages[stage+1]
	s := &soaking{
		Soak: patch.NewSoak(*next.After, next.Name, workflow.Now(ctx)), stage: stage, of: w.plan.Stages[stage].Name,
		asks: next.Approval != nil, watched: w.toWatch(stage),
	}
	w.status.Stages[stage].Soak = s.Soak
	return w.parkForSoak(ctx, s)
}

// parkForSoak parks the wave until what soaks has done so.
func (w *wave) parkForSoak(ctx workflow.Context, s *soaking) (outcome patch.Outcome, goesOn bool) {
	w.parking.soak = s
	defer func() { w.endSoak(ctx, cmp.Or(w.reason, "the wave ended")) }()
	return w.park(ctx, s.stage, &patch.Decision{
		Verb: patch.Resume, Actor: patch.ByItself, At: s.Until,
		Reason: fmt.Sprintf("%s soaked for %s", s.of, patch.Duration(s.Until.Sub(s.Since)).Rough()),
	})
}

// toWatch are a stage's groups with the instances that have what it proves, as long as its locks tell what they serve
// through.
func (w *wave) toWatch(stage int) []soak.Watched {
	var groups []soak.Watched
	for _, held := range w.roster.of(stage) {
		groups = append(groups, soak.Watched{Group: held.group, Targets: held.behind.All})
	}
	return groups
}

// nameWatched names the instances that are watched, once their groups have told what became of them: of a stage that is
// too large for one input as many of each group as there is room for.
func (w *wave) nameWatched(s *soaking) {
	all := 0
	for i, held := range w.roster.of(s.stage) {
		for _, instance := range held.result.Instances {
			if instance.Outcome.Soaks() {
				s.watched[i].Instances = append(s.watched[i].Instances, instance.ID)
				all++
			}
		}
	}
	soak.Fit(s.watched, all)
}

// watchSoak has a child of the wave look at the stage, until it is ill or the watch is stopped. A wave's own history
// has no room for looks at many instances over many days.
func (w *wave) watchSoak(ctx workflow.Context) {
	s := w.parking.soak
	if s == nil || s.Every == 0 || s.stop != nil {
		return
	}
	var watching workflow.Context
	watching, s.stop = workflow.WithCancel(ctx)
	workflow.Go(watching, func(ctx workflow.Context) {
		for ctx.Err() == nil {
			does := "looks at the health of " + s.of + " while it soaks"
			child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
				TaskQueue: names.TaskQueue, ParentClosePolicy: run.ParentClose, StaticSummary: does,
				TypedSearchAttributes: w.attributes(),
			}), soak.WatchSoak, soak.Input{
				WaveID: w.status.WaveID, Groups: s.watched, Platform: w.plan.Platform,
				Checks: w.plan.Stages[s.stage].Health, Timing: w.plan.Timing, Every: s.Every, Until: s.Until, Looks: s.Looks,
				ContinueAfter: w.request.ContinueAfter,
			})
			shown := w.showHelper(ctx, child, does)
			var look patch.SoakLook
			err := child.Get(ctx, &look)
			shown()
			switch {
			case ctx.Err() != nil:
				return
			case err == nil:
				s.ill = &look
				return
			}
			// As after somebody terminated it: that nobody looks is told, and another begins.
			unread := patch.SoakLook{At: workflow.Now(ctx)}
			unread.CouldNotRead(1, "the workflow that looks ended: "+run.Reason(err))
			w.heardLook(ctx, unread)
			_ = workflow.Sleep(ctx, s.Every.D())
		}
	})
}

// stopWatch ends the watch.
func (s *soaking) stopWatch() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

// heardLook takes a look at the stage that soaks.
func (w *wave) heardLook(ctx workflow.Context, look patch.SoakLook) {
	s := w.parking.soak
	if s == nil || s.Last != nil && !look.At.After(s.Last.At) {
		return
	}
	s.Looked(look)
	if w.status.State == patch.StateSoaking {
		w.asks = w.soakText(ctx)
	}
	w.show(ctx)
}

// endSoak ends the soak, if there is one. cutBy says who ended it where its time is not over.
func (w *wave) endSoak(ctx workflow.Context, cutBy string) {
	s := w.parking.soak
	if s == nil {
		return
	}
	s.stopWatch()
	s.End(workflow.Now(ctx), cutBy)
	w.parking.soak = nil
}

// mayEndSoak is why the wave does not go on although its time is over; nil: it does.
func (w *wave) mayEndSoak() error {
	if s := w.parking.soak; s != nil {
		if why := s.Unproven(); why != "" {
			return errors.New(why)
		}
	}
	return nil
}

// askWindowAgain asks which window the wave goes on in once its stage has soaked, or is to soak no longer: the
// configuration may have changed since it began to, and another window may be open. It ends the wave where none is.
func (w *wave) askWindowAgain(ctx workflow.Context) *leaving {
	wait := w.parking.wait
	wait.Soaks = time.Time{}
	next := w.windowFrom(ctx, workflow.Now(ctx))
	switch {
	case next.Window == nil && w.inbox.decision != nil:
		return nil // told meanwhile
	case next.Window == nil:
		w.reason = w.parking.why + "; no window follows in which it could go on: " + next.Why
		return &leaving{outcome: patch.Aborted}
	}
	wait.Window, wait.Next, wait.AnyTime = w.plan.Window, next.Window, next.AnyTime
	w.stand(ctx, wait.Standing)
	return nil
}

// holdSoak asks people about a stage that is ill while it soaks. Nobody's word by the cutoff of the window in which it
// would have gone on ends the wave; nothing is put back by itself, for the backups may be days old.
func (w *wave) holdSoak(ctx workflow.Context, stage int) *leaving {
	s := w.parking.soak
	s.stopWatch()
	look := s.ill
	w.enter(ctx, patch.StateOnHold, w.illText(look))
	timeout := patch.Duration(w.parking.wait.Next.Cutoff.Sub(workflow.Now(ctx)))
	timeout = max(timeout, w.plan.Stages[stage].OnFailure.Timeout)
	until := unless(ctx, timeout, patch.Abort)
	ask := func(ctx workflow.Context) {
		w.tell(ctx, patch.NoticeOnHold, until, func(n *patch.Notice) { n.Instances = look.Ill })
	}
	ask(ctx)
	decision := w.awaitDecision(ctx, timeout, patch.Decision{
		Verb: patch.Abort, Actor: patch.ByItself, Point: w.status.Point(),
		Reason: "nobody answered until the cutoff of the window in which it would have gone on, and " + s.Last.String(),
	}, ask)
	s.ill = nil
	switch decision.Verb {
	case patch.Retry:
		w.watchSoak(ctx)
		return nil
	case patch.Skip:
		return w.skipSoak(ctx, &decision)
	case patch.RollBack:
		return w.rollBackParked(ctx, stage, &decision)
	}
	w.reason = "aborted: " + decision.Actor + ": " + decision.Reason
	return &leaving{outcome: patch.Aborted}
}

// skipSoak lets the wave go on without the rest of the soak, as somebody decided: at once, or when a window opens.
func (w *wave) skipSoak(ctx workflow.Context, decision *patch.Decision) *leaving {
	of := w.parking.soak.of
	w.endSoak(ctx, decision.Verb.By(*decision))
	// Where no window is open people are told of that as of any parked wave.
	w.parking.why, w.parking.toldWhy = of+" soaks no longer", ""
	w.stand(ctx, decision)
	return w.askWindowAgain(ctx)
}

// illText says what is ill and what may be sent.
func (w *wave) illText(look *patch.SoakLook) string {
	s := w.parking.soak
	text := fmt.Sprintf("%s is not well while it soaks, by two looks: %s. It soaks since %s, until %s; %s has not begun, "+
		"and no lock is held. ", s.of, look, brief.UTC(s.Since), brief.UTC(s.Until), s.Before)
	switch loses := w.plan.RollBackLoses(); {
	case w.status.RollsBack.WhyNot != "":
		text += "By a roll back " + w.status.RollsBack.Nothing(patch.ScopeWave) + ". "
	case loses != "" && w.status.RollsBack.Stage > 0:
		text += "A roll back puts back what is patched: " + loses + ". "
	}
	return text + "Send retry to look again and go on soaking, skip to go on to " + s.Before +
		" as it is, roll back or abort."
}

// soakText says of a wave that soaks until when, what was seen last, and what comes then.
func (w *wave) soakText(ctx workflow.Context) string {
	s, now := w.parking.soak, workflow.Now(ctx)
	var text strings.Builder
	text.WriteString(s.Told(s.of, now, brief.UTC) + ". ")
	then := s.Before + " follows"
	if s.asks {
		then = "the approval of " + s.Before + " is asked"
	}
	standing := w.parking.standing()
	switch {
	case w.parking.wait.Tries > 0:
		fmt.Fprintf(&text, "Then %s: %s; it %s. ", then, w.parking.why, w.parking.wait.Tells(now))
	case w.parking.wait.AnyTime || !standing.Acts.After(s.Until):
		fmt.Fprintf(&text, "Then %s. ", then)
	default:
		fmt.Fprintf(&text, "Then %s in the window that opens at %s. ", then, brief.UTC(standing.Acts))
	}
	text.WriteString("No lock is held, and nothing is suspended or out of service. ")
	if w.inbox.paused != nil {
		text.WriteString("It is " + whyPaused(w.inbox.paused) + ". Send resume to lift that, roll back or abort.")
		return text.String()
	}
	text.WriteString("Send resume to go on without the rest of it, roll back or abort.")
	return text.String()
}
