package property

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// eventsWrong finds in the log of calls, which are all ours, what we must never do.
func (p *play) eventsWrong() []string {
	var found []string
	suspended, begun, taken := map[string]bool{}, map[string]time.Time{}, map[string]time.Time{}
	rang := map[string]bool{} // taken out last while an alarm rang
	out := map[string]bool{}  // groups of which one was sent into standby
	kept := map[string]bool{} // groups that were to terminate nobody while one leaves, of which none was let go yet
	for _, event := range p.Sim.Events() {
		var in struct {
			AutoScalingGroupName, InstanceId string
			InstanceIds, ScalingProcesses    []string
		}
		_ = json.Unmarshal(event.Arguments, &in)
		switch event.Operation {
		case "EnterStandby":
			out[in.AutoScalingGroupName] = true
		case "DetachInstances":
			delete(kept, in.AutoScalingGroupName)
		}
		if !event.Effect {
			continue
		}
		before := p.Before.Groups["production/"+wavetest.Tokyo+"/"+in.AutoScalingGroupName]
		switch event.Operation {
		case "SuspendProcesses":
			for _, process := range in.ScalingProcesses {
				// One that is out may have to leave for good, and its group is to terminate nobody else for it.
				leaves := process == "Terminate" && out[in.AutoScalingGroupName]
				if leaves {
					kept[in.AutoScalingGroupName] = true
				}
				may := slices.Contains(ours, process) || leaves
				if !may || slices.Contains(before.Suspended, process) &&
					!p.others.saidOf(in.AutoScalingGroupName, process) {
					found = append(found, fmt.Sprintf("%s: we suspended %s", in.AutoScalingGroupName, process))
				}
				suspended[in.AutoScalingGroupName+" "+process] = true
			}
			if len(in.ScalingProcesses) == 0 {
				found = append(found, in.AutoScalingGroupName+": we suspended all processes")
			}
		case "ResumeProcesses":
			for _, process := range in.ScalingProcesses {
				if !suspended[in.AutoScalingGroupName+" "+process] {
					found = append(found,
						fmt.Sprintf("%s: we resumed %s, which we had not suspended", in.AutoScalingGroupName, process))
				}
			}
			if len(in.ScalingProcesses) == 0 {
				found = append(found, in.AutoScalingGroupName+": we resumed all processes")
			}
		case "TerminateInstanceInAutoScalingGroup", "TerminateInstances":
			for _, id := range append(in.InstanceIds, in.InstanceId) {
				if p.wasThere(id) && p.script.Plan.Restore != string(patch.RestoreReplace) {
					found = append(found, fmt.Sprintf("%s, which was there before, was terminated by %s", id, event.Operation))
				}
			}
		case "EnterStandby", "DeregisterTargets":
			found = append(found, p.crowds(event, begun)...)
			found = append(found, p.beginsLate(event, begun)...)
			for id := range strings.SplitSeq(event.Resource, ",") {
				taken[id] = event.Time
				delete(rang, id)
				if p.script.alarmed() && event.Account == wavetest.Production && p.atOut[event.Call()].rings {
					rang[id] = true
				}
			}
		case "AddTagsToResource": // which is the first that is done to a node
			if strings.Contains(string(event.Arguments), names.TagJournal) {
				found = append(found, p.beginsLate(event, begun)...)
				taken[event.Resource] = event.Time
			}
		case "StartAutomationExecution":
			found = append(found, p.installsLate(event, taken)...)
			for id := range rang {
				if strings.Contains(string(event.Arguments), id) {
					found = append(found, fmt.Sprintf("%s was begun while an alarm rang", id))
				}
			}
		}
	}
	for group := range kept {
		found = append(found, group+": we suspended Terminate, and let nobody go")
	}
	return found
}

func (o *othersLog) saidOf(group, process string) bool {
	_, said := o.suspends[group][process]
	return said
}

// wasThere reports whether an instance was there before the wave. One that waited in a warm pool comes into service in
// place of a launch.
func (p *play) wasThere(id string) bool {
	_, there := p.Before.Instances[id]
	return there && !slices.Contains(p.wasWarm, id)
}

// surging is 1 while we have raised a group's desired for room, and not lowered it again.
func (p *play) surging(group string, by awssim.Event) (times int) {
	for _, event := range p.Sim.Events() {
		raises := event.Operation == "SetDesiredCapacity" || event.Operation == "UpdateAutoScalingGroup" // with max
		if event.Seq < by.Seq && event.Effect && raises && event.Resource == group {
			times++
		}
	}
	return times % 2
}

// crowds finds instances that were begun although as many as may be were out already, by whomever, and had been for a
// while: what others do while one is on its way out cannot be known. Nor can a registration that was made by hand, once
// somebody has taken it away: AWS shows an instance that is in service and that nothing sends anything to.
func (p *play) crowds(event awssim.Event, begun map[string]time.Time) []string {
	var found []string
	for id := range strings.SplitSeq(event.Resource, ",") {
		if _, again := begun[id]; again || !strings.HasPrefix(id, "i-") {
			continue
		}
		group := ""
		p.Sim.Inspect(func(w *world.World) {
			for _, account := range []string{wavetest.Staging, wavetest.Production} {
				if instance := w.Account(account).Region(wavetest.Tokyo).Instance(id); instance != nil {
					group = account + "/" + instance.Group
				}
			}
		})
		for _, line := range p.Sim.Timeline() {
			if line.Account+"/"+line.Group != group {
				continue
			}
			least, itself := 0, 0 // one that is out takes nothing away
			replaced, gone := map[string]bool{}, map[string]bool{}
			for _, point := range line.Points {
				if !point.Time.Before(event.Time) {
					break
				}
				if p.others.replaced[point.Instance] {
					replaced[point.Instance] = point.Out
				}
				if slices.Contains(p.wasStopped, point.Instance) {
					gone[point.Instance] = point.Out
				}
				if point.Instance == id {
					itself = map[bool]int{true: 1}[point.Out]
				}
				if point.Time.After(event.Time.Add(-soon)) {
					least = min(least, point.OutOfService)
				} else {
					least = point.OutOfService
				}
			}
			least -= itself
			for other, out := range gone { // stopped by somebody before the wave, and out because of nobody
				if out && other != id {
					least--
				}
			}
			for _, out := range replaced {
				if out && p.atOut[event.Call()].whole {
					least-- // another serves in its place
				}
			}
			if p.others.outs[line.Group] > 0 && p.atOut[event.Call()].short <= p.surging(line.Group, event) {
				continue // the one launched for room serves in the place of whom others took out
			}
			if least >= p.script.maxUnavailable()+p.others.unknown[strings.TrimPrefix(group, wavetest.Production+"/")] {
				found = append(found,
					fmt.Sprintf("%s was begun at %s, when %d of %s were out already", id, event.Time, least, group))
			}
		}
	}
	return found
}

// soon is how long after a stop or a cutoff what was begun just before may still take its first step.
const soon = 2 * time.Minute

// installsLate finds installs on instances that were taken out last outside every window, or after the wave was
// stopped: one that is tried again is begun anew.
func (p *play) installsLate(event awssim.Event, taken map[string]time.Time) []string {
	var in struct{ Parameters struct{ InstanceId []string } }
	if json.Unmarshal(event.Arguments, &in) != nil || len(in.Parameters.InstanceId) != 1 {
		return []string{"an install of nobody knows what: " + string(event.Arguments)}
	}
	id := in.Parameters.InstanceId[0]
	out, known := taken[id]
	switch {
	case !known: // of a tag group that nothing balances
	case p.outside(out):
		return []string{
			fmt.Sprintf("%s was patched at %s after it went out at %s, outside every window", id, event.Time, out),
		}
	case !p.stopped.IsZero() && out.After(p.stopped.Add(soon)):
		return []string{
			fmt.Sprintf("%s was patched at %s after it went out at %s, after the wave was stopped at %s", id, event.Time, out,
				p.stopped),
		}
	}
	return nil
}

// beginsLate finds instances that were begun outside every window or after the wave was stopped. One that had been
// begun before may be put back at any time.
func (p *play) beginsLate(event awssim.Event, begun map[string]time.Time) []string {
	var found []string
	for id := range strings.SplitSeq(event.Resource, ",") {
		if _, again := begun[id]; again || !strings.HasPrefix(id, "i-") && !patch.IsNode(id) {
			continue
		}
		begun[id] = event.Time
		if p.outside(event.Time) {
			found = append(found, fmt.Sprintf("%s was begun at %s, outside every window", id, event.Time))
		}
		if !p.stopped.IsZero() && event.Time.After(p.stopped.Add(soon)) {
			found = append(found, fmt.Sprintf("%s was begun at %s, after the wave was stopped at %s", id, event.Time, p.stopped))
		}
	}
	return found
}
