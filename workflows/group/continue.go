package group

import (
	"maps"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/room"
)

// continueAfter bounds what one run of a group hands to the next. Most runs end sooner, after some fifty instances: an
// instance that tells each of its steps costs its group 78 events, as measured on a server, and at 4,096 Temporal
// suggests to begin anew.
const continueAfter = 100

// takeResumed tells, once, that the group has been read, marked and given room by an earlier run.
func (g *group) takeResumed() bool {
	resumed := g.resumed
	g.resumed = false
	return resumed
}

// isLong reports whether enough have ended in this run that the rest is for the next.
func (g *group) isLong(ctx workflow.Context) bool {
	limit := g.in.ContinueAfter
	if limit <= 0 {
		limit = continueAfter
	}
	return g.ended >= limit || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

// mayContinueAsNew decides between two instances whether the rest is for the next run: enough have ended in this one,
// and nobody wants the group to stop. No child is pending here. Every order delivered is read first, since unread ones
// would be lost; one that comes later makes Temporal repeat this very decision.
func (g *group) mayContinueAsNew(ctx workflow.Context) bool {
	if !g.isLong(ctx) || g.stopped || ctx.Err() != nil {
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
	in.Members, in.LeftOut = nil, nil // they are in the status
	in.Carried = g.carry(doing)
	in.Carried.Status.Instances = patch.FitResults(in.Carried.Status.Instances)
	in.Carried.Orders, in.Carried.Paused = g.orders, g.paused
	if g.room != nil {
		in.Carried.Room = &CarriedRoom{
			Strategy: g.room.Strategy, Before: g.room.Before.Numbers(), Raised: g.room.Raised, Surge: g.room.Surge,
			Kept: g.room.Kept,
		}
	}
	return workflow.NewContinueAsNewError(ctx, PatchGroup, in)
}

// Carried is a group's state on its way from one run of its workflow to the next. The lock, which is the workflow's id,
// and everything in AWS stay as they are meanwhile.
type Carried struct {
	Doing      OrderKind // what goes on: go or roll_back; "": nothing until it is ordered, since the wave was parked
	Status     patch.GroupStatus
	Runbook    activities.Runbook
	BaselineID string
	Try        map[string]int
	Left       map[string]bool // see group.left
	Targets    []string        // see group.targets
	Suspended  []string        // see group.suspended
	Orders     []OrderKind     // not yet obeyed
	Paused     bool
	Unasked    bool // see instance.Common
	Timed      int  // see paceSoFar
	Took       patch.Duration
	Room       *CarriedRoom // nil: none was made
	Closed     *Closing     // see group.closed
	Earlier    time.Time    // see GroupOrder.Earlier
	Rounds     int          // see progress.rounds
	Step       int          // see way.step
	Zones      patch.ZoneWay
	ImageTries int // see group.imageTries
	ImageBack  bool
}

// Closing is why no instance may begin for the time being: a window or a calendar has closed. It is no failure.
type Closing struct {
	Why  string
	Code patch.RefusalCode // "": of one that was cancelled alone
}

// CarriedRoom is the room of a group that surges.
type CarriedRoom struct {
	Strategy patch.Strategy
	Before   patch.GroupState
	Raised   bool
	Surge    []string
	Kept     int
}

// takeOver goes on where an earlier run stopped, and returns what it was doing; "" when this run is the first.
func (g *group) takeOver(c *Carried) OrderKind {
	if c == nil {
		return ""
	}
	g.status, g.runbook, g.base = c.Status, c.Runbook, c.BaselineID
	g.timed, g.took, g.unasked = c.Timed, c.Took, c.Unasked
	maps.Copy(g.try, c.Try)
	maps.Copy(g.left, c.Left)
	g.orders, g.paused, g.resumed = c.Orders, c.Paused, c.Doing != ""
	g.closed, g.earlier, g.rounds, g.targets = c.Closed, c.Earlier, c.Rounds, c.Targets
	g.suspended, g.imageTries, g.imageBack = c.Suspended, c.ImageTries, c.ImageBack
	g.way = way{step: c.Step, zones: c.Zones}
	if c.Room != nil {
		g.room = room.New(g.in.Group, g.in.Policy, g.in.WaveID, c.Room.Strategy)
		g.room.Before, g.room.Raised, g.room.Surge, g.room.Kept = c.Room.Before, c.Room.Raised, c.Room.Surge,
			c.Room.Kept
	}
	return c.Doing
}

// carry is the state as another run of this group's workflow needs it.
func (g *group) carry(doing OrderKind) *Carried {
	return &Carried{
		Doing: doing, Status: g.status, Runbook: g.runbook, BaselineID: g.base, Try: g.try, Left: g.left, Timed: g.timed,
		Took: g.took, Unasked: g.unasked,
		Closed: g.closed, Earlier: g.earlier, Rounds: g.rounds, Targets: g.targets,
		Suspended: g.suspended, Step: g.way.step, Zones: g.way.zones,
		ImageTries: g.imageTries, ImageBack: g.imageBack,
	}
}
