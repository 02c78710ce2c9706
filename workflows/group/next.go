package group

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// way is in which order a group goes, and how far it has come.
type way struct {
	step  int           // as far as which of the stage's steps instances may be taken, counted from 0
	zones patch.ZoneWay // of a group that is taken by zone
}

// soak is for how long, and why, a group is left alone between two zones; zero: it is not.
type soak struct {
	until time.Time
	why   string
}

// next is the instance that is taken next, beside those under way; "": none, for the time being.
func (g *group) next() string {
	var waiting, underWay []string
	for _, now := range g.status.Now {
		underWay = append(underWay, now.ID)
	}
	for _, one := range g.status.Instances {
		if one.Outcome == patch.NotStarted && nowOf(g.status.Now, one.ID) == nil {
			waiting = append(waiting, one.ID)
		}
	}
	left, bounded := g.in.Policy.LeftOfStep(g.way.step, g.status.Instances)
	switch {
	case bounded && len(underWay) >= left, len(waiting) == 0:
		return ""
	case g.in.Policy.Order == patch.OrderZone:
		return g.way.zones.Next(waiting, underWay)
	}
	return waiting[0]
}

// isCanary reports whether whoever is taken now is a canary.
func (g *group) isCanary() bool { return g.in.Policy.Canary != nil && g.way.step == 0 }

// stepDone reports whether the group has come as far as its step, and its others wait for the stage's other groups.
func (g *group) stepDone() bool {
	left, bounded := g.in.Policy.LeftOfStep(g.way.step, g.status.Instances)
	return bounded && left == 0 && g.unfinished()
}

// stepWhy is why the group waits that has come as far as its step.
func (g *group) stepWhy() string {
	if g.in.Policy.Canary != nil {
		return "its canary is patched and watched; the others are taken once the canaries of the stage's other groups are, " +
			"too"
	}
	return fmt.Sprintf("%d of its %d instances are patched, as far as step %d of %d goes; the others wait for the "+
		"stage's other groups, the step's soak and its approval",
		patch.CountPatched(g.status.Instances), len(g.status.Instances), g.way.step+1, len(g.in.Policy.Steps))
}

// policy is the group's, as whoever is taken now has it.
func (g *group) policy() patch.Policy {
	if g.isCanary() {
		return g.in.Policy.AsCanary()
	}
	return g.in.Policy
}

// knowZones keeps the members' zones, where they decide who is next.
func (g *group) knowZones(state patch.GroupState) {
	if g.in.Policy.Order != patch.OrderZone {
		return
	}
	if g.way.zones.Of == nil {
		g.way.zones.Of = map[string]string{}
	}
	for _, member := range state.Members {
		g.way.zones.Of[member.ID] = member.Zone
	}
}

// changed keeps where the wave has changed an instance last: the next zone waits from its end on.
func (g *group) changed(ctx workflow.Context, result patch.InstanceResult) {
	if g.in.Policy.Order == patch.OrderZone && !result.Started.IsZero() {
		g.way.zones.Last, g.way.zones.At = g.way.zones.Of[result.ID], workflow.Now(ctx)
	}
}

// soaks is what an instance has to wait for.
func (g *group) soaks(ctx workflow.Context, id string) soak {
	if id == "" {
		return soak{}
	}
	until := g.way.zones.Until(id, g.in.Policy.ZoneSoak)
	if !workflow.Now(ctx).Before(until) {
		return soak{}
	}
	return soak{until, g.way.zones.Soaks(id, until)}
}

// soak holds the group between two zones, with nothing out of service, until it is over or the wave has another order.
// It ends with the window: what is left of it passes while the wave is parked.
func (g *group) soak(ctx workflow.Context, between soak) {
	g.enter(ctx, patch.GroupPaused, between.why)
	watch, stop := workflow.WithCancel(ctx)
	g.thawed = stop
	until := between.until
	if window := g.in.Policy.Window; window != nil && window.Cutoff.Before(until) {
		until = window.Cutoff
	}
	workflow.Go(watch, func(c workflow.Context) {
		if workflow.NewTimerWithOptions(c, until.Sub(workflow.Now(c)), workflow.TimerOptions{
			Summary: "until the next zone begins",
		}).Get(c, nil) == nil {
			g.orders = append(g.orders, OrderResume)
		}
	})
}
