package console

import (
	"maps"
	"strings"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
)

// Details are what a wave's own status leaves out: its groups' and their current instances' states, by workflow id, and
// what all of them wait for.
type Details struct {
	Waits     patch.Waits
	Groups    map[string]patch.GroupStatus
	Instances map[string]patch.InstanceStatus
}

// Clone is a copy with tables of its own, for one who reads them while more is asked.
func (d Details) Clone() Details {
	d.Groups, d.Instances = maps.Clone(d.Groups), maps.Clone(d.Instances)
	return d
}

// View turns what the workflows say about themselves into a Progress. A group that has not answered yet is shown with
// its counts only.
func View(wave patch.WaveStatus, details Details) Progress {
	p := Progress{WaveID: wave.WaveID, State: brief.Stands(wave), Waits: brief.Lasting(wave, details.Waits, Clock)}
	if wave.Awaiting != "" {
		asks := brief.Of(wave)
		p.Asks = strings.Join(strings.Fields(wave.Awaiting+" "+asks.Silence(Moment)+" "+asks.Window(Moment)), " ")
	}
	for _, stage := range wave.Stages {
		shown := Stage{Name: stage.Name, Outcome: stage.Outcome}
		var phases []string
		for _, group := range stage.Groups {
			shown.Groups = append(shown.Groups, groupView(group, details, wave.PutsBack != ""))
			if group.Phase != "" && group.Phase != patch.GroupIdle {
				phases = append(phases, group.Stands()+", "+group.Count().String())
			}
		}
		shown.State = strings.Join(phases, "; ")
		p.Stages = append(p.Stages, shown)
	}
	plain.Lines(&p)
	return p
}

func groupView(counts patch.GroupCounts, details Details, putsBack bool) Group {
	// An account's name and a region hold no slash; a tag selector may.
	parts := strings.SplitN(counts.Group, "/", 3)
	for len(parts) < 3 {
		parts = append(parts, "")
	}
	shown := Group{Account: parts[0], Region: parts[1], Name: parts[2]}
	status := details.Groups[counts.WorkflowID]
	steps := map[string]string{}
	for _, id := range status.Current {
		if instance, known := details.Instances[id]; known && instance.Step != patch.StepEnded {
			steps[instance.ID] = instance.Step.Told(instance.Undoing)
		}
	}
	for _, instance := range status.Stands(details.Instances, putsBack) {
		view := Instance{ID: instance.ID, Outcome: instance.Outcome, Reason: instance.Reason, Step: steps[instance.ID]}
		if view.Outcome == patch.NotStarted {
			view.Outcome = ""
		}
		shown.Instances = append(shown.Instances, view)
	}
	return shown
}
