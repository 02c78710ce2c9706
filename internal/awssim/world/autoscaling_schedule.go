package world

import (
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// ScheduledAction changes a group's sizes once, at its time. One that is due while ScheduledActions is suspended is missed for
// good.
type ScheduledAction struct {
	Name  string
	ARN   string
	Start time.Time
	Sizes Sizes

	event *Event
}

// ScheduledActions lists the actions that are still to come, the soonest first.
func (g *ScalingGroup) ScheduledActions() []*ScheduledAction {
	actions := slices.Clone(g.scheduled)
	slices.SortStableFunc(actions, func(a, b *ScheduledAction) int { return a.Start.Compare(b.Start) })
	return actions
}

// PutScheduledAction makes an action, or replaces the one of that name.
func (g *ScalingGroup) PutScheduledAction(name string, start time.Time, sizes Sizes) error {
	w := g.Region.World
	if start.IsZero() {
		start = w.now
	} else if start.Before(w.now) {
		return api.Errorf("ValidationError", "Given start time is in the past")
	}
	if sizes == (Sizes{}) {
		return api.Errorf("ValidationError", "At least one of min size, max size and desired capacity is needed.")
	}
	g.unschedule(name)
	action := &ScheduledAction{Name: name, Start: start, Sizes: sizes, ARN: g.Region.ARN("autoscaling",
		"scheduledUpdateGroupAction:"+g.Region.NewUUID("scheduled")+":autoScalingGroupName/"+g.Name+":scheduledActionName/"+name)}
	action.event = w.After(start.Sub(w.now), func() {
		g.unschedule(name)
		if g.suspended("ScheduledActions") {
			g.Region.Changed("group", g.Name, "missed scheduled action "+name)
			return
		}
		g.follow(sizes)
		g.Region.Changed("group", g.Name, "scheduled action "+name)
	})
	g.scheduled = append(g.scheduled, action)
	return nil
}

// DeleteScheduledAction takes an action back before its time.
func (g *ScalingGroup) DeleteScheduledAction(name string) error {
	if !g.unschedule(name) {
		return api.Errorf("ValidationError", "Scheduled action name not found")
	}
	return nil
}

func (g *ScalingGroup) unschedule(name string) bool {
	n := slices.IndexFunc(g.scheduled, func(a *ScheduledAction) bool { return a.Name == name })
	if n < 0 {
		return false
	}
	g.scheduled[n].event.Stop()
	g.scheduled = slices.Delete(g.scheduled, n, n+1)
	return true
}

// follow sets sizes as they are told, moving what does not fit: a scheduled action is not refused for a desired capacity
// outside the limits.
func (g *ScalingGroup) follow(sizes Sizes) {
	low, high, desired := g.Min, g.Max, g.Desired
	if sizes.Min != nil {
		low = *sizes.Min
	}
	if sizes.Max != nil {
		high = *sizes.Max
	}
	high = max(low, high)
	if sizes.Desired != nil {
		desired = *sizes.Desired
	}
	desired = min(max(desired, low), high)
	_ = g.Resize(Sizes{Min: &low, Max: &high, Desired: &desired}) // they fit by now
}
