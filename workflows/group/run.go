package group

import (
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// stoppedEarly is why a group is done that has not taken all of its instances.
const stoppedEarly = "stopped before all instances were taken"

// patch takes the instances in order until one fails, all are done, the window closes, or somebody stops or pauses it.
// Whatever the end, the group gets its room back and nothing of ours stays suspended.
func (g *group) patch(ctx workflow.Context) {
	g.endThawWatch()
	g.closed, g.status.Gaps = nil, nil
	if g.stepDone() {
		g.enter(ctx, patch.GroupStepDone, g.stepWhy())
		return
	}
	if !g.takeResumed() {
		if g.paused && g.unfinished() { // neither marks nor room are made meanwhile
			g.enter(ctx, patch.GroupPaused, g.pausedWhy())
			return
		}
		// Marks and room are changes, too: none is made for instances that may not be started.
		if late := patch.First(patch.LevelGroup, g.view(ctx)); late != nil && g.unfinished() {
			g.close(late)
			g.enter(ctx, patch.GroupDone, g.closed.Why)
			return
		}
		if between := g.soaks(ctx, g.next()); between.why != "" {
			g.soak(ctx, between)
			return
		}
		frozen := g.frozen(ctx)
		switch {
		case g.orphaned:
			g.enter(ctx, patch.GroupDone, orphanedWhy)
			return
		case frozen != "":
			g.freeze(ctx, frozen)
			return
		}
		if err := g.prepare(ctx, patch.LevelGroup); err != nil {
			var refusal *patch.Refusal
			if errors.As(err, &refusal) && refusal.Code.Ends() {
				g.close(refusal)
			}
			phase := patch.GroupHeld
			if g.closed != nil || g.allTried() || errors.Is(err, errNobody) {
				phase = patch.GroupDone
			}
			g.enter(ctx, phase, run.Reason(err))
			return
		}
		g.enter(ctx, patch.GroupPatching, "")
	}
	g.take(ctx)
	if g.goOn {
		return // the room and the mark go with the state
	}
	failed, frozen, between := g.batch.failed, g.batch.frozen, g.batch.soaks
	g.giveBack(ctx)
	switch {
	case failed != "":
		g.serves = g.serving(ctx)
		g.enter(ctx, patch.GroupHeld, failed)
	case g.stopped || ctx.Err() != nil:
		g.enter(ctx, patch.GroupDone, g.stoppedWhy())
	case g.closed != nil:
		g.enter(ctx, patch.GroupDone, g.closed.Why)
	case frozen != "":
		g.freeze(ctx, frozen)
	case between.why != "":
		g.soak(ctx, between)
	case g.stepDone():
		g.enter(ctx, patch.GroupStepDone, g.stepWhy())
	case g.paused && g.unfinished():
		g.enter(ctx, patch.GroupPaused, g.pausedWhy())
	case g.unfinished(), // a pause that was lifted while the room was given back
		g.takeJoined(ctx):
		g.patch(ctx)
	default:
		tried := g.imageTries
		g.renewImage(ctx)
		if g.stopped || ctx.Err() != nil {
			g.enter(ctx, patch.GroupDone, "")
			return
		}
		if g.imageTries > tried && g.takeJoined(ctx) { // launched while the image was made, from the one before
			g.patch(ctx)
			return
		}
		g.tellImage(ctx)
		g.enter(ctx, patch.GroupDone, "")
	}
}

// close ends the group's turn without a failure: the window or a calendar lets no instance begin.
func (g *group) close(refusal *patch.Refusal) {
	g.closed = &Closing{Why: refusal.Error(), Code: refusal.Code}
}

// unfinished tells that instances are left which nobody has tried.
func (g *group) unfinished() bool {
	return slices.ContainsFunc(g.status.Instances, func(r patch.InstanceResult) bool {
		return r.Outcome == patch.NotStarted
	})
}

// allTried reports whether every instance has been tried: a refusal keeps nobody from anything then, and is no reason
// to hold.
func (g *group) allTried() bool { return len(g.status.Instances) > 0 && !g.unfinished() }

// prepare reads the group, asks the table of checks, plans its capacity, marks it and makes room. Its error says why it
// cannot; it is a *patch.Refusal where a check refused. Newcomers are for patching only.
func (g *group) prepare(ctx workflow.Context, level patch.Level) error {
	var state patch.GroupState
	look := activities.InspectGroupInput{Group: g.in.Group}
	if level == patch.LevelPutBack {
		look.Targets = g.targets // what is put back was looked through before it went out
	}
	if err := workflow.ExecuteActivity(run.Sweeping(ctx, g.in.Group, g.in.Policy.Timing), aws.InspectGroup,
		look).Get(ctx, &state); err != nil {
		return err
	}
	g.targets = state.Behind().All
	g.knowZones(state)
	if level == patch.LevelGroup && g.leaveOut(state) {
		return errNobody
	}
	strategy, refusal := patch.PlanCapacity(g.in.Group, state, g.in.Policy.StageView())
	if refusal != nil {
		return refusal
	}
	if level == patch.LevelGroup { // newcomers first: a group that refuses while one waits is not done
		for _, member := range state.Ordered(g.in.Policy.Order) {
			switch at := indexOf(g.status.Instances, member.ID); {
			case at < 0:
				g.status.Instances = append(g.status.Instances, patch.UntouchedMember(member))
			case g.status.Instances[at].Outcome == patch.NotStarted:
				g.status.Instances[at].WasStopped = member.Starts
			}
		}
		if err := g.rank(ctx, state); err != nil {
			return err
		}
	}
	g.status.Strategy = strategy.For(g.wants(level), state)
	view := g.view(ctx)
	view.State = &state
	if refusal := patch.First(level, view); refusal != nil {
		return refusal
	}
	if level == patch.LevelGroup {
		if err := g.askOthers(ctx, level, view); err != nil {
			return err
		}
	}
	suspend := g.toSuspend(state, level)
	if err := g.mark(ctx, state, suspend); err != nil {
		return err
	}
	if g.room != nil {
		late := patch.Except(suspend, patch.RoomProcesses)
		if err := g.suspend(ctx, patch.Except(suspend, late)); err != nil {
			return err
		}
		suspend = late
		if err := g.room.Make(ctx, run.Acting(ctx, g.in.Group, g.in.Policy.Timing)); err != nil {
			g.giveBack(ctx)
			return fmt.Errorf("no room could be made: %s", run.Reason(err))
		}
	}
	return g.suspend(ctx, suspend)
}

// wants is how many of the group may still be taken before its room is given back. What is put back is so one at a
// time.
func (g *group) wants(level patch.Level) (instances int) {
	if level != patch.LevelGroup {
		return 1
	}
	for _, one := range g.status.Instances {
		if one.Outcome == patch.NotStarted {
			instances++
		}
	}
	if left, bounded := g.in.Policy.LeftOfStep(g.way.step, g.status.Instances); bounded {
		return min(instances, left)
	}
	return instances
}

// view is what a check may look at before anything was read of the group.
func (g *group) view(ctx workflow.Context) patch.View {
	return patch.View{Group: g.in.Group, Policy: g.policy(), Now: workflow.Now(ctx)}
}

// askOthers reads what concerns the group as a whole beside its own state, its gate's alarms with it, and asks again.
func (g *group) askOthers(ctx workflow.Context, level patch.Level, view patch.View) error {
	policy := view.Policy
	in := activities.ReadInterferenceInput{
		Group: g.in.Group, Calendars: policy.Calendars, Restore: policy.Restore,
		Within: policy.Budget(view.State.TargetGroups).OnItsWay(), Alarms: run.Gates(policy.Health),
	}
	if level == patch.LevelGroup { // what is put back is judged by neither a baseline nor a metric
		in.Metrics = patch.Metrics(policy.Health)
		in.Baseline = policy.Baseline
		in.Documents, in.Functions = policy.Hooks.Documents(), policy.Hooks.Functions()
	}
	around, err := run.ReadInterference(ctx, in, policy.Timing)
	if err != nil {
		return err
	}
	view.Around = &around
	if refusal := patch.First(level, view); refusal != nil {
		return refusal
	}
	return nil
}

func (g *group) act(ctx workflow.Context, activity, input any) error {
	options := run.Acting(ctx, g.in.Group, g.in.Policy.Timing)
	return workflow.ExecuteActivity(options, activity, input).Get(options, nil)
}
