package group

import (
	"cmp"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// turns lets one instance at a time change the group's numbers where several are under way: each decides by what the
// group is now whether it may go out.
type turns struct {
	holder  string // whose turn it is; "": nobody's
	asking  []instance.Turn
	out     map[string]bool     // those that may be out of service
	room    string              // who has launched one more of its own; "": nobody
	targets map[string][]string // of those that went out, or are about to: see patch.Holdings.From
	asked   int                 // how often one was asked for
	changed []moved             // who went out, or came back, and when last: one entry each
	numbers time.Time           // when the group's numbers were changed otherwise, as far as it is known, last
	denied  map[string]bool     // those that were told not to begin
}

// moved is an instance that went out, or came back.
type moved struct {
	id string
	at time.Time
}

// note keeps when it did so last.
func (t *turns) note(id string, at time.Time) {
	known := slices.IndexFunc(t.changed, func(other moved) bool { return other.id == id })
	if known < 0 {
		t.changed = append(t.changed, moved{id, at})
		return
	}
	t.changed[known].at = at
}

// keepTurns hears who wants a turn, and gives it.
func (g *group) keepTurns(ctx workflow.Context) {
	g.turns.targets, g.turns.out, g.turns.denied = map[string][]string{}, map[string]bool{}, map[string]bool{}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	asks := workflow.GetSignalChannelWithOptions(clean, names.SignalTurn, workflow.SignalChannelOptions{
		Description: "Who wants to go out or come back; for instances only",
	})
	workflow.Go(clean, func(c workflow.Context) {
		for {
			var turn instance.Turn
			asks.Receive(c, &turn)
			g.turns.asked++
			known := slices.IndexFunc(g.turns.asking, func(other instance.Turn) bool { return other.ID == turn.ID })
			switch {
			case !turn.Asks && nowOf(g.status.Now, turn.ID) != nil:
				if g.turns.out[turn.ID] != turn.Out {
					g.turns.note(turn.ID, workflow.Now(c))
				}
				g.turns.out[turn.ID] = turn.Out
				if turn.Numbers {
					g.turns.numbers = workflow.Now(c)
				}
				if turn.Room {
					g.turns.room = turn.ID
				}
				g.endTurn(turn.ID)
			case !turn.Asks: // its end has been taken already
				g.endTurn(turn.ID)
			case nowOf(g.status.Now, turn.ID) == nil: // as its group has it, it has ended: it was reset
				_ = workflow.SignalExternalWorkflow(c, names.InstanceLock(g.in.Group, turn.ID), "", names.SignalTakeTurn,
					instance.TakeTurn{N: turn.N, No: "not begun: its group has taken its end already"}).Get(c, nil)
			case known >= 0:
				g.turns.asking[known] = turn
			case g.turns.holder == turn.ID: // it has not heard the answer yet, or asks for more: it is its turn
				g.turns.holder = ""
				g.turns.asking = append(g.turns.asking, turn)
			default:
				g.turns.asking = append(g.turns.asking, turn)
			}
		}
	})
	workflow.Go(clean, func(c workflow.Context) {
		for {
			_ = workflow.Await(c, func() bool { return g.turns.holder == "" && len(g.turns.asking) > 0 })
			if wait := g.unseen(g.turns.asking[g.nextTurn()]).Sub(workflow.Now(c)); wait > 0 {
				asked := g.turns.asked
				_, _ = run.Await(c, wait, "until AWS's lists show who went out last", func() bool {
					return g.turns.asked > asked // who comes back may not have to wait
				})
				continue
			}
			g.giveTurn(c)
		}
	})
}

// nextTurn is whose turn is next: who comes back, else the first that asked to go out.
func (g *group) nextTurn() int {
	return max(slices.IndexFunc(g.turns.asking, func(turn instance.Turn) bool { return !turn.Out }), 0)
}

// unseen is until when AWS's lists may not show what a turn has to see. Whoever goes out is told who went out before,
// so that it need not see it, and whoever comes back need not see anything.
func (g *group) unseen(turn instance.Turn) time.Time {
	last := g.turns.numbers
	for _, other := range g.turns.changed {
		if turn.Numbers && other.at.After(last) {
			last = other.at
		}
	}
	if last.IsZero() {
		return last
	}
	return last.Add(g.in.Policy.Timing.ReadLag.D())
}

// lately are those that went out, or came back, so lately that AWS's lists may not show it.
func (g *group) lately(ctx workflow.Context, id string) (ids []string) {
	for _, other := range g.turns.changed {
		if other.id != id && workflow.Now(ctx).Sub(other.at) < g.in.Policy.Timing.ReadLag.D() {
			ids = append(ids, other.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// giveTurn gives the turn to whoever comes back, else to the first that asked to go out.
func (g *group) giveTurn(ctx workflow.Context) {
	if g.turns.holder != "" || len(g.turns.asking) == 0 {
		return
	}
	next := g.nextTurn()
	turn := g.turns.asking[next]
	g.turns.asking = slices.Delete(g.turns.asking, next, next+1)
	answer := instance.TakeTurn{N: turn.N}
	if turn.Out {
		answer.No = g.notNow(ctx)
	}
	if answer.No == "" {
		g.turns.holder = turn.ID
		answer.Ours, answer.Beside, answer.Room = g.holdings(ctx, turn.ID), g.othersOut(ctx, turn.ID), g.turns.room
		answer.Peers = g.peers(turn.ID)
		if turn.Out {
			g.turns.targets[turn.ID] = turn.Targets
		}
	}
	g.turns.denied[turn.ID] = answer.No != ""
	// One that has just ended needs no answer.
	if workflow.SignalExternalWorkflow(ctx, names.InstanceLock(g.in.Group, turn.ID), "", names.SignalTakeTurn,
		answer).Get(ctx, nil) != nil && g.turns.holder == turn.ID {
		g.turns.holder = ""
	}
}

// endTurn lets the next have its turn.
func (g *group) endTurn(id string) {
	g.turns.asking = slices.DeleteFunc(g.turns.asking, func(other instance.Turn) bool { return other.ID == id })
	if g.turns.holder == id {
		g.turns.holder = ""
	}
}

// notNow is why no further instance may go out; "" where one may.
func (g *group) notNow(ctx workflow.Context) string {
	switch {
	case g.batch.failed != "":
		return "not begun: another has failed meanwhile"
	case g.closed != nil:
		return "not begun: " + g.closed.Why
	case g.paused:
		return "not begun: " + cmp.Or(g.whyPaused, "paused")
	case g.stopped || ctx.Err() != nil:
		return g.stoppedWhy()
	}
	return g.batch.frozen
}

// holdings are what this wave holds of the group, as one of its instances has to count it.
func (g *group) holdings(ctx workflow.Context, id string) patch.Holdings {
	lately := g.lately(ctx, id)
	held := patch.Holdings{Out: g.leftOut()}
	// That it is stopped was seen before its turn: who asks looks itself, and who is out has been started by somebody.
	for _, one := range g.status.Instances {
		if one.WasStopped && one.ID != id && !g.turns.out[one.ID] && len(one.Stranded) == 0 {
			held.Idle = append(held.Idle, one.ID)
		}
	}
	if g.room != nil {
		held.Surge = g.room.Stands()
	}
	for _, now := range g.status.Now {
		if now.ID == id || !g.turns.out[now.ID] { // one that is only looked at serves
			continue
		}
		held.Out = append(held.Out, now.ID)
		if slices.Contains(lately, now.ID) {
			held.Lately = append(held.Lately, now.ID)
		}
		for _, arn := range g.turns.targets[now.ID] {
			if held.From == nil {
				held.From = map[string]int{}
			}
			held.From[arn]++
		}
	}
	for _, back := range lately { // where the lists show it as out still, it is as long as they do
		if !slices.Contains(held.Out, back) {
			held.Out = append(held.Out, back)
		}
	}
	return held
}

// othersOut reports whether another of the group may be out of service, or be shown so.
func (g *group) othersOut(ctx workflow.Context, id string) bool {
	return len(g.lately(ctx, id)) > 0 || slices.ContainsFunc(g.status.Now, func(now patch.InstanceNow) bool {
		return now.ID != id && g.turns.out[now.ID]
	})
}
