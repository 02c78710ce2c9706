package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
)

// undoing returns a context for what the group itself puts back: its room and its mark. It survives the workflow's
// cancel, and ends when an act in it fails and a person gives it up; people are told of one that does not end.
func (g *group) undoing(ctx workflow.Context) (workflow.Context, workflow.CancelFunc) {
	if g.watch == nil {
		g.watch = &undo.Watch{About: func() patch.FailingUndo {
			return patch.FailingUndo{Group: g.in.Group.String(), Step: patch.StepRoom}
		}, Notice: func() patch.Notice {
			told := patch.Notice{WaveID: g.in.WaveID, Plan: g.in.Policy.Plan, Stage: g.in.Policy.Stage}
			if !g.waited { // a wave that takes verbs
				told.Verbs = []patch.Verb{patch.Abort}
			}
			return told
		}, Changed: g.fails}
	}
	undoing, stop := g.watch.Begin(ctx)
	g.stopTrying = g.watch.GiveUp
	return undoing, func() { g.stopTrying = nil; stop() }
}

// fails shows, and tells the wave, which undos of the group's and of its instances do not end.
func (g *group) fails(ctx workflow.Context) {
	g.status.Failing = nil
	if g.watch != nil && g.watch.Failing != nil {
		g.status.Failing = append(g.status.Failing, *g.watch.Failing)
	}
	for _, now := range g.status.Now {
		if now.Failing != nil {
			g.status.Failing = append(g.status.Failing, *now.Failing)
		}
	}
	g.report(ctx)
}

// undone acts to put something of the group back.
func (g *group) undone(ctx workflow.Context, activity, input any) error {
	return g.undoneGet(ctx, activity, input, nil)
}

// undoneGet is undone of what gives an answer.
func (g *group) undoneGet(ctx workflow.Context, activity, input, output any) error {
	return undo.Act(run.Undoing(ctx, g.in.Group, g.in.Policy.Timing), activity, input, output)
}
