package faultsweep

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// settleTime is how long AWS is left alone after a wave before its state is judged: replacements launch meanwhile.
const settleTime = 30 * time.Minute

// fleetBefore is what must be found again.
type fleetBefore struct {
	web       wavetest.Numbers
	suspended []string
	targets   map[string][]string // target group to "instance:port" of the machines, sorted
	packages  map[string]string   // of each instance
	patched   map[string]string   // the packages that an undisturbed wave leaves on each; nil: not judged
	most      int                 // how many of a group may be out at once
	stopped   map[string]bool     // instances that do not run
	catalogue []world.Patch       // what repositories serve
	boots     map[string]string   // of managed nodes
	measured  bool                // metrics judge production's
}

// served has repositories serve what they did: what they have published since is none of what was due.
func (f fleetBefore) served(scene *wavetest.Scene) {
	scene.Sim.Inspect(func(w *world.World) { w.Scenario.Patches = f.catalogue })
}

func fleetOf(scene *wavetest.Scene, fleet string) fleetBefore {
	before := fleetBefore{
		targets: scene.Snapshot().Targets, most: 1, stopped: map[string]bool{}, boots: scene.Boots(),
		measured: fleetNamed(fleet).metric,
	}
	scene.EachRegion(func(region *world.Region) {
		for _, instance := range region.Instances() {
			if instance.State == world.Stopping || instance.State == world.Stopped {
				before.stopped[instance.ID] = true
			}
		}
	})
	if fleetNamed(fleet).several {
		before.most = 2
	}
	scene.Production(func(group *world.ScalingGroup) {
		before.web, before.suspended = wavetest.NumbersOf(group), sortedKeys(group.Suspended)
	})
	before.packages = packagesOf(scene)
	scene.Sim.Inspect(func(w *world.World) { before.catalogue = slices.Clone(w.Scenario.Patches) })
	return before
}

// packagesOf are those of each instance that runs, or is stopped.
func packagesOf(scene *wavetest.Scene) map[string]string {
	packages := map[string]string{}
	scene.EachRegion(func(region *world.Region) {
		for _, instance := range region.Machines() {
			if instance.State == world.Running || instance.State == world.Stopped {
				packages[instance.ID] = instance.Disk().PackageList()
			}
		}
	})
	return packages
}

// oldOrNew reports whether an instance has the packages it had before, or those of a good wave. One that was launched
// meanwhile has those of another before, or after.
func (f fleetBefore) oldOrNew(id, packages string) bool {
	switch {
	case f.patched == nil:
		return true
	case f.packages[id] == "":
		is := func(held string) bool { return held == packages }
		return slices.ContainsFunc(slices.Collect(maps.Values(f.packages)), is) ||
			slices.ContainsFunc(slices.Collect(maps.Values(f.patched)), is)
	}
	return packages == f.packages[id] || packages == f.patched[id]
}

// violations judges the simulator's state and event log after a wave, never the workflow's word, except that something
// which the wave reports as stranded, by name, is told and so no violation.
func violations(scene *wavetest.Scene, before fleetBefore, told tellings) []string {
	j := &judge{told: told}
	scene.Sim.Inspect(func(w *world.World) {
		w.Advance(w.Now().Add(settleTime))
		production := w.Account(wavetest.Production).Region(wavetest.Tokyo)
		staging := w.Account(wavetest.Staging).Region(wavetest.Tokyo)
		j.group(before, scene.WebIn(w))
		for _, region := range []*world.Region{production, staging} {
			j.instances(before, region)
			j.targets(before, region)
			j.work(region)
		}
	})
	for _, group := range []struct{ account, name string }{{wavetest.Staging, "Role=web"}, {wavetest.Production, "web"}} {
		most := before.most
		if group.account == wavetest.Staging {
			most += len(before.stopped)
		}
		if out := scene.Sim.MaxOutOfService(group.account, wavetest.Tokyo, group.name); out > most {
			j.add("%s: %d were out of service at once", group.name, out)
		}
	}
	if out := scene.MostNodesOut(wavetest.Staging); out > before.most {
		j.add("mi:Role=till: %d were out of service, or at work, at once", out)
	}
	events := scene.Sim.Events()
	found := slices.Concat(j.found, wavetest.DoneTwice(events), harmfulCalls(events),
		roomWhileBalanced(events, before.suspended))
	if before.most > 1 { // their group keeps it suspended for all of them
		return found
	}
	return append(found, keptSuspended(events, told)...)
}

// leftAtHold is what must not be while a wave waits for a person: a group can always scale out, and nobody is out.
func leftAtHold(scene *wavetest.Scene, before fleetBefore, told tellings) []string {
	j := &judge{told: told}
	scene.EachRegion(func(region *world.Region) {
		for _, instance := range region.Instances() {
			if before.stopped[instance.ID] && instance.State != world.Stopped {
				j.wrong(instance.ID, "on hold, it is %s and was stopped before", instance.State)
			}
		}
	})
	scene.Production(func(group *world.ScalingGroup) {
		if now := sortedKeys(group.Suspended); !slices.Equal(now, before.suspended) {
			j.wrong("web", "on hold, suspended are %v, were %v", now, before.suspended)
		}
		for _, member := range group.Members() {
			if member.State == world.LifecycleStandby || member.State == world.LifecycleEnteringStandby {
				j.wrong(member.Instance.ID, "on hold, it is %s", member.State)
			}
		}
	})
	scene.EachRegion(func(region *world.Region) { j.nodesAtHold(before, region) })
	return j.found
}

// judge notes what is wrong and was not told.
type judge struct {
	told  tellings
	found []string
}

func (j *judge) add(format string, args ...any) {
	j.found = append(j.found, fmt.Sprintf(format, args...))
}

func (j *judge) wrong(resource, format string, args ...any) {
	if !j.told.of(resource) {
		j.add(resource+": "+format, args...)
	}
}

// group must have its numbers, its processes and as many serving members as it wants, and carry no mark.
func (j *judge) group(before fleetBefore, group *world.ScalingGroup) {
	toldOut := 0 // on standby, which took desired down by as many
	for _, member := range group.Members() {
		if before.most > 1 && member.State == world.LifecycleStandby && j.told.of(member.Instance.ID) {
			toldOut += member.Units()
		}
	}
	now := wavetest.NumbersOf(group)
	now.Desired += toldOut
	if now != before.web {
		j.wrong("web", "min, max, desired are %v, were %v, with %d told as stranded on standby", now, before.web, toldOut)
	}
	if now := sortedKeys(group.Suspended); !slices.Equal(now, before.suspended) {
		j.wrong("web", "suspended are %v, were %v", now, before.suspended)
	}
	// What is stranded keeps its mark, and so does its group: Reconcile must find it again.
	lost := slices.ContainsFunc(j.told.stranded, func(s patch.Stranded) bool { return s.Account == "production" })
	switch marked := slices.ContainsFunc(group.Tags, func(tag world.GroupTag) bool {
		return tag.Key == names.TagJournal
	}); {
	case marked && !lost:
		j.wrong("web", "still carries the journal's tag")
	case !marked && lost:
		j.add("web: carries no mark although something of it is stranded: %+v", j.told.stranded)
	}
	serving := 0
	for _, member := range group.Members() {
		id := member.Instance.ID
		switch {
		case member.State != world.LifecycleInService:
			j.wrong(id, "is %s", member.State)
		case !member.Instance.AppHealthy():
			j.wrong(id, "is in service and its application is ill")
		default:
			serving += member.Units()
		}
	}
	if serving+toldOut != before.web.Desired {
		j.wrong("web", "%d members serve, %d are wanted", serving, before.web.Desired-toldOut)
	}
}

// instances must be members of a group if one launched them, carry no mark, and be on one version: the old or the new.
func (j *judge) instances(before fleetBefore, region *world.Region) {
	members := map[*world.Instance]bool{}
	for _, group := range region.ScalingGroups() {
		for _, member := range group.Members() {
			members[member.Instance] = true
		}
	}
	for _, instance := range region.Machines() {
		if instance.State == world.Terminated {
			continue
		}
		switch {
		case instance.Group != "" && !members[instance]:
			j.wrong(instance.ID, "runs and is no member of %s", instance.Group)
		case before.stopped[instance.ID] != (instance.State == world.Stopped),
			instance.State != world.Running && instance.State != world.Stopped:
			j.wrong(instance.ID, "is %s, and was stopped before: %t", instance.State, before.stopped[instance.ID])
		case instance.Disk() == nil:
			j.wrong(instance.ID, "has no root volume")
		case instance.Disk().PendingReboot():
			j.wrong(instance.ID, "waits for a reboot")
		case !before.oldOrNew(instance.ID, instance.Disk().PackageList()):
			j.wrong(instance.ID, "is on neither version: its packages are neither as before nor as patched")
		}
		// What an instance's way left of its group, such as suspended processes, stands in that instance's record: it keeps
		// its mark.
		switch marked := instance.Tags[names.TagJournal] != ""; {
		case marked && !j.told.keeps(instance.ID):
			j.add("%s: still carries the journal's tag, and nothing that its record holds is told as stranded", instance.ID)
		case !marked && slices.ContainsFunc(j.told.left[instance.ID], beyondMark):
			j.add("%s: carries no mark although something its record holds is stranded: %+v", instance.ID,
				j.told.left[instance.ID])
		}
	}
}

// beyondMark tells what is stranded besides the mark itself: where nobody knows whether the mark went on or came off,
// the instance may carry it or not, and either way everything else must be as before, which is judged as if nothing
// were told.
func beyondMark(s patch.Stranded) bool {
	return !strings.HasPrefix(s.State, "undo of "+string(patch.StepMark)+" failed")
}

// targets must be registered and healthy where the instance was before, as long as it exists.
func (j *judge) targets(before fleetBefore, region *world.Region) {
	for _, group := range region.TargetGroups() {
		for _, target := range before.targets[group.Name] {
			id, port, _ := strings.Cut(target, ":")
			if instance := region.Machine(id); instance == nil || instance.State == world.Terminated {
				continue
			}
			number, _ := strconv.Atoi(port)
			if target := wavetest.Registration(group, id, number); target == nil || target.State != world.TargetHealthy {
				j.wrong(id, "is not healthy in %s", group.Name)
			}
		}
	}
}

// work that was begun must have ended: nobody watches it any more.
func (j *judge) work(region *world.Region) {
	for _, execution := range region.Executions() {
		if !execution.Done() && execution.Document != napDocument {
			j.wrong(strings.Join(execution.Parameters["InstanceId"], ","), "the execution %s is still %s", execution.ID,
				execution.Status)
		}
	}
	for _, command := range region.Commands() {
		if slices.Contains(command.Parameters["Operation"], "Install") && !command.Done() {
			j.wrong(command.Invocations[0].Instance.ID, "the install %s still runs", command.ID)
		}
	}
}

// lies compares what a wave says of its instances with the machines.
func lies(scene *wavetest.Scene, before fleetBefore, result *patch.WaveResult) []string {
	if result == nil {
		return nil
	}
	found := scene.NodesUntrue(result, before.boots, true)
	if before.measured {
		found = append(found, scene.Unmeasured(result, 2)...)
	}
	if result.Outcome == patch.Succeeded && before.patched != nil {
		for id, packages := range packagesOf(scene) {
			if packages != before.patched[id] {
				found = append(found, id+": the wave says succeeded, and its packages are not those of a good wave")
			}
		}
	}
	scene.EachRegion(func(region *world.Region) {
		for _, instance := range instancesOf(result) {
			machine := region.Machine(instance.ID)
			if machine == nil || machine.State != world.Running && machine.State != world.Stopped {
				continue
			}
			packages := machine.Disk().PackageList()
			asBefore := packages == before.packages[instance.ID]
			switch instance.Outcome {
			case patch.Patched:
				if before.patched != nil && packages != before.patched[instance.ID] {
					found = append(found, instance.ID+": said to be patched, and its packages are not those of a good wave")
				}
			case patch.RolledBack, patch.NotStarted, patch.Skipped:
				if !asBefore {
					found = append(found,
						fmt.Sprintf("%s: said to be %s, and its packages are not as before", instance.ID, instance.Outcome))
				}
			case patch.Failed:
				if !asBefore && !instance.StillPatched && len(instance.Stranded) == 0 {
					found = append(found,
						fmt.Sprintf("%s: failed, and it is not told that its packages are not as before", instance.ID))
				}
			}
		}
	})
	return found
}

func instancesOf(result *patch.WaveResult) []patch.InstanceResult {
	var all []patch.InstanceResult
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			all = append(all, group.Instances...)
		}
	}
	return all
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
