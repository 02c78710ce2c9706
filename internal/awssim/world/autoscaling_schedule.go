package world

import (
	"slices"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Schedule says when a scheduled action changes a group's sizes, and to what.
type Schedule struct {
	Start, End time.Time // zero: not given
	Recurrence string    // cron of five fields; empty: once
	TimeZone   string    // of the recurrence, an IANA name; empty: UTC
	Sizes      Sizes
}

// ScheduledAction changes a group's sizes at its times. One that is due while ScheduledActions is suspended is missed
// for good; a recurring one comes again at its next time.
type ScheduledAction struct {
	Name string
	ARN  string
	Schedule
	Next time.Time // when it is due

	every cron.Schedule // nil: once
	event *Event
}

// ScheduledActions lists the actions that are still to come, the soonest first.
func (g *ScalingGroup) ScheduledActions() []*ScheduledAction {
	actions := slices.Clone(g.scheduled)
	slices.SortStableFunc(actions, func(a, b *ScheduledAction) int { return a.Next.Compare(b.Next) })
	return actions
}

// PutScheduledAction makes an action, or replaces the one of that name. With a start and a recurrence it comes at the
// start and then as the recurrence says, up to the end.
func (g *ScalingGroup) PutScheduledAction(name string, schedule Schedule) error {
	now := g.Region.World.now
	every, err := schedule.recurring()
	switch {
	case err != nil:
		return err
	case !schedule.Start.IsZero() && schedule.Start.Before(now):
		return api.Errorf("ValidationError", "Given start time is in the past")
	case !schedule.End.IsZero() && schedule.End.Before(now):
		return api.Errorf("ValidationError", "Given end time is in the past")
	case !schedule.End.IsZero() && !schedule.Start.Before(schedule.End):
		return api.Errorf("ValidationError", "The start time must be before the end time")
	case schedule.Sizes == Sizes{}:
		return api.Errorf("ValidationError", "At least one of min size, max size and desired capacity is needed.")
	case slices.ContainsFunc(g.scheduled, func(a *ScheduledAction) bool {
		return a.Name != name && !schedule.Start.IsZero() && a.Next.Equal(schedule.Start)
	}):
		// "A scheduled action must have a unique date and time", says the user guide.
		return api.Errorf("AlreadyExists", "A scheduled action with this scheduled start time already exists.")
	}
	g.unschedule(name)
	action := &ScheduledAction{
		Name:     name,
		Schedule: schedule,
		Next:     schedule.Start,
		every:    every,
		ARN: g.Region.ARN("autoscaling",
			"scheduledUpdateGroupAction:"+g.Region.NewUUID("scheduled")+
				":autoScalingGroupName/"+g.Name+":scheduledActionName/"+name),
	}
	if action.Next.IsZero() {
		action.Next = now
		if every != nil {
			action.Next = every.Next(now)
		}
	}
	g.await(action)
	return nil
}

// await keeps an action until it is due; one that will not come any more is forgotten.
func (g *ScalingGroup) await(action *ScheduledAction) {
	if action.Next.IsZero() || !action.End.IsZero() && action.Next.After(action.End) {
		return
	}
	w := g.Region.World
	action.event = w.After(action.Next.Sub(w.now), func() {
		g.unschedule(action.Name)
		if action.every != nil {
			action.Next = action.every.Next(w.now)
			g.await(action)
		}
		if g.suspended("ScheduledActions") {
			g.Region.Changed("group", g.Name, "missed scheduled action "+action.Name)
			return
		}
		g.follow(action.Sizes)
		g.Region.Changed("group", g.Name, "scheduled action "+action.Name)
	})
	g.scheduled = append(g.scheduled, action)
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

// follow sets sizes as they are told, moving what does not fit: a scheduled action is not refused for a desired
// capacity outside the limits.
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
