package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/freeze"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// orphanedWhy is why a group stops that nobody orders any more.
const orphanedWhy = "stopped: the run of the wave that began this group has ended; was it reset or terminated? What " +
	"was patched is in the evidence: patchtide wave roll-back puts it back"

// watchOwner stops the group once the run that began it has closed without releasing it: a reset in Temporal ends that
// run, and the one in its place cannot order this group. Before each instance the group asks for itself.
func (g *group) watchOwner(ctx workflow.Context) {
	owner := run.Owner(ctx)
	if owner == nil {
		return
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	workflow.Go(clean, func(c workflow.Context) {
		if run.AwaitClosed(c, *owner, run.OwnerPoll(g.in.Policy.Timing), "until the wave's run has closed, as by a reset") {
			g.orphan()
		}
	})
}

// orphan lets the instance under way come to its end, begins no other, and has the lock let go.
func (g *group) orphan() {
	if g.orphaned {
		return
	}
	g.orphaned, g.stopped = true, true
	g.orders = append(g.orders, OrderRelease)
}

// stoppedWhy is why the group is done before all of its instances were taken.
func (g *group) stoppedWhy() string {
	if g.orphaned {
		return orphanedWhy
	}
	return stoppedEarly
}

// leave is the group's end. Where nobody is left to take its result, the evidence does.
func (g *group) leave(ctx workflow.Context) *End {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if !g.orphaned && ctx.Err() != nil { // cancelled, as the children of a wave are that was terminated
		if owner := run.Owner(ctx); owner != nil {
			g.orphaned = freeze.Ask(clean, owner).Ended
		}
	}
	begun := g.status.Phase == patch.GroupStepDone || g.status.Phase == patch.GroupHeld && g.done() > 0
	g.stopped = g.stopped || begun && g.unfinished() // its others were never taken
	g.recallUntried()
	end := g.end()
	if g.orphaned {
		if err := workflow.ExecuteActivity(
			run.Controlling(clean, "into the evidence: its wave is gone"), control.KeepLeft, activities.KeepLeftInput{
				WaveID: g.in.WaveID, Group: g.in.Group, Policy: g.in.Policy, Runbook: g.runbook, Result: end.GroupResult,
			},
		).Get(clean, nil); err != nil {
			workflow.GetLogger(ctx).Error("what the group did is in no evidence", "error", run.Reason(err))
		}
	}
	return end
}
