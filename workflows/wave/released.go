package wave

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// keepQuarantined remembers who of an Auto Scaling group was quarantined by the wave that is rolled back: what such a
// machine holds is put back by nobody, and it may have been released since.
func (w *wave) keepQuarantined(was patch.GroupResult) {
	for _, group := range w.plan.Groups() {
		if !group.IsAutoScaling() || group.Account.Name != was.Account || group.Region != was.Region ||
			group.Name() != was.Name {
			continue
		}
		for _, instance := range was.Instances {
			if instance.Outcome == patch.Quarantined {
				w.quarantined = append(w.quarantined, activities.Instance{Group: group, ID: instance.ID})
			}
		}
	}
}

// tellReleased names who was quarantined by the wave that is rolled back, is a member of its group again, and holds
// what its quarantine left there. What cannot be read is named as well.
func (w *wave) tellReleased(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	type members struct {
		ids []string
		why string // they are not known
	}
	seen := map[string]*members{}
	for _, one := range w.quarantined {
		now := seen[one.Group.String()]
		if now == nil {
			now = &members{}
			seen[one.Group.String()] = now
			var state patch.GroupState
			if err := workflow.ExecuteActivity(
				run.Glance(clean, one.Group, w.plan.Timing, "who is back from quarantine in "+one.Group.Name()), aws.InspectGroup,
				activities.InspectGroupInput{Group: one.Group, Unseen: true},
			).Get(clean, &state); err != nil {
				now.why = run.Reason(err)
			}
			now.ids = state.IDs()
		}
		switch {
		case now.why != "":
			w.nameReleased(one, "whether it is back from quarantine in its group is not known: "+now.why)
		case slices.Contains(now.ids, one.ID):
			w.nameReleased(one, "it was quarantined, is back in its group, and holds what it held then: this roll back has not "+
				"touched it")
		}
	}
}

func (w *wave) nameReleased(one activities.Instance, state string) {
	w.released = append(w.released, patch.Stranded{
		Account: one.Group.Account.Name, Region: one.Group.Region, Resource: "instance " + one.ID, State: state,
		WhatToDo: "see by `patchtide scan " + w.plan.Name + "` what it misses, and have its group replace it where it still " +
			"holds what is put back",
	})
}
