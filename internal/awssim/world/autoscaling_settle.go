package world

import (
	"encoding/hex"
	"slices"
)

func hexDigits(data []byte) string { return hex.EncodeToString(data) }

// resettle asks for one look, at this same moment but after what happens now, at everything that follows from the state
// of instances: target health, alarms, lifecycle states and capacity.
func (r *Region) resettle() {
	if r.AutoScaling.settling {
		return
	}
	r.AutoScaling.settling = true
	r.World.After(0, func() {
		r.AutoScaling.settling = false
		r.settle()
	})
}

func (r *Region) settle() {
	for _, group := range r.LoadBalancing.groups.all() {
		for _, target := range slices.Clone(group.targets) {
			target.recheck()
		}
	}
	for _, alarm := range r.Alarms.alarms.all() {
		alarm.reevaluate()
	}
	for _, group := range r.AutoScaling.groups.all() {
		group.settle()
	}
	r.count(r.World.now)
}

// watchInstances lets what depends on instances follow them.
func (r *Region) watchInstances() {
	r.World.OnChange(func(c Change) {
		if c.Region == r && (c.Kind == "instance" || c.Kind == "command") {
			r.resettle()
		}
	})
}
