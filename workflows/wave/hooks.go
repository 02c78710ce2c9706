package wave

import (
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// hooksBefore runs the hooks of before_wave: the locks are held, and nothing is changed yet. One that fails, and does
// not say continue, ends the wave; what those before it did is undone then, and so is what it may have done itself.
func (w *wave) hooksBefore(ctx workflow.Context) (goesOn bool) {
	var begun []patch.Hook
	for _, hook := range w.plan.Hooks[patch.BeforeWave] {
		begun = append(begun, hook)
		ran := w.callHook(ctx, hook.Call, w.aboutHook(ctx, patch.BeforeWave, hook.Name, false))
		aborted := ctx.Err() != nil || w.inbox.decision != nil
		if !aborted && (!ran.Failed() || hook.OnFailure == patch.HookContinues) {
			continue
		}
		w.reason = ran.Called() + ": " + ran.Why + "; nothing was changed"
		if aborted {
			w.reason = "aborted before anything was changed: " + w.whoAborted(ctx)
		}
		clean, _ := workflow.NewDisconnectedContext(ctx)
		for _, undone := range slices.Backward(begun) {
			if undone.Undo == nil {
				continue
			}
			undo := w.callHook(clean, *undone.Undo, w.aboutHook(ctx, patch.BeforeWave, undone.Name, true))
			if undo.Failed() {
				w.reason += "; " + undo.Called() + " failed: " + undo.Why
			}
		}
		return false
	}
	w.hooked = true
	return true
}

// hooksAfter runs the hooks of after_wave as a wave ends that has begun. Whatever they say, it ends so; that one failed
// is told. A wave that ends while it is parked has no locks, and without them nothing of it runs.
func (w *wave) hooksAfter(ctx workflow.Context, outcome patch.Outcome) {
	if !w.hooked {
		return
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	for _, hook := range w.plan.Hooks[patch.AfterWave] {
		about := w.aboutHook(ctx, patch.AfterWave, hook.Name, false)
		about.Outcome = outcome
		var ran patch.HookRun
		if w.roster.locked() {
			ran = w.callHook(clean, hook.Call, about)
		} else {
			ran = patch.HookRun{
				Point: about.Point, Name: hook.Name, Kind: hook.Call.Kind(), Result: patch.HookNotRun,
				Why: "the wave ended while it was parked, without its locks",
			}
			w.status.Hooks = append(w.status.Hooks, ran)
		}
		if ran.Failed() {
			w.reason = strings.TrimPrefix(w.reason+"; "+ran.Called()+" did not end well: "+ran.Why, "; ")
		}
	}
}

// locked reports whether the lock of any group is held.
func (r *roster) locked() bool {
	return slices.ContainsFunc(r.groups, func(held *lockedGroup) bool {
		return held.child != nil && !held.child.IsReady()
	})
}

// hooksHold reports whether an instance of the group failed by a hook after which a person decides.
func (h *lockedGroup) hooksHold() bool {
	return slices.ContainsFunc(h.counts.Failed, func(failed patch.InstanceResult) bool {
		return failed.Holds && !failed.PassedOver
	})
}

// aboutHook is what a hook of the wave is told.
func (w *wave) aboutHook(ctx workflow.Context, point patch.HookPoint, name string, undo bool) patch.HookAbout {
	step := "hook/" + string(point) + "/" + name
	if undo {
		step += "/undo"
	}
	return patch.HookAbout{
		Version: 1, Token: run.Attempt(w.status.WaveID, "", step+"/"+run.First(ctx), 0).Token, Point: point, Hook: name,
		Undo: undo, Wave: w.status.WaveID, Plan: w.plan.Name,
	}
}

// callHook runs one call and keeps how it ended. What it has started has ended by then, or that is told.
func (w *wave) callHook(ctx workflow.Context, call patch.HookCall, about patch.HookAbout) patch.HookRun {
	in := activities.HookInput{
		Instance: activities.Instance{Group: w.roster.groups[0].group}, Platform: w.plan.Platform, Call: call, About: about,
		Attempt: activities.Attempt{WaveID: about.Wave, Token: about.Token}, Pace: run.Pace(w.plan.Timing),
	}
	if call.Place != nil {
		in.Instance.Group = call.Place.Nowhere()
	}
	began := workflow.Now(ctx)
	ran := patch.HookRun{Point: about.Point, Name: about.Hook, Kind: call.Kind(), Undo: about.Undo, Began: began}
	hooked := run.Hook(ctx, in, w.plan.Timing)
	ran.Result, ran.Why, ran.Output = hooked.Result, hooked.End.Failed, hooked.End.Output
	if hooked.Doubt != "" {
		ran.Why += "; it may run still: " + hooked.Doubt
	}
	ran.Took = patch.Duration(workflow.Now(ctx).Sub(began).Round(time.Millisecond))
	w.status.Hooks = append(w.status.Hooks, ran)
	w.show(ctx)
	return ran
}
