package workflows

import (
	"fmt"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// parentClose: a terminated wave must never kill a child mid-patch; cancelled children put back what they hold.
const parentClose = enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL

// stoppedEarly is why a group is done that has not taken all of its instances.
const stoppedEarly = "stopped before all instances were taken"

// patch takes the instances in order until one fails, all are done, the window closes, or somebody stops or pauses it.
// Whatever the end, the group gets its room back and nothing of ours stays suspended.
func (g *group) patch(ctx workflow.Context) {
	if refusal := g.prepare(ctx); refusal != "" {
		g.enter(ctx, patch.GroupHeld, refusal)
		return
	}
	g.enter(ctx, patch.GroupPatching, "")
	failed := ""
	g.closed = ""
	for i := range g.status.Instances {
		if g.status.Instances[i].Outcome != patch.NotStarted {
			continue
		}
		if g.paused || g.stopped || ctx.Err() != nil {
			break
		}
		result := g.runInstance(ctx, g.status.Instances[i].ID, nil)
		g.status.Instances[i] = result
		g.status.Stranded = append(g.status.Stranded, result.Stranded...)
		if g.isFailure(result) {
			failed = fmt.Sprintf("%s %s: %s", result.ID, result.Outcome, result.Reason)
			break
		}
		if result.Outcome == patch.NotStarted && !g.stopped && ctx.Err() == nil {
			g.closed = result.Reason
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
	case g.paused && patch.GroupOutcome(g.status.Instances) == patch.NotStarted:
		g.enter(ctx, patch.GroupPaused, "waits while another group of the stage is held")
	default:
		g.enter(ctx, patch.GroupDone, "")
	}
}

// prepare reads the group, plans its capacity, marks it and makes room. It returns why it cannot.
func (g *group) prepare(ctx workflow.Context) string {
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
	for _, member := range state.Order() {
		if indexOf(g.status.Instances, member.ID) < 0 {
			g.status.Instances = append(g.status.Instances, notStarted(member.ID))
		}
	}
	if why := g.gateAlarms(ctx, state); why != "" {
		return why
	}
	mark := g.act(ctx, aws.MarkGroup, g.journal())
	if mark != nil {
		return reason(mark)
	}
	if strategy.Mode != patch.CapacitySurge {
		return ""
	}
	g.room = newRoom(g.in.Group, g.in.Policy, g.in.WaveID, strategy)
	if err := g.room.make(ctx, state, acting(ctx, g.in.Group, g.in.Policy.Timing)); err != nil {
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
	if err := workflow.ExecuteActivity(reading(ctx, g.in.Group, g.in.Policy.Timing), aws.Observe, activities.ObserveInput{
		Instance: activities.Instance{Group: g.in.Group, ID: members[0].ID}, Platform: g.in.Policy.Platform, Checks: alarms, Pace: pace(g.in.Policy.Timing),
	}).Get(ctx, &seen); err != nil {
		return reason(err)
	}
	for _, alarm := range seen.Alarms {
		if alarm.State != "OK" {
			refusal := patch.Refusal{
				Code: patch.RefusedAlarm, Where: g.in.Group.String(), What: fmt.Sprintf("alarm %s is %s before we began", alarm.Name, alarm.State),
				WhatToDo: "mend what it reports, then retry",
			}
			return refusal.Error()
		}
	}
	return ""
}

// giveBack returns the room and takes the mark off; what cannot be is told.
func (g *group) giveBack(ctx workflow.Context) {
	clean, stop := workflow.NewDisconnectedContext(ctx)
	g.stopTrying = stop
	defer func() { g.stopTrying = nil; stop() }()
	if g.room != nil {
		g.status.Stranded = append(g.status.Stranded, g.room.giveBack(clean)...)
		g.room = nil
	}
	if err := workflow.ExecuteActivity(undoing(clean, g.in.Group, g.in.Policy.Timing), aws.UnmarkGroup, g.journal()).Get(clean, nil); err != nil &&
		!isType(err, activities.ErrGroupNotFound) {
		g.status.Stranded = append(g.status.Stranded, patch.Stranded{
			Account: g.in.Group.Account.Name, Region: g.in.Group.Region, Resource: "auto scaling group " + g.in.Group.Name(),
			State: "still carries our tag: " + reason(err), WhatToDo: "remove the tag " + names.TagJournal + " from the group",
		})
	}
}

// rollBack puts back every instance that this wave patched, the last one first.
func (g *group) rollBack(ctx workflow.Context) {
	g.enter(ctx, patch.GroupRollingBack, "")
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if g.needsBack() {
		if why := g.prepare(clean); why != "" {
			g.enter(ctx, patch.GroupHeld, "roll back cannot begin: "+why)
			return
		}
	}
	for i := len(g.status.Instances) - 1; i >= 0; i-- {
		was := g.status.Instances[i]
		if was.Outcome != patch.Patched {
			continue
		}
		g.try[was.ID]++
		point := patch.RestorePoint{}
		if was.Backup != nil {
			point = *was.Backup
		}
		result := g.runInstance(clean, was.ID, &PutBack{Point: point, PatchedBoot: was.BootID})
		result.MissingBefore, result.AutomationExecutionID = was.MissingBefore, was.AutomationExecutionID
		result.MissingAfter = was.MissingBefore
		g.status.Instances[i] = result
		g.status.Stranded = append(g.status.Stranded, result.Stranded...)
		g.report(ctx)
	}
	g.giveBack(clean)
	g.rolledBack = true
	g.enter(ctx, patch.GroupDone, "rolled back")
}

func (g *group) needsBack() bool {
	for _, instance := range g.status.Instances {
		if instance.Outcome == patch.Patched {
			return true
		}
	}
	return false
}

func (g *group) journal() activities.MarkGroupInput {
	return activities.MarkGroupInput{Group: g.in.Group, Journal: activities.Journal{
		WaveID: g.in.WaveID, Record: names.JournalRecord(g.in.Group, ""),
	}}
}

func (g *group) act(ctx workflow.Context, activity, input any) error {
	options := acting(ctx, g.in.Group, g.in.Policy.Timing)
	return workflow.ExecuteActivity(options, activity, input).Get(options, nil)
}
