package property

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// onParked is a moment's word for the nth time that the wave begins to wait for a window.
const onParked = "parked"

// late is before what is said only once the window is over.
const late = "late "

// scriptWindow is a window that follows another.
type scriptWindow struct {
	After int `json:",omitempty"` // minutes from the cutoff of the one before until it opens
	For   int // minutes from then until its own cutoff
}

// parkedAct is what the person on call says to a parked wave.
type parkedAct struct {
	Verb  string `json:",omitempty"` // "" is resume; cancel and silence
	Scope string `json:",omitempty"`
	After int    `json:",omitempty"` // minutes
}

// windows are the script's, in order; none: any time.
func (s script) windows(began time.Time) []patch.Window {
	if s.Plan.Cutoff == 0 {
		return nil
	}
	cutoff := began.Add(time.Duration(s.Plan.Cutoff) * time.Minute)
	all := []patch.Window{{Opens: began.Add(-time.Hour), Cutoff: cutoff, Closes: cutoff.Add(time.Hour)}}
	for _, drawn := range s.Windows {
		opens := cutoff.Add(time.Duration(drawn.After) * time.Minute)
		cutoff = opens.Add(time.Duration(drawn.For) * time.Minute)
		all = append(all, patch.Window{Opens: opens, Cutoff: cutoff, Closes: cutoff.Add(time.Hour)})
	}
	return all
}

// patience is how long the person on call waits for the wave: longer than its windows.
func (s script) patience() time.Duration {
	long := wavetest.Patience + s.lasts()
	if windows := s.windows(time.Time{}); len(windows) > 0 {
		long += windows[len(windows)-1].Cutoff.Sub(time.Time{})
	}
	return long
}

// estimate makes the plan's estimates the script's: by the usual ones, hours, no instance would fit into a short
// window.
func (p scriptPlan) estimate(plan *patch.Plan) {
	if p.Estimate > 0 {
		plan.Estimates = &patch.Estimates{
			Patch:    patch.Duration(time.Duration(p.Estimate) * time.Minute),
			RollBack: patch.Duration(time.Duration(p.PutBack) * time.Minute),
		}
	}
}

// parking is what is seen of a wave that waits for windows.
type parking struct {
	times   int  // how often it began to wait
	wentOn  bool // in another window
	now     bool
	since   time.Time       // of the wait that was looked at last
	changes int             // that we had made in AWS when it was first seen there
	running map[string]bool // our child workflows: the locks
}

// watchChildren notes which of the wave's child workflows run.
func (p *play) watchChildren() {
	p.parking.running = map[string]bool{}
	p.Env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, args converter.EncodedValues) {
		p.ear.Started(info, args)
		if info.WorkflowType.Name != names.WatchSoak { // which holds no lock
			p.parking.running[info.WorkflowExecution.ID] = true
		}
	})
	p.Env.SetOnChildWorkflowCompletedListener(func(info *workflow.Info, _ converter.EncodedValue, _ error) {
		delete(p.parking.running, info.WorkflowExecution.ID)
	})
	p.Env.SetOnChildWorkflowCanceledListener(func(info *workflow.Info) {
		delete(p.parking.running, info.WorkflowExecution.ID)
	})
}

// watchParked follows a wave into its waits and out of them: where it waits, nothing of it may be left in AWS, no lock
// be held, and nothing be done.
func (p *play) watchParked(status patch.WaveStatus) {
	is := status.State == patch.StateParked || status.State == patch.StateSoaking
	goesOn := status.State == patch.StateRunning || status.State == patch.StateOnHold
	p.parking.wentOn = p.parking.wentOn || p.parking.times > 0 && goesOn
	first := is && !p.parking.now
	p.parking.now = is
	if !is {
		return
	}
	if first && status.State == patch.StateParked {
		p.parking.times++
		p.happened(onParked, p.parking.times)
	}
	ends := status.NextWindow != nil && !p.Env.Now().Add(lookEvery).Before(status.NextWindow.Opens) &&
		p.Env.Now().Before(status.NextWindow.Opens)
	changes := p.changes()
	if status.State == patch.StateSoaking {
		changes = p.changes("SendCommand") // a look asks the instances
	}
	if status.Since != p.parking.since {
		p.parking.since, p.parking.changes = status.Since, changes
	} else if changes != p.parking.changes {
		p.onHold = append(p.onHold, fmt.Sprintf("while parked: %d changes were made", changes-p.parking.changes))
		p.parking.changes = changes
	} else if !ends {
		return
	}
	p.hearEvidence(status.WaveID)
	p.watchHold(status)
	for _, wrong := range p.parkedWrong(status) {
		p.onHold = append(p.onHold, "while parked: "+wrong)
	}
}

// hearEvidence hears what is written down of a wave that waits: its result says so only once it has closed.
func (p *play) hearEvidence(wave string) {
	var document activities.WaveDocument
	if err := p.Store.GetWave(context.Background(), wave, &document); err != nil {
		return
	}
	for _, stage := range document.Result.Stages {
		for _, group := range stage.Groups {
			p.hearShort(group.Name, group.Instances)
		}
	}
}

// changes counts the calls that changed something in AWS, but for some operations. They are all ours.
func (p *play) changes(but ...string) int {
	count := 0
	for _, event := range p.Sim.Events() {
		if event.Effect && event.Service != "sts" && !slices.Contains(but, event.Operation) {
			count++
		}
	}
	return count
}

// parkedWrong is what must not be while a wave waits parked, besides what must not be at a hold.
func (p *play) parkedWrong(status patch.WaveStatus) []string {
	var found []string
	for _, id := range slices.Sorted(maps.Keys(p.parking.running)) {
		if !strings.HasPrefix(id, names.Notice("")) {
			found = append(found, id+" still runs")
		}
	}
	for _, left := range status.Stranded {
		found = append(found, fmt.Sprintf("%s is stranded (%s), and nobody is asked", left.Resource, left.State))
	}
	quarantined := map[string]bool{}
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Failed {
				quarantined[instance.ID] = instance.Outcome == patch.Quarantined
			}
		}
	}
	p.Sim.Inspect(func(w *world.World) {
		for _, account := range []string{wavetest.Staging, wavetest.Production} {
			region := w.Account(account).Region(wavetest.Tokyo)
			for _, instance := range region.Machines() {
				mark := instance.Tags[names.TagJournal]
				if instance.State != world.Terminated && mark != "" && !p.others.theirs(instance.ID, mark) {
					found = append(found, instance.ID+" carries the journal's tag")
				}
			}
			for _, command := range region.Commands() {
				if slices.Contains(command.Parameters["Operation"], "Install") && !command.Done() {
					found = append(found, fmt.Sprintf("the install %s runs", command.ID))
				}
			}
			for _, group := range region.TargetGroups() {
				for _, was := range p.Before.Targets[group.Name] {
					id, _, _ := strings.Cut(was, ":")
					if p.others.targets[group.Name] == "" && !quarantined[id] && !p.excused(region, id) &&
						wavetest.Registration(group, id, group.Port) == nil {
						found = append(found, fmt.Sprintf("%s is not registered in %s", id, group.Name))
					}
				}
			}
		}
	})
	return found
}

// outside reports whether no window lets an instance be begun at a moment, or shortly before it.
func (p *play) outside(at time.Time) bool {
	windows := p.script.windows(p.began)
	return len(windows) > 0 && !slices.ContainsFunc(windows, func(w patch.Window) bool {
		return !at.Before(w.Opens) && !at.After(w.Cutoff.Add(soon))
	})
}
