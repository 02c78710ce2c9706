package world

import (
	"maps"
	"slices"
	"time"
)

// sightings are what describe calls see of a group while they lag.
type sightings struct {
	seen []sighting
}

type sighting struct {
	at    time.Time
	group *ScalingGroup // a copy
}

// lag is how far Auto Scaling's describe calls are behind.
func (g *ScalingGroup) lag() time.Duration { return g.Region.World.Scenario.Durations.ScalingLag.D() }

// remember keeps a copy of the group for lagging reads. Without lag nothing is kept.
func (g *ScalingGroup) remember() {
	if g.lag() == 0 {
		return
	}
	now := g.Region.World.now
	shown := *g
	shown.Zones, shown.Tags, shown.TargetGroups = slices.Clone(g.Zones), slices.Clone(g.Tags), slices.Clone(g.TargetGroups)
	shown.Suspended, shown.activities, shown.sightings = maps.Clone(g.Suspended), slices.Clone(g.activities), nil
	shown.members = make([]*Member, 0, len(g.members))
	for _, member := range g.members {
		copied := *member
		copied.Group = &shown
		shown.members = append(shown.members, &copied)
	}
	if g.sightings == nil {
		g.sightings = &sightings{}
	}
	kept := g.sightings.seen
	for len(kept) > 1 && !kept[1].at.After(now.Add(-g.lag())) {
		kept = kept[1:]
	}
	g.sightings.seen = append(kept, sighting{now, &shown})
}

// Seen is the group as describe calls show it now: as it is, or as it was the scenario's scaling_lag ago.
func (g *ScalingGroup) Seen() *ScalingGroup {
	if g.lag() == 0 || g.sightings == nil {
		return g
	}
	shown := g.sightings.seen[0].group
	for _, each := range g.sightings.seen {
		if each.at.After(g.Region.World.now.Add(-g.lag())) {
			break
		}
		shown = each.group
	}
	return shown
}
