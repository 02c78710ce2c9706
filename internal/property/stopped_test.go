package property

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// scriptStopped is who of staging is stopped before the wave, and what the plan says of them.
type scriptStopped struct {
	Many       int  `json:",omitempty"` // of staging's
	Starts     bool `json:",omitempty"` // start_and_stop; else they are left
	Registered bool `json:",omitempty"` // in a target group, as all of staging: who is stopped is left for that
}

// drawStopped has some of staging stopped, in a third of the scripts that have one.
func (s *script) drawStopped(t *rapid.T) {
	if s.Staging == 0 || rapid.IntRange(0, 2).Draw(t, "stopped") > 0 {
		return
	}
	s.Stopped = scriptStopped{
		Many:       rapid.IntRange(1, s.Staging).Draw(t, "many stopped"),
		Starts:     rapid.SampledFrom([]bool{true, true, true, false}).Draw(t, "starts"),
		Registered: seldom(t, "registered"),
	}
	if !s.Stopped.takes() && !seldom(t, "all left") {
		s.Stopped.Many = min(s.Stopped.Many, s.Staging-1) // a group of which nobody is taken is refused
	}
}

// takes reports whether the wave starts those that are stopped.
func (s scriptStopped) takes() bool { return s.Starts && !s.Registered }

// groups says in a stage's groups what is done with who is stopped.
func (s scriptStopped) groups(stage *patch.Stage) {
	if !s.Starts {
		return
	}
	stage.Groups = slices.Clone(stage.Groups)
	for i := range stage.Groups {
		stage.Groups[i].Stopped = patch.StoppedStart
	}
}

func (s scriptStopped) stop(t wavetest.TB, scene *wavetest.Scene) {
	scene.Sim.Inspect(func(w *world.World) {
		for _, instance := range w.Account(wavetest.Staging).Region(wavetest.Tokyo).Instances()[:s.Many] {
			require.NoError(t, instance.Stop())
		}
	})
}

// stoppedIn are the ids of staging's instances that do not run.
func stoppedIn(w *world.World) (ids []string) {
	for _, instance := range w.Account(wavetest.Staging).Region(wavetest.Tokyo).Instances() {
		if instance.State != world.Running {
			ids = append(ids, instance.ID)
		}
	}
	return ids
}

// stoppedWrong finds those that were stopped before and are not stopped while nothing is under way.
func (p *play) stoppedWrong(stranded []patch.Stranded) []string {
	var found []string
	p.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Staging).Region(wavetest.Tokyo)
		for _, id := range p.wasStopped {
			if is := region.Instance(id).State; is != world.Stopped && !told(stranded, "instance", id) {
				found = append(found, fmt.Sprintf("%s was stopped before and is %s (%s)", id, is, p.outcomes[id]))
			}
		}
	})
	return found
}

// stopsOthers finds stops of instances that were not stopped before, and whatever was done to those that were to be
// left.
func (p *play) stopsOthers() []string {
	var found []string
	for _, event := range p.Sim.Events() {
		var in struct{ InstanceIds []string }
		_ = json.Unmarshal(event.Arguments, &in)
		for _, id := range in.InstanceIds {
			stopped := slices.Contains(p.wasStopped, id)
			switch {
			case !event.Effect:
			case event.Operation == "StopInstances" && !stopped:
				found = append(found, fmt.Sprintf("%s, which was not stopped before, was stopped by us", id))
			case event.Operation == "StartInstances" && stopped && !p.script.Stopped.takes():
				found = append(found, fmt.Sprintf("%s, which is to be left stopped, was started", id))
			}
		}
	}
	return found
}
