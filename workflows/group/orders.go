package group

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Order is what a wave tells a group.
type Order struct {
	Kind       OrderKind
	Runbook    activities.Runbook // with go
	BaselineID string             // with go
	// Results come with a roll_back of a wave that has closed: what it did to this group. Those Patched are put back, the
	// others stand as they are.
	Results []patch.InstanceResult
	// Earlier comes with a roll_back of a wave that was parked: what was patched before then, an earlier window patched.
	Earlier time.Time
	Window  *patch.Window // as extended; nil: the policy's
	Why     string        // with pause, and with Paused
	Paused  bool          // with retry and skip: a person's pause lasts, and nothing is begun until it is lifted
	Unasked bool          // with go, retry, skip and resume: see instance.Common
	// Pinned comes with go, retry, skip and resume, of which each may be the first that a later workflow of the group
	// hears: what its instances are bound to; nil: nothing.
	Pinned *patch.Pinned
	Root   *patch.RootImage // with the same: what replaces its root volumes; nil: nothing
	// Image comes with a roll_back of a wave that has closed: what became of the group's image in it.
	Image *patch.ImageRenewal
	Step  int // with go: as far as which of the stage's steps, from 0; see way.step
}

// OrderKind names an order.
type OrderKind string

// The orders a group takes.
const (
	OrderGo       OrderKind = "go"        // patch
	OrderRetry    OrderKind = "retry"     // try the failed instances again, then go on
	OrderSkip     OrderKind = "skip"      // leave the failed instances as they are, and go on
	OrderRollBack OrderKind = "roll_back" // put back every instance that was patched
	OrderStop     OrderKind = "stop"      // start no further instance; a running one is cancelled
	OrderPause    OrderKind = "pause"     // start no further instance until resume; room is given back meanwhile
	OrderResume   OrderKind = "resume"
	OrderWindow   OrderKind = "window"  // the window was extended
	OrderGiveUp   OrderKind = "give_up" // stop trying to put back what cannot be, and report it
	OrderRelease  OrderKind = "release" // close, and free the lock
	OrderPark     OrderKind = "park"    // the same, with what a later workflow of the group goes on with
)

// listen takes the wave's orders as they come: stop, pause and resume act at once, the others wait their turn.
func (g *group) listen(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	g.channel = workflow.GetSignalChannel(clean, names.SignalGroupOrder)
	workflow.Go(clean, func(c workflow.Context) {
		for {
			var order Order
			g.channel.Receive(c, &order)
			if order.Window != nil {
				g.in.Policy.Window = order.Window
			}
			switch order.Kind {
			case OrderStop:
				g.stopped = true
				if g.halt != nil {
					g.halt()
				}
				g.orders = append(g.orders, order.Kind)
			case OrderGiveUp:
				g.telling = true
				g.passOn(c)
				g.telling = false
			case OrderWindow:
			case OrderPause:
				g.paused, g.whyPaused = true, order.Why
			case OrderGo, OrderRetry, OrderSkip, OrderResume:
				g.paused, g.whyPaused, g.unasked = order.Paused, order.Why, order.Unasked
				if order.Kind == OrderGo {
					g.runbook, g.base, g.way.step = order.Runbook, order.BaselineID, order.Step
				}
				g.in.Policy.Pinned, g.in.Policy.Root = order.Pinned, order.Root
				g.orders = append(g.orders, order.Kind)
			case OrderRollBack:
				if order.Results != nil {
					g.status.Instances = order.Results
				}
				g.earlier = order.Earlier
				if order.Image != nil {
					g.status.Image = order.Image
				}
				g.orders = append(g.orders, order.Kind)
			default:
				g.orders = append(g.orders, order.Kind)
			}
		}
	})
}

// passOn tells whoever is putting something back to give up: the instance under way, or else this group itself.
func (g *group) passOn(ctx workflow.Context) {
	for _, id := range slices.Clone(g.status.Current) {
		// An instance that has just ended needs to be told nothing.
		_ = workflow.SignalExternalWorkflow(ctx, id, "", names.SignalGiveUp, nil).Get(ctx, nil)
	}
	if g.renewing {
		_ = workflow.SignalExternalWorkflow(ctx, names.ImageLock(g.in.Group), "", names.SignalGiveUp, nil).Get(ctx, nil)
	}
	if len(g.status.Current) == 0 && g.stopTrying != nil {
		g.stopTrying()
	}
}
