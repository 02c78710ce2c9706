package wave

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// awaitPlan waits until the plan that this one comes after is done. It holds no lock meanwhile, and nothing is changed;
// where it is waited for in vain, or a person aborts, the wave ends.
func (w *wave) awaitPlan(ctx workflow.Context) (goesOn bool) {
	after := w.plan.AfterPlan
	if after == nil {
		return true
	}
	until, ends := workflow.Now(ctx).Add(after.Timeout.D()), "the time-out of after_plan"
	if window := w.plan.Window; window != nil && window.Cutoff.Before(until) {
		until, ends = window.Cutoff, "the window's cutoff"
	}
	said, done := "", false
	for {
		why := w.lookAtPlan(ctx, *after)
		now := workflow.Now(ctx)
		switch {
		case ctx.Err() != nil || w.inbox.decision != nil:
			w.reason = "aborted: " + w.whoAborted(ctx)
			return false
		case why == "" && done:
			return true
		case why != "" && !now.Before(until):
			w.reason = fmt.Sprintf("not begun: %s; it was waited for until %s, %s", why, brief.UTC(until), ends)
			return false
		}
		if why != "" && why != said {
			w.enter(ctx, patch.StatePreflight, fmt.Sprintf("%s. It is waited for until %s, %s.", why, brief.UTC(until), ends))
			if said == "" {
				w.tell(ctx, patch.NoticeAwaitingPlan)
			}
			said = why
		}
		next := after.Every
		if done = why == ""; done {
			next = after.Confirm()
		} else if left := patch.Duration(until.Sub(now)); left < next {
			next = left
		}
		// A cancel, and what a person says, are seen above.
		_, _ = run.Await(ctx, next.D(), "to look again whether the plan "+after.Plan+" is done", func() bool {
			return w.inbox.decision != nil
		})
	}
}

// lookAtPlan is why the other plan is not done; "" where it is. That nobody can tell is a reason to wait.
func (w *wave) lookAtPlan(ctx workflow.Context, after patch.AfterPlan) string {
	var seen patch.PlanWaves
	now := workflow.Now(ctx)
	if err := workflow.ExecuteActivity(run.Looking(ctx, "whether the plan "+after.Plan+" is done"),
		control.ReadPlanWaves, activities.ReadPlanWavesInput{
			Plan: after.Plan, Since: now.Add(-after.MaxAge.D()),
		}).Get(ctx, &seen); err != nil {
		return "Temporal does not tell how the plan " + after.Plan + " stands: " + run.Reason(err)
	}
	return after.Wait(seen, now)
}
