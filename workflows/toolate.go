package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// askedBefore is what an older release, which had two judges of a window, asked in a place: the estimates before the cutoff,
// or an estimate of `timing.instance` before the end.
type askedBefore struct{ cutoff, end bool }

// oneBudget tells a run that judges by one budget what is left of a window, a calendar and an instance's lifetime.
func oneBudget(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "one-budget", workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// budget is what one instance may need.
func (p Policy) budget(ctx workflow.Context, groups []patch.TargetGroup) patch.Budget {
	if p.Estimates != nil && oneBudget(ctx) {
		return patch.BudgetOf(p.Estimates.Baking(p.Timing, p.Bake), p.Restore, p.Backup, groups)
	}
	return patch.Budget{Estimates: patch.Estimates{Patch: patch.Estimate(p.Timing, p.Bake, groups)}}
}

// tooLate refuses to begin one more instance: the window is closed, or what is left of it may not be enough to patch one and,
// if that fails at the very end, to put it back.
func (p Policy) tooLate(ctx workflow.Context, where string, groups []patch.TargetGroup, before askedBefore) *patch.Refusal {
	now := workflow.Now(ctx)
	if oneBudget(ctx) {
		return patch.TooLate(p.Window, where, now, p.budget(ctx, groups))
	}
	if before.cutoff && p.Estimates != nil {
		budget := patch.BudgetOf(*p.Estimates, p.Restore, p.Backup, groups)
		if refusal := patch.TooLate(p.Window, where, now, budget); refusal != nil {
			return refusal
		}
	}
	if !before.end || p.Window == nil {
		return nil
	}
	if refusal := patch.TooLate(p.Window, where, now, patch.Budget{}); refusal != nil {
		return refusal
	}
	whole := patch.Window{Opens: p.Window.Opens, Cutoff: p.Window.Closes, Closes: p.Window.Closes}
	return patch.TooLate(&whole, where, now, p.budget(ctx, groups))
}
