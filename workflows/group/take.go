package group

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// batch is what keeps further instances from being begun.
type batch struct {
	failed string // which have failed, and why
	frozen string
	soaks  soak
}

// take takes the instances in order, as many at once as there is room for, until one fails, all are done, the window
// closes, or somebody stops or pauses the group. Those under way then come to their end.
func (g *group) take(ctx workflow.Context) {
	g.batch = batch{}
	together, halt := workflow.WithCancel(ctx)
	g.halt = halt
	defer func() { g.halt = nil }()
	for {
		next := g.next()
		free := len(g.status.Now) < max(g.status.Strategy.AtOnce, 1)
		switch idle := len(g.status.Now) == 0; {
		case next != "" && free && g.goesOn(ctx) && (idle || !g.isLong(ctx)):
			if idle && g.mayContinueAsNew(ctx) {
				return
			}
			if g.batch.soaks = g.soaks(ctx, next); !g.goesOn(ctx) {
				continue
			}
			// An order that came while it was asked counts as much as one that came before.
			if g.batch.frozen = g.frozen(ctx); g.goesOn(ctx) {
				g.takeOne(together, next)
			}
		case idle:
			return
		default:
			ended, paused := g.ended, g.paused
			clean, _ := workflow.NewDisconnectedContext(ctx)
			_ = workflow.Await(clean, func() bool { return g.ended > ended || paused && !g.paused })
		}
	}
}

// goesOn reports whether a further instance may be begun.
func (g *group) goesOn(ctx workflow.Context) bool {
	return g.batch == batch{} && g.closed == nil && !g.paused && !g.stopped && ctx.Err() == nil
}

// takeOne begins one instance, and takes its result when it has ended.
func (g *group) takeOne(ctx workflow.Context, id string) {
	g.entersWay(ctx, id)
	window, began := g.in.Policy.Window, workflow.Now(ctx)
	workflow.Go(ctx, func(ctx workflow.Context) {
		g.ends(ctx, g.patchInstance(ctx, id), window, began)
	})
}

// ends takes the result of an instance that was begun within a window.
func (g *group) ends(ctx workflow.Context, result patch.InstanceResult, window *patch.Window, began time.Time) {
	stays := result.LeftAs(g.status.Stranded)
	if stays.Outcome == patch.NotStarted { // nor is this a try that betters the last one
		stays.LastTry = g.status.Instances[indexOf(g.status.Instances, result.ID)].LastTry
	}
	g.status.Stranded = append(patch.WithoutNode(g.status.Stranded, result.ID), stays.Stranded...)
	if result.Outcome == patch.NotStarted && !g.stopped && ctx.Err() == nil {
		g.try[result.ID]++ // what it was asked by then is not what it is when the group goes on
		switch {
		case g.turns.denied[result.ID] && result.Started.IsZero():
			delete(g.turns.denied, result.ID)
		case window != nil && g.in.Policy.Window.Closes.After(window.Closes):
			// It judged by the window as it was before somebody extended it.
		default:
			g.status.Instances[indexOf(g.status.Instances, result.ID)] = stays
			g.closed = &Closing{Why: result.Reason, Code: result.Refused}
		}
		return
	}
	result = stays
	g.status.Instances[indexOf(g.status.Instances, result.ID)] = result
	g.learn(result, workflow.Now(ctx).Sub(began))
	g.changed(ctx, result)
	if g.isFailure(result) {
		if g.batch.failed != "" {
			g.batch.failed += "; "
		}
		g.batch.failed += fmt.Sprintf("%s %s: %s", result.Called(), result.Outcome.Words(), result.Reason)
		if len(g.status.Now) > 0 { // the others may take an hour yet, in which no other group need begin
			g.report(ctx)
		}
		return
	}
	if g.ended%max(g.in.Every, 1) == 0 {
		g.report(ctx)
	}
	workflow.SetCurrentDetails(ctx, g.details(ctx))
}
