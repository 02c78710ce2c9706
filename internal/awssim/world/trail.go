package world

import (
	"slices"
	"time"
)

// TrailEvent is a call that CloudTrail has seen. The world keeps those that changed patch baselines.
type TrailEvent struct {
	ID         string
	Time       time.Time
	Name       string // UpdatePatchBaseline
	Source     string // ssm.amazonaws.com
	Caller     string // ARN
	Parameters map[string]string
	Response   map[string]string
}

// TrailLag is how much later CloudTrail tells of a call: "on average about 5 minutes" (guide, CloudTrail's event
// history).
const TrailLag = 5 * time.Minute

// trailKept is for how long an event is told (API reference, LookupEvents).
const trailKept = 90 * 24 * time.Hour

// Trace keeps a call for CloudTrail.
func (r *Region) Trace(event TrailEvent) {
	event.ID, event.Time = r.NewID("event"), r.World.now
	r.trail = append(r.trail, event)
}

// Trail lists the events that CloudTrail tells by now, the newest first.
func (r *Region) Trail() []TrailEvent {
	told := slices.DeleteFunc(slices.Clone(r.trail), func(event TrailEvent) bool {
		age := r.World.now.Sub(event.Time)
		return age < TrailLag || age > trailKept
	})
	slices.Reverse(told)
	return told
}
