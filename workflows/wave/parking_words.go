package wave

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// whyItStopped says what stopped the wave, and what is left of the stage and those after it.
func (w *wave) whyItStopped(ctx workflow.Context, stage int) string {
	if s := w.parking.soak; s != nil {
		return fmt.Sprintf("%s soaks before %s begins", s.of, s.Before)
	}
	text := w.whatClosed(ctx, stage)
	var left []string
	for _, held := range w.roster.groups {
		if open := held.counts.Total - held.counts.Done; held.stage >= stage && open > 0 {
			left = append(left, fmt.Sprintf("%d of %d of %s", open, held.counts.Total, held.group))
		}
	}
	if len(left) == 0 {
		return text
	}
	if len(left) > run.MostListed {
		left = append(left[:run.MostListed], fmt.Sprintf("and of %d more groups", len(left)-run.MostListed))
	}
	return text + ". Left: " + strings.Join(left, ", ")
}

// whatClosed says what lets no further instance begin: a calendar, or else the window.
func (w *wave) whatClosed(ctx workflow.Context, stage int) string {
	for _, held := range w.roster.of(stage) {
		if held.counts.Closed == patch.RefusedCalendar {
			return held.counts.Reason
		}
	}
	cutoff := brief.UTC(w.plan.Window.Cutoff)
	text := "the window's cutoff was at " + cutoff
	if open, _ := w.plan.Window.Open(workflow.Now(ctx)); open {
		text = "too little of the window is left before its cutoff at " + cutoff
	}
	if w.plan.Window.Cut != "" {
		text += ", for " + w.plan.Window.Cut
	}
	return text
}

// enterParked shows a parked wave: what is left, which window comes, and whose word it waits for.
func (w *wave) enterParked(ctx workflow.Context) {
	next := w.parking.wait.Next
	w.status.NextWindow = next
	if w.parking.soak != nil {
		w.enter(ctx, patch.StateSoaking, w.soakText(ctx))
		return
	}
	opens, cutoff := brief.UTC(next.Opens), brief.UTC(next.Cutoff)
	text := w.parking.why + ". No lock is held, and nothing is suspended or out of service. "
	switch standing := w.parking.standing(); {
	case standing != nil:
		acts := ": acts when the window opens at " + brief.UTC(standing.Acts)
		if w.parking.wait.Tries > 0 {
			acts = " " + w.parking.wait.Tells(workflow.Now(ctx))
		}
		text += fmt.Sprintf("%s at %s%s. Send roll back or abort for something else.",
			standing.Verb.By(*standing), brief.UTC(standing.At), acts)
	case w.plan.Window == next:
		text += fmt.Sprintf("The window is open until its cutoff at %s, at which the wave ends. "+
			"Send resume, roll back or abort.", cutoff)
	default:
		goesOn, ends := "The next window opens at "+opens+". Send resume to go on in it", "that window's cutoff, "
		if open, _ := w.plan.Window.Open(workflow.Now(ctx)); open && w.parking.extended {
			goesOn = "Its window was extended, and is open until its cutoff at " + brief.UTC(w.plan.Window.Cutoff) +
				". Send resume to go on at once"
			ends = "the next window's cutoff, "
		}
		text += goesOn + ", roll back or abort; if nobody does, the wave ends at " + ends + cutoff + "."
	}
	w.enter(ctx, patch.StateParked, text)
}

// tellParked tells people once for each reason for which the wave is parked.
func (w *wave) tellParked(ctx workflow.Context) {
	if w.parking.soak != nil {
		w.tell(ctx, patch.NoticeSoaking)
		return
	}
	w.tell(ctx, patch.NoticeParked, func(n *patch.Notice) {
		if w.parking.standing() == nil {
			n.Until, n.Otherwise = &w.parking.wait.Next.Cutoff, patch.Abort
		}
		n.Stranded = w.status.Stranded
	})
}
