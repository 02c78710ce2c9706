package workflows

import (
	"fmt"
	"slices"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// parentClose: a terminated wave must never kill a child mid-patch; cancelled children put back what they hold.
const parentClose = enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL

// stoppedEarly is why a group is done that has not taken all of its instances.
const stoppedEarly = "stopped before all instances were taken"

// patch takes the instances in order until one fails, all are done, the window closes, or somebody stops or pauses it.
// Whatever the end, the group gets its room back and nothing of ours stays suspended.
func (g *group) patch(ctx workflow.Context) {
	g.endThawWatch()
	g.closed, g.refused = "", ""
	if !g.takeResumed() {
		if g.staysPaused(ctx) {
			g.enter(ctx, patch.GroupPaused, g.whyPaused)
			return
		}
		// Marks and room are changes, too: none is made for instances that may not be started.
		if late := g.in.Policy.tooLate(ctx, g.in.Group.String(), nil, askedBefore{cutoff: true}); late != nil && g.unfinished() {
			g.close(late)
			g.enter(ctx, patch.GroupDone, g.closed)
			return
		}
		if frozen := g.frozen(ctx); frozen != "" {
			g.freeze(ctx, frozen)
			return
		}
		if refusal := g.prepare(ctx, true); refusal != "" {
			phase := patch.GroupHeld
			if g.closed != "" || g.allTried(ctx) {
				phase = patch.GroupDone
			}
			g.enter(ctx, phase, refusal)
			return
		}
		g.enter(ctx, patch.GroupPatching, "")
	}
	failed, frozen := "", ""
	for i := 0; i < len(g.status.Instances); i++ {
		if g.status.Instances[i].Outcome != patch.NotStarted {
			continue
		}
		if g.paused || g.stopped || ctx.Err() != nil {
			break
		}
		if g.mayContinueAsNew(ctx) {
			return // the room and the mark go with the state
		}
		// An order that came while it was asked counts as much as one that came before.
		if frozen = g.frozen(ctx); frozen != "" || g.paused || g.stopped || ctx.Err() != nil {
			break
		}
		window, began := g.in.Policy.Window, workflow.Now(ctx)
		result := g.runInstance(ctx, g.status.Instances[i].ID, nil)
		if result.Outcome == patch.NotStarted && window != nil && g.in.Policy.Window.Closes.After(window.Closes) && !g.stopped && ctx.Err() == nil {
			// It judged by the window as it was before somebody extended it.
			g.try[result.ID]++
			i--
			continue
		}
		g.status.Instances[i] = result
		g.learn(result, workflow.Now(ctx).Sub(began))
		g.status.Stranded = append(g.status.Stranded, result.Stranded...)
		if g.isFailure(result) {
			failed = fmt.Sprintf("%s %s: %s", result.ID, result.Outcome, result.Reason)
			break
		}
		if result.Outcome == patch.NotStarted && !g.stopped && ctx.Err() == nil {
			g.closed, g.refused = result.Reason, result.Refused
			g.try[result.ID]++ // what it was asked by then is not what it is when the group goes on
			break
		}
		if i%10 == 9 {
			g.report(ctx)
		}
		workflow.SetCurrentDetails(ctx, g.details())
	}
	g.giveBack(ctx)
	switch {
	case failed != "":
		g.enter(ctx, patch.GroupHeld, failed)
	case g.stopped || ctx.Err() != nil:
		g.enter(ctx, patch.GroupDone, stoppedEarly)
	case g.closed != "":
		g.enter(ctx, patch.GroupDone, g.closed)
	case frozen != "":
		g.freeze(ctx, frozen)
	case g.paused && g.unfinished():
		g.enter(ctx, patch.GroupPaused, g.whyPaused)
	case g.unfinished() && asksFreeze(ctx): // a pause that was lifted while the room was given back; older runs ended
		g.patch(ctx)
	default:
		g.enter(ctx, patch.GroupDone, "")
	}
}

// close ends the group's turn without a failure: the window or a calendar lets no instance begin.
func (g *group) close(refusal *patch.Refusal) { g.closed, g.refused = refusal.Error(), refusal.Code }

// unfinished tells that instances are left which nobody has tried.
func (g *group) unfinished() bool {
	return slices.ContainsFunc(g.status.Instances, func(r patch.InstanceResult) bool { return r.Outcome == patch.NotStarted })
}

// staysPaused tells that a pause lasts, for which neither marks nor room are made. A run that began before made them and gave them
// back.
func (g *group) staysPaused(ctx workflow.Context) bool {
	return g.paused && g.unfinished() && workflow.GetVersion(ctx, "pause-prepares-nothing", workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// allTried tells that every instance has been tried: a refusal keeps nobody from anything then, and is no reason to hold. A run
// that began before this was looked at held all the same.
func (g *group) allTried(ctx workflow.Context) bool {
	return len(g.status.Instances) > 0 && !g.unfinished() &&
		workflow.GetVersion(ctx, "all-tried-is-done", workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// prepare reads the group, plans its capacity, marks it and makes room. It returns why it cannot. Newcomers are for patching
// only, and so are the gate's alarms: one that fires is a reason to put back.
func (g *group) prepare(ctx workflow.Context, patching bool) string {
	var state patch.GroupState
	if err := workflow.ExecuteActivity(reading(ctx, g.in.Group, g.in.Policy.Timing), aws.InspectGroup,
		activities.InspectGroupInput{Group: g.in.Group}).Get(ctx, &state); err != nil {
		return reason(err)
	}
	strategy, refusal := patch.PlanCapacity(g.in.Group, state, g.in.Policy.stage())
	if refusal != nil {
		return refusal.Error()
	}
	g.status.Strategy = strategy
	if patching {
		for _, member := range state.Order() {
			if indexOf(g.status.Instances, member.ID) < 0 {
				g.status.Instances = append(g.status.Instances, notStarted(member.ID))
			}
		}
		if why := g.gateAlarms(ctx, state); why != "" {
			return why
		}
		if looksAround(ctx) {
			if why := g.look(ctx, state); why != "" {
				return why
			}
		}
	}
	if err := g.mark(ctx, state); err != nil {
		return reason(err)
	}
	if g.room == nil {
		return ""
	}
	if err := g.room.make(ctx, acting(ctx, g.in.Group, g.in.Policy.Timing)); err != nil {
		g.giveBack(ctx)
		return "no room could be made: " + reason(err)
	}
	return ""
}

// gateAlarms refuses to begin while an alarm that is to judge us does not say OK: it could not tell our harm from another's.
func (g *group) gateAlarms(ctx workflow.Context, state patch.GroupState) string {
	var alarms []patch.HealthCheck
	for _, check := range g.in.Policy.Health {
		if check.Alarm != "" {
			alarms = append(alarms, check)
		}
	}
	members := state.Order()
	if len(alarms) == 0 || len(members) == 0 {
		return ""
	}
	var seen patch.HealthObservation
	if err := workflow.ExecuteActivity(reading(ctx, g.in.Group, g.in.Policy.Timing), aws.ObserveHealth, activities.ObserveHealthInput{
		Instance: activities.Instance{Group: g.in.Group, ID: members[0].ID}, Platform: g.in.Policy.Platform, Checks: alarms, Pace: pace(g.in.Policy.Timing),
	}).Get(ctx, &seen); err != nil {
		return reason(err)
	}
	if refusals := patch.GateRefusals(g.in.Group, seen.Alarms); len(refusals) > 0 {
		return refusals[0].Error()
	}
	return ""
}

func (g *group) act(ctx workflow.Context, activity, input any) error {
	options := acting(ctx, g.in.Group, g.in.Policy.Timing)
	return workflow.ExecuteActivity(options, activity, input).Get(options, nil)
}
