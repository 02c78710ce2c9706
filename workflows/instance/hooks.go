package instance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// hooks is the step of a point: each hook in order, and on the way back each undo in reverse.
func (s *saga) hooks(point patch.HookPoint) step {
	return step{point.Step(), s.runHooks(point), s.undoHooks(point)}
}

// withHooks leaves the steps of points out that have no hooks.
func (s *saga) withHooks(table []step) []step {
	return slices.DeleteFunc(table, func(each step) bool {
		return slices.ContainsFunc(patch.HookPoints(), func(point patch.HookPoint) bool {
			return each.name == point.Step() && len(s.in.Policy.Hooks.At(point, s.putBack != nil)) == 0
		})
	})
}

// runHooks runs those of a point. Its error is of one that says that the instance is put back.
func (s *saga) runHooks(point patch.HookPoint) func(workflow.Context) error {
	return func(ctx workflow.Context) error {
		if point == patch.BeforeOut {
			s.hooking.beforeOut = true
		}
		if len(s.patching.tries) > 0 || s.putBack != nil {
			ctx, _ = workflow.NewDisconnectedContext(ctx) // from here on a cancel leads forward
		}
		for _, hook := range s.in.Policy.Hooks.At(point, s.putBack != nil) {
			if err := s.runHook(ctx, point, hook); err != nil {
				return err
			}
		}
		return nil
	}
}

// runHook writes into the journal that the hook is about to be run, runs it, and says what its failure leads to. What
// is out of service to be put back is put back whatever its hooks do.
func (s *saga) runHook(ctx workflow.Context, point patch.HookPoint, hook patch.Hook) error {
	name := fmt.Sprintf("hook/%s/%s", point, hook.Name)
	// Tokens of this run of the saga: after a reset, or with an older copy of the database, those of a run that was
	// undone since would be found, and nothing be done. Who undoes has them from the journal.
	begun := journal.Hook{
		Point: point, Name: hook.Name, Token: run.Anew(ctx, s.attempt(name)).Token,
		UndoToken: run.Anew(ctx, s.attempt(name+"/undo")).Token,
	}
	s.record.Hooks = append(s.record.Hooks, begun)
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if err := run.WriteRecord(run.WhileOut(clean), &s.record); err != nil && s.putBack == nil {
		return err
	}
	ran, err := s.callHook(ctx, hook.Call, s.about(begun, begun.Token))
	switch {
	case err != nil: // cancelled
		return err
	case !ran.Failed():
		return nil
	case hook.OnFailure == patch.HookContinues, s.putBack != nil && point != patch.BeforeOut:
		s.note("%s did not end well, and the saga went on: %s", ran.Called(), ran.Why)
		return nil
	}
	s.status.Result.Holds = hook.OnFailure == patch.HookHolds
	s.hooking.hookFailed = true
	return errors.New(hook.Name + ": " + ran.Why)
}

// undoHooks undoes what was begun of a point, last in, first out. That one fails is told, and keeps nothing from being
// put back. On what is gone nothing is run, and nothing that is to make one serve again on one that must not.
func (s *saga) undoHooks(point patch.HookPoint) func(workflow.Context) error {
	return func(ctx workflow.Context) error {
		for _, begun := range slices.Backward(s.record.Hooks) {
			if begun.Point != point {
				continue
			}
			hook := s.in.Policy.Hooks.Find(point, begun.Name)
			if hook == nil {
				continue
			}
			about := s.about(begun, begun.UndoToken)
			about.Undo = true
			why := s.mayNotUndo()
			if hook.Undo == nil {
				if why == "" {
					s.stopBegun(ctx, begun, hook.Call)
				}
				continue
			}
			if why != "" {
				s.keepRun(patch.HookRun{
					Point: point, Name: begun.Name, Kind: hook.Undo.Kind(), Undo: true, Result: patch.HookNotRun, Why: why,
				})
				s.tellUndo(point, begun.Name, "was not run: "+why)
				continue
			}
			if s.stopBegun(ctx, begun, hook.Call) {
				continue
			}
			ran, err := s.callHook(ctx, *hook.Undo, about)
			if err != nil {
				s.tellUndo(point, begun.Name, "was given up: "+run.Reason(err))
			} else if ran.Failed() {
				s.tellUndo(point, begun.Name, "failed: "+ran.Why)
			}
		}
		return nil
	}
}

// stopBegun sees a hook ended that may run still: it would do its work again behind its undo, or once the locks are let
// go. It reports whether it is proven that it never began.
func (s *saga) stopBegun(ctx workflow.Context, begun journal.Hook, call patch.HookCall) (never bool) {
	return !s.hooking.ended[begun.Token] && s.stopHook(ctx, call, s.about(begun, begun.Token))
}

// stopAllBegun does so for every hook of an instance that stays as it is.
func (s *saga) stopAllBegun(ctx workflow.Context) error {
	for _, begun := range slices.Backward(s.record.Hooks) {
		if hook := s.in.Policy.Hooks.Find(begun.Point, begun.Name); hook != nil {
			s.stopBegun(ctx, begun, hook.Call)
		}
	}
	return nil
}

// mayNotUndo is why no undo of a hook is run; "": it is.
func (s *saga) mayNotUndo() string {
	switch {
	case s.status.Result.Outcome == patch.Gone:
		return "the instance is gone"
	case s.unfitReason != "" && !s.serves:
		return "the instance must not serve"
	}
	return ""
}

// tellUndo says what of a hook nobody has undone, where people read why the instance was put back.
func (s *saga) tellUndo(point patch.HookPoint, name, what string) {
	said := fmt.Sprintf("the undo of the %s hook %s %s", point, name, what)
	s.note("%s; see by hand to what the hook did", said)
	s.status.Result.Reason = strings.TrimPrefix(s.status.Result.Reason+"; "+said, "; ")
}

// again runs those hooks of a point once more that also run where an instance is put back. That one fails is told.
func (s *saga) again(ctx workflow.Context, point patch.HookPoint) {
	if s.heals {
		return
	}
	for _, hook := range s.in.Policy.Hooks.At(point, true) {
		token := run.Anew(ctx, s.attempt(fmt.Sprintf("hook/%s/%s/again", point, hook.Name))).Token
		about := s.about(journal.Hook{Point: point, Name: hook.Name}, token)
		ran, err := s.callHook(ctx, hook.Call, about)
		if err != nil || ran.Failed() {
			s.note("%s did not end well while the instance was put back: %s", ran.Called(), ran.Why)
		}
	}
}

// about is what a call of a hook is told.
func (s *saga) about(begun journal.Hook, token string) patch.HookAbout {
	return patch.HookAbout{
		Version: 1, Token: token, Point: begun.Point, Hook: begun.Name, RollBack: s.putsBack(),
		Wave: s.in.WaveID, Plan: s.in.Policy.Plan, Stage: s.in.Policy.Stage, Group: s.in.Group.String(),
		Instance: s.in.Instance,
	}
}

// callHook runs one call and keeps how it ended. Its only error is a cancel; what it had started is stopped by then.
func (s *saga) callHook(ctx workflow.Context, call patch.HookCall, about patch.HookAbout) (patch.HookRun, error) {
	began := workflow.Now(ctx)
	ran := patch.HookRun{Point: about.Point, Name: about.Hook, Kind: call.Kind(), Undo: about.Undo, Began: began}
	hooked := run.Hook(ctx, s.hookInput(call, about), s.in.Policy.Timing)
	ran.Result, ran.Why, ran.Output = hooked.Result, hooked.End.Failed, hooked.End.Output
	ran.Took = patch.Duration(workflow.Now(ctx).Sub(began).Round(time.Millisecond))
	s.keepRun(ran)
	if s.hooking.ended == nil {
		s.hooking.ended = map[string]bool{}
	}
	s.hooking.ended[about.Token] = hooked.Doubt == ""
	if hooked.Doubt != "" {
		s.note("%s may run still: %s", ran.Called(), hooked.Doubt)
	}
	if hooked.Result == patch.HookStopped {
		return ran, temporal.NewCanceledError()
	}
	return ran, nil
}

func (s *saga) keepRun(ran patch.HookRun) { s.status.Result.Hooks = append(s.status.Result.Hooks, ran) }

// stopHook sees what a hook may have started ended, and tells where nobody can. It reports whether it is proven that
// nothing was started.
func (s *saga) stopHook(ctx workflow.Context, call patch.HookCall, about patch.HookAbout) (never bool) {
	if !call.Starts() {
		return false
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	stopped, err := run.StopHook(clean, s.hookInput(call, about), activities.HookStarted{}, s.in.Policy.Timing)
	if doubt := run.HookDoubt(stopped, err); doubt != "" {
		s.note("the %s hook %s may run still: %s", about.Point, about.Hook, doubt)
	}
	return err == nil && stopped.Never
}

func (s *saga) hookInput(call patch.HookCall, about patch.HookAbout) activities.HookInput {
	return activities.HookInput{
		Instance: s.instance(), Platform: s.in.Policy.Platform, Call: call, About: about,
		Attempt: s.recorded(about.Token), Since: s.before.At, Pace: s.pace(),
	}
}

// hookedOut reports whether a hook may have changed the machine while it was out of service.
func (s *saga) hookedOut() bool {
	return slices.ContainsFunc(s.record.Hooks, func(begun journal.Hook) bool { return begun.Point.Out() })
}

// hookTable is what ran of the plan's hooks, as Markdown; "" where nothing did.
func hookTable(runs []patch.HookRun) string {
	if len(runs) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteString("\n| hook | at | result | took | said |\n|---|---|---|---|---|\n")
	for _, ran := range runs {
		name, said := ran.Name, ran.Output
		if ran.Undo {
			name += " (undo)"
		}
		if ran.Failed() {
			said = strings.TrimPrefix(ran.Why+"; "+said, "; ")
		}
		run.Write(&text, "| %s (%s) | %s | %s | %s | %s |\n",
			name, ran.Kind, ran.Point, ran.Result, ran.Took, run.Cell(lastOf(said)))
	}
	return text.String()
}

// longestSaid is how much of what a hook said its row has.
const longestSaid = 300

func lastOf(said string) string {
	if over := len(said) - longestSaid; over > 0 {
		return "..." + strings.ToValidUTF8(said[over:], "")
	}
	return said
}
