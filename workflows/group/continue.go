package group

import (
	"go.temporal.io/sdk/workflow"
)

// continueAfter keeps a group's history well under the 4,096 events at which Temporal suggests to begin anew: an instance
// costs its group about ten events, a report three.
const continueAfter = 100

// takeResumed tells, once, that the group has been read, marked and given room by an earlier run.
func (g *group) takeResumed() bool {
	resumed := g.resumed
	g.resumed = false
	return resumed
}

// mayContinueAsNew decides between two instances whether the rest is for the next run: enough have ended in this one, and
// nobody wants the group to stop. No child is pending here. Every order delivered is read first, since unread ones would be
// lost; one that comes later makes Temporal repeat this very decision.
func (g *group) mayContinueAsNew(ctx workflow.Context) bool {
	limit := g.in.ContinueAfter
	if limit <= 0 {
		limit = continueAfter
	}
	if g.ended < limit && !workflow.GetInfo(ctx).GetContinueAsNewSuggested() || g.stopped || ctx.Err() != nil {
		return false
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	read := false
	// It is scheduled behind the listener, which runs until its channel is empty.
	workflow.Go(clean, func(workflow.Context) { read = true })
	if err := workflow.Await(clean, func() bool {
		return read && g.channel.Len() == 0 && !g.telling && workflow.AllHandlersFinished(clean)
	}); err != nil {
		return false
	}
	g.goOn = !g.stopped && ctx.Err() == nil
	return g.goOn
}

// continueAsNew hands the state to the next run of this workflow.
func (g *group) continueAsNew(ctx workflow.Context, order OrderKind) error {
	doing := OrderGo // retry and skip have changed the results already: what is left of them is to go on
	if order == OrderRollBack {
		doing = OrderRollBack
	}
	in := g.in
	in.Members = nil // they are in the status
	in.Carried = g.carry(doing)
	in.Carried.Orders, in.Carried.Paused = g.orders, g.paused
	if g.room != nil {
		in.Carried.Room = &CarriedRoom{Strategy: g.room.Strategy, Before: g.room.Before, Raised: g.room.Raised, Surge: g.room.Surge, Dropped: g.room.Dropped}
	}
	return workflow.NewContinueAsNewError(ctx, PatchGroup, in)
}
