package group

import (
	"maps"
	"time"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/room"
)

// Carried is a group's state on its way from one run of its workflow to the next. The lock, which is the workflow's id, and
// everything in AWS stay as they are meanwhile.
type Carried struct {
	Doing      OrderKind // what goes on: go or roll_back; "": nothing until it is ordered, since the wave was parked
	Status     patch.GroupStatus
	Runbook    activities.Runbook
	BaselineID string
	Try        map[string]int
	Left       map[string]bool // see group.left
	Orders     []OrderKind     // not yet obeyed
	Paused     bool
	Timed      int // see paceSoFar
	Took       patch.Duration
	Room       *CarriedRoom // nil: none was made
	Closed     string       // see group.closed
	Refused    patch.RefusalCode
	Earlier    time.Time // see GroupOrder.Earlier
}

// CarriedRoom is the room of a group that surges.
type CarriedRoom struct {
	Strategy patch.Strategy
	Before   patch.GroupState
	Raised   bool
	Surge    string
	Dropped  bool
}

// takeOver goes on where an earlier run stopped, and returns what it was doing; "" when this run is the first.
func (g *group) takeOver(c *Carried) OrderKind {
	if c == nil {
		return ""
	}
	g.status, g.runbook, g.base = c.Status, c.Runbook, c.BaselineID
	g.timed, g.took = c.Timed, c.Took
	maps.Copy(g.try, c.Try)
	maps.Copy(g.left, c.Left)
	g.orders, g.paused, g.resumed = c.Orders, c.Paused, c.Doing != ""
	g.closed, g.refused, g.earlier = c.Closed, c.Refused, c.Earlier
	if c.Room != nil {
		g.room = room.New(g.in.Group, g.in.Policy, g.in.WaveID, c.Room.Strategy)
		g.room.Before, g.room.Raised, g.room.Surge, g.room.Dropped = c.Room.Before, c.Room.Raised, c.Room.Surge, c.Room.Dropped
	}
	return c.Doing
}

// carry is the state as another run of this group's workflow needs it.
func (g *group) carry(doing OrderKind) *Carried {
	return &Carried{
		Doing: doing, Status: g.status, Runbook: g.runbook, BaselineID: g.base, Try: g.try, Left: g.left, Timed: g.timed, Took: g.took,
		Closed: g.closed, Refused: g.refused, Earlier: g.earlier,
	}
}
