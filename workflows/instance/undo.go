package instance

import (
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
)

// undoStack holds the steps that may have had an effect. A step goes on it before it is done, for its effect may land
// even when it reports a failure.
type undoStack []step

func (u *undoStack) push(s step) {
	if s.undo != nil {
		*u = append(*u, s)
	}
}

// unwind undoes last in, first out. A failed undo is told to failed and does not keep the others from running.
func (u *undoStack) unwind(ctx workflow.Context, before func(patch.Step), failed func(patch.Step, error)) {
	for len(*u) > 0 {
		last := (*u)[len(*u)-1]
		*u = (*u)[:len(*u)-1]
		before(last.name)
		if err := last.undo(ctx); err != nil {
			failed(last.name, err)
		}
	}
}

// undoing returns a context for undoing: it survives the workflow's cancel, and ends when an undo fails and a person
// gives it up. Undo acts retry until then, and people are told of one that does not end.
func (s *saga) undoing(ctx workflow.Context) (workflow.Context, workflow.CancelFunc) {
	return s.watchUndos().BeginHeeding(ctx)
}

// watchUndos is the watch beside the undos, and beside the steps of a roll back.
func (s *saga) watchUndos() *undo.Watch {
	if s.watch == nil {
		s.watch = &undo.Watch{About: s.aboutUndo, Notice: func() patch.Notice {
			told := patch.Notice{WaveID: s.in.WaveID, Plan: s.in.Policy.Plan, Stage: s.in.Policy.Stage}
			if s.in.Tells { // a wave that takes verbs
				told.Verbs = []patch.Verb{patch.Abort}
			}
			return told
		}, Changed: func(ctx workflow.Context) {
			s.status.Failing = s.watch.Failing
			workflow.SetCurrentDetails(ctx, s.details())
			s.tell(ctx)
		}}
	}
	return s.watch
}

func (s *saga) aboutUndo() patch.FailingUndo {
	return patch.FailingUndo{Group: s.in.Group.String(), Instance: s.in.Instance, Step: s.status.Step}
}

// unsure tells that the step failed in an act on what lags, which may have had its effect; a wait that ran out or was
// cancelled, and something that is gone, leave no doubt.
func unsure(failed patch.Step, cause error) bool {
	acts := []patch.Step{
		patch.StepMark, patch.StepSuspend, patch.StepStandby, patch.StepReturn, patch.StepRelease,
		patch.StepStart,
	}
	return slices.Contains(acts, failed) && !temporal.IsCanceledError(cause) &&
		!run.IsType(cause, activities.ErrNotReady, activities.ErrGone, activities.ErrGroupNotFound)
}
