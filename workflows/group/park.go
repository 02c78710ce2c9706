package group

import (
	"github.com/patchtide/patchtide/internal/patch"
)

// End is what PatchGroup returns.
type End struct {
	patch.GroupResult
	// Parked is what the group's next workflow goes on with, once the wave has its lock again; nil unless it was parked.
	// The instances are in the result.
	Parked *Carried `json:"parked,omitempty"`
}

func (g *group) end() *End {
	return &End{GroupResult: g.result().Fit()}
}

// park ends the group between two instances: with its room given back and its mark off nothing of it is left, and the
// end of its workflow frees the lock.
func (g *group) park() *End {
	g.endThawWatch()
	end := g.end()
	end.Parked = g.carry("")
	end.Parked.Status.Instances, end.Parked.Status.Stranded = nil, nil
	return end
}

// Unparked is the state that a parked group goes on with.
func (e End) Unparked() *Carried {
	if e.Parked == nil || e.Parked.Status.Phase == patch.GroupIdle {
		return nil // it was never begun: its members are read again
	}
	carried := *e.Parked
	carried.Status.Instances, carried.Status.Stranded = e.Instances, e.Stranded
	return &carried
}
