package property

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// ours are the only processes that a wave may suspend.
var ours = []string{"AZRebalance", "InstanceRefresh", "ReplaceUnhealthy"}

// violations judges a script that has been played: the simulator's state once AWS has settled, its event log, and last
// whether what the wave told of its instances is so.
func (p *play) violations() []string {
	found := append(slices.Clone(p.onHold), p.unproven()...)
	found = append(found, p.untrue()...)
	found = append(found, p.ear.Untold(p.result)...)
	found = append(found, p.notDone()...)
	p.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(wavetest.Settled)) })
	found = append(found, p.resting(p.stranded)...)
	p.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Production).Region(wavetest.Tokyo)
		for _, group := range region.ScalingGroups() {
			found = append(found, p.groupWrong(group)...)
		}
		for _, account := range []string{wavetest.Staging, wavetest.Production} {
			found = append(found, p.regionWrong(w.Account(account).Region(wavetest.Tokyo))...)
		}
	})
	found = append(found, p.outWrong()...)
	found = append(found, p.nodesWrong()...)
	found = append(found, p.ImageOpen(p.result)...)
	found = append(found, p.metricWrong()...)
	found = append(found, p.touchedExcluded()...)
	found = append(found, p.stopsOthers()...)
	found = append(found, wavetest.DoneTwice(p.Sim.Events(), p.others.returned...)...)
	found = append(found, p.eventsWrong()...)
	return append(found, p.toldWrong()...)
}

// notDone is what was not done, of all that could be, and that nobody is told of.
func (p *play) notDone() []string {
	return p.progress.Missed(p.result, p.gaveUp || !p.stopped.IsZero())
}

// told reports whether a resource is told as stranded, by name.
func told(stranded []patch.Stranded, kind, name string) bool {
	return slices.ContainsFunc(stranded, func(s patch.Stranded) bool {
		return s.Resource == kind+" "+name || kind == "instance" && s.Resource == "managed node "+name
	})
}

func toldGroup(stranded []patch.Stranded, name string) bool {
	return told(stranded, "auto scaling group", name) || told(stranded, "group", name)
}

// launches reports whether a group can launch what it lacks.
func (p *play) launches(group *world.ScalingGroup) bool {
	if group.Suspended["Launch"] != "" || group.Suspended["Terminate"] != "" {
		return false
	}
	return !slices.ContainsFunc(p.script.Faults, func(f scriptFault) bool { return f.Kind == world.FaultNoCapacity })
}

// resting is what must be so of the production groups while nothing is under way: at holds, at approvals and at the
// end.
func (p *play) resting(stranded []patch.Stranded) []string {
	found := p.stoppedWrong(stranded)
	p.events = p.Sim.Events()
	p.Sim.Inspect(func(w *world.World) {
		for _, group := range w.Account(wavetest.Production).Region(wavetest.Tokyo).ScalingGroups() {
			if toldGroup(stranded, group.Name) {
				continue
			}
			found = append(found, p.processesWrong(group)...)
			if !p.someTold(stranded, group) && !p.others.overwritten[group.Name] {
				found = append(found, p.numbersWrong(group)...)
			}
			for _, tag := range group.Tags {
				// It stays, to be found, while an instance is stranded.
				if tag.Key == names.TagJournal && !p.someTold(stranded, group) {
					found = append(found, fmt.Sprintf("%s: carries the journal's tag", group.Name))
				}
			}
			for _, member := range group.Members() {
				id := member.Instance.ID
				outOf := member.State == world.LifecycleStandby || member.State == world.LifecycleEnteringStandby
				if outOf && !told(stranded, "instance", id) && !p.others.touched[id][actStandby] &&
					!p.others.touched[id][actStandbyReplaced] {
					found = append(found, fmt.Sprintf("%s: %s is %s (EC2: %s)", group.Name, id, member.State, member.Instance.State))
				}
			}
		}
	})
	return found
}

// someTold reports whether an instance that is or was a member is told as stranded: its group may be one short.
func (p *play) someTold(stranded []patch.Stranded, group *world.ScalingGroup) bool {
	ids := slices.Clone(p.Before.Groups[wavetest.GroupKey(group)].Members)
	for _, member := range group.Members() {
		ids = append(ids, member.Instance.ID)
	}
	for _, event := range p.events { // also one that came and was taken out meanwhile
		if event.Operation == "EnterStandby" &&
			strings.Contains(string(event.Arguments), `"AutoScalingGroupName":"`+group.Name+`"`) {
			ids = append(ids, strings.Split(event.Resource, ",")...)
		}
	}
	return slices.ContainsFunc(ids, func(id string) bool { return told(stranded, "instance", id) })
}

func (p *play) processesWrong(group *world.ScalingGroup) []string {
	var found []string
	before := p.Before.Groups[wavetest.GroupKey(group)].Suspended
	for _, process := range world.Processes {
		if process == "Launch" && !p.launches(group) {
			continue // AWS suspends it by itself when launches fail for long
		}
		want := slices.Contains(before, process)
		if theirs, said := p.others.suspends[group.Name][process]; said {
			want = theirs
		}
		if is := group.Suspended[process] != ""; is != want && !p.others.either[group.Name+" "+process] {
			found = append(found, fmt.Sprintf("%s: %s is suspended: %t, should be: %t", group.Name, process, is, want))
		}
	}
	return found
}

func (p *play) numbersWrong(group *world.ScalingGroup) []string {
	before := p.Before.Groups[wavetest.GroupKey(group)]
	want := wavetest.Numbers{Min: before.Min, Max: before.Max, Desired: before.Desired + p.others.desired[group.Name]}
	if low, set := p.others.min[group.Name]; set {
		want.Min = low
	}
	if high, set := p.others.max[group.Name]; set {
		want.Max = high
	}
	is := wavetest.NumbersOf(group)
	if p.others.unclear[group.Name] {
		want.Desired = is.Desired
	}
	if surged := p.raised(group.Name); surged && want.Desired < is.Desired && is.Desired <= before.Desired {
		want.Desired = is.Desired // a scale-in that took the surge's instance is taken for our own giving back
	}
	if want.Desired == is.Desired+1 && p.short[group.Name] {
		want.Desired = is.Desired // others scaled it while one was out that then left for good
	}
	if is != want {
		return []string{fmt.Sprintf("%s: min, max, desired are %v, should be %v", group.Name, is, want)}
	}
	return nil
}

// hearShort notes the group of an instance of which the wave says that it is, or may be, one short since.
func (p *play) hearShort(group string, instances []patch.InstanceResult) {
	for _, instance := range instances {
		if strings.Contains(strings.Join(instance.Notes, " "), " one short: ") {
			p.short[path.Base(group)] = true
		}
	}
}

// raised reports whether we raised the group's desired at some time.
func (p *play) raised(group string) bool {
	return slices.ContainsFunc(p.events, func(e awssim.Event) bool {
		return e.Effect && (e.Operation == "SetDesiredCapacity" || e.Operation == "UpdateAutoScalingGroup") &&
			e.Resource == group
	})
}

// groupWrong is what must be so of a group in the end.
func (p *play) groupWrong(group *world.ScalingGroup) []string {
	var found []string
	serving := 0
	for _, member := range group.Members() {
		id := member.Instance.ID
		touched := p.others.touched[id]
		found = append(found, p.unattached(group, member)...)
		switch {
		case member.State == world.LifecycleInService && member.Instance.AppHealthy():
			serving += member.Units()
		case touched[actStop], touched[actStandby], touched[actStandbyReplaced], touched[actTerminate], touched[actSpot]:
			serving += member.Units() // by nobody's fault but theirs: where ReplaceUnhealthy is suspended nothing replaces it
		case told(p.stranded, "instance", id):
		case member.State == world.LifecycleInService:
			found = append(found,
				fmt.Sprintf("%s: %s is in service and its application is ill (%s, %s)", group.Name, id, member.Instance.State,
					p.outcomes[id]))
		case p.launches(group):
			found = append(found, fmt.Sprintf("%s: %s is %s in the end (%s)", group.Name, id, member.State, p.outcomes[id]))
		}
	}
	if serving < group.Desired && p.launches(group) && len(found) == 0 && p.others.outs[group.Name] == 0 &&
		!p.someTold(p.stranded, group) {
		found = append(found, fmt.Sprintf("%s: %d serve in the end and %d are desired", group.Name, serving, group.Desired))
	}
	return found
}

// unattached finds a member in service that is not registered where its group is attached now.
func (p *play) unattached(group *world.ScalingGroup, member *world.Member) []string {
	var found []string
	if member.State != world.LifecycleInService || group.Suspended["AddToLoadBalancer"] != "" ||
		p.others.either[group.Name+" AddToLoadBalancer"] || p.excused(group.Region, member.Instance.ID) {
		return nil
	}
	for _, target := range group.TargetGroups {
		if target.Find(member.Instance.ID, 0) == nil {
			found = append(found, fmt.Sprintf("%s is not registered in %s in the end, which its group is attached to",
				member.Instance.ID, target.Name))
		}
	}
	return found
}

// cancelledAway reports whether all that is left of a command is cancelled on machines whose agents are away, and which
// are told: it ends when they are back, and nobody can do more about it.
func (p *play) cancelledAway(command *world.Command) bool {
	return !slices.ContainsFunc(command.Invocations, func(v *world.Invocation) bool {
		id := v.Instance.ID
		away := v.Status == "Cancelling" && !v.Instance.AgentOnline()
		return !v.Done() && (!away || p.outcomes[id] != patch.Quarantined && !told(p.stranded, "instance", id))
	})
}

// regionWrong is what must be so of instances, targets and commands in the end.
func (p *play) regionWrong(region *world.Region) []string {
	var found []string
	for _, instance := range region.Machines() {
		// Its mark stays while anything of it or of its group is stranded, so that it is found again.
		mark := instance.Tags[names.TagJournal]
		marked := instance.State != world.Terminated && mark != "" && !p.others.theirs(instance.ID, mark)
		if marked && !told(p.stranded, "instance", instance.ID) && !toldGroup(p.stranded, instance.Group) {
			found = append(found,
				fmt.Sprintf("%s carries the journal's tag in the end (%s)", instance.ID, p.outcomes[instance.ID]))
		}
	}
	for _, command := range region.Commands() {
		if slices.Contains(command.Parameters["Operation"], "Install") && !command.Done() && !p.cancelledAway(command) {
			found = append(found, fmt.Sprintf("the install %s still runs", command.ID))
		}
	}
	for _, group := range region.TargetGroups() {
		for _, was := range p.Before.Targets[group.Name] {
			id, port, _ := strings.Cut(was, ":")
			if p.others.targets[group.Name] != "" || p.excused(region, id) {
				continue
			}
			number, err := strconv.Atoi(port)
			require.NoError(p.T, err)
			if target := wavetest.Registration(group, id, number); target == nil || target.State != world.TargetHealthy {
				found = append(found, fmt.Sprintf("%s is not healthy in %s in the end (%s)", id, group.Name, p.outcomes[id]))
			}
		}
		for id, touched := range p.others.touched {
			instance := region.Instance(id)
			if touched[actRegister] && p.others.targets[group.Name] == "" &&
				strings.HasSuffix(group.Name, "-elsewhere") && instance != nil &&
				instance.Group == strings.TrimSuffix(group.Name, "-elsewhere") &&
				!p.excused(region, id) && group.Find(id, group.Port) == nil {
				found = append(found,
					fmt.Sprintf("%s was registered in %s by somebody and is not there in the end", id, group.Name))
			}
		}
	}
	return found
}

// excused reports whether an instance need not be registered where it was: it is gone or out of its group, it was
// quarantined, its trouble is told, or others had their hands on it.
func (p *play) excused(region *world.Region, id string) bool {
	instance := region.Machine(id)
	if instance == nil || instance.State != world.Running || instance.Group != "" && region.MemberOf(id) == nil {
		return true
	}
	touched := p.others.touched[id]
	return p.outcomes[id] == patch.Quarantined || told(p.stranded, "instance", id) || touched[actStop] ||
		touched[actUntarget] ||
		touched[actStandby] || touched[actStandbyReplaced] || touched[actDeregister]
}

// outWrong is the first promise, from the simulator's own timeline since the wave began.
func (p *play) outWrong() []string {
	allowed := map[string]int{wavetest.Staging + "/": p.script.maxUnavailable()}
	for i := range p.script.Groups {
		allowed[wavetest.Production+"/"+groupNames[i]] = p.script.maxUnavailable() + p.others.outs[groupNames[i]]
	}
	var found []string
	for _, line := range p.Sim.Timeline() {
		most, stopped := 0, map[string]bool{} // who was stopped before, and is out
		for _, point := range line.Points {
			if slices.Contains(p.wasStopped, point.Instance) {
				stopped[point.Instance] = point.Out
			}
			if point.Time.After(p.began) {
				most = max(most, point.OutOfService-truths(stopped))
			}
		}
		if may, known := allowed[line.Account+"/"+line.Group]; known && most > may {
			found = append(found,
				fmt.Sprintf("%s/%s: %d were out of service at once, %d may be", line.Account, line.Group, most, may))
		}
	}
	return found
}

func truths(of map[string]bool) (count int) {
	for _, so := range of {
		if so {
			count++
		}
	}
	return count
}

// toldWrong compares what the wave tells with what is.
func (p *play) toldWrong() []string {
	var found []string
	if p.result == nil {
		if len(p.Effects("EnterStandby"))+len(p.Effects("DeregisterTargets")) > 0 {
			found = append(found, fmt.Sprintf("the wave changed instances and ended without a result: %v", p.err))
		}
		return found
	}
	for _, left := range p.stranded {
		if left.Resource == "" || left.State == "" || left.WhatToDo == "" {
			found = append(found, fmt.Sprintf("stranded without a name, a state or what to do: %+v", left))
		}
	}
	p.EachRegion(func(region *world.Region) {
		for _, instance := range region.Machines() {
			outcome := p.outcomes[instance.ID]
			there := instance.State == world.Running || instance.State == world.Stopped
			if !there || outcome == "" || told(p.stranded, "instance", instance.ID) {
				continue
			}
			// vim is too young to be approved, so a patched machine is behind by one.
			behind := instance.BehindBy() > 1
			switch outcome {
			case patch.Patched, patch.AlreadyCompliant:
				if behind {
					found = append(found,
						fmt.Sprintf("%s is told to be %s and is behind by %d", instance.ID, outcome, instance.BehindBy()))
				}
			case patch.RolledBack, patch.Skipped, patch.NotStarted:
				if !behind && p.script.Patch != patchNothing {
					found = append(found, fmt.Sprintf("%s is told to be %s and has its patches", instance.ID, outcome))
				}
			}
		}
	})
	return found
}

// untrue is what the wave tells and the machines do not show. One that takes some was asked for no more than them, and
// so for nobody who waits in a warm pool.
func (p *play) untrue() []string {
	return slices.DeleteFunc(p.Untrue(p.result), func(found string) bool {
		return p.script.Shape.Only > 0 && strings.Contains(found, " waits in the warm pool of ")
	})
}
