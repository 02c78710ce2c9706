package property

import (
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// othersLog is what others did to the production groups, so that it can be told from what we did.
type othersLog struct {
	desired  map[string]int             // by how much they changed a group's desired
	min, max map[string]int             // what they set it to last
	suspends map[string]map[string]bool // by group and process: suspended by them, or resumed
	touched  map[string]map[string]bool // by instance: what was done to it
	outs     map[string]int             // by group: how often they took something out of service
	deleted  map[string]bool
	refresh  map[string]bool

	// Nobody can tell theirs from ours where they do to an instance or a process just what we are doing to it.
	unclear map[string]bool // groups whose desired is
	// By group: instances that nobody can know to be meant to serve where they are not registered any more.
	unknown map[string]int
	either  map[string]bool // "group process"

	nodesOut int // how many registrations of nodes they took away

	replaced map[string]bool   // by instance: on standby, and another was launched in its place
	targets  map[string]string // by target group: what was done to it
	attached []string          // instances
	returned []wavetest.Return // whom they brought back from standby

	overwritten map[string]bool      // groups whose numbers they changed just before we set them
	changed     map[string]time.Time // when they last changed a group's numbers

	signed   []string          // marks of ours that were on an instance, the oldest first
	replayed map[string]string // by instance: the one that they put on
}

func newOthersLog() othersLog {
	return othersLog{
		desired: map[string]int{}, min: map[string]int{}, max: map[string]int{}, suspends: map[string]map[string]bool{},
		touched: map[string]map[string]bool{}, outs: map[string]int{}, deleted: map[string]bool{}, refresh: map[string]bool{},
		unclear: map[string]bool{}, unknown: map[string]int{}, either: map[string]bool{}, overwritten: map[string]bool{},
		changed: map[string]time.Time{}, replaced: map[string]bool{}, targets: map[string]string{},
		replayed: map[string]string{},
	}
}

// theirs reports whether a mark on an instance is none that we put there.
func (o *othersLog) theirs(instance, mark string) bool {
	return mark == markByHand || mark != "" && o.replayed[instance] == mark
}

// remember keeps the marks that are on instances, to be put on again later. It runs under the simulator's lock.
func (o *othersLog) remember(region *world.Region) {
	for _, group := range region.ScalingGroups() {
		for _, member := range group.Members() {
			mark := member.Instance.Tags[names.TagJournal]
			if mark != "" && mark != markByHand && !slices.Contains(o.signed, mark) {
				o.signed = append(o.signed, mark)
			}
		}
	}
}

// old is a mark that somebody may put on an instance: its own of before, or else the oldest of another's.
func (o *othersLog) old(instance string) string {
	for _, mark := range o.signed {
		if strings.HasSuffix(mark, instance) {
			return mark
		}
	}
	if len(o.signed) > 0 {
		return o.signed[0]
	}
	return ""
}

// do lets it happen, under the simulator's lock, and notes what came of it at once. What cannot happen does not.
func (o *othersLog) do(p *play, act otherAct) {
	name := groupNames[act.Group%len(p.script.Groups)]
	region := p.world.Account(wavetest.Production).Region(wavetest.Tokyo)
	group, err := region.ScalingGroup(name)
	if err != nil {
		return
	}
	before := wavetest.NumbersOf(group)
	o.act(p, act, region, group)
	if before.Min != group.Min {
		o.min[name] = group.Min
	}
	if before.Max != group.Max {
		o.max[name] = group.Max
	}
	o.desired[name] += group.Desired - before.Desired
	if before != wavetest.NumbersOf(group) {
		o.changed[name] = p.world.Now()
	}
}

func (o *othersLog) act(p *play, act otherAct, region *world.Region, group *world.ScalingGroup) {
	happen := func(fault world.WorldFault) {
		fault.Account, fault.Group = "production", group.Name
		p.world.Happen(fault, nil)
	}
	desired, high := group.Desired, group.Max+act.By+1
	switch act.Do {
	case actScaleOut:
		happen(world.WorldFault{Kind: world.FaultScaleOut, By: act.By + 1})
	case actScaleIn:
		happen(world.WorldFault{Kind: world.FaultScaleIn, By: act.By + 1})
	case actRaiseMin:
		happen(world.WorldFault{Kind: world.FaultLimits, Min: &desired})
	case actLowerMax:
		happen(world.WorldFault{Kind: world.FaultLimits, Max: &desired})
	case actRaiseMax:
		happen(world.WorldFault{Kind: world.FaultLimits, Max: &high})
	case actSuspend:
		o.noteProcesses(p, group, act.Names, true)
		happen(world.WorldFault{Kind: world.FaultSuspended, Processes: act.Names})
	case actResume:
		o.noteProcesses(p, group, act.Names, false)
		_ = group.Resume(act.Names) // the names are known
	case actRefresh:
		o.refresh[group.Name] = true
		happen(world.WorldFault{Kind: world.FaultForeignRefresh})
	case actDelete:
		o.deleted[group.Name] = true
		happen(world.WorldFault{Kind: world.FaultGroupDeleted})
	case actAttach:
		o.attach(region, group)
	case actAttachTargets, actDetachTargets, actSwapTargets, actDeleteTargets:
		o.actOnTargets(act, region, group)
	case actRing:
		ring(region, 20*(act.By+1))
	default:
		if member := chosen(group, act.Instance); member != nil {
			o.actOn(act, region, group, member)
		}
	}
}

func (o *othersLog) noteProcesses(p *play, group *world.ScalingGroup, processes []string, suspended bool) {
	if o.suspends[group.Name] == nil {
		o.suspends[group.Name] = map[string]bool{}
	}
	for _, process := range processes {
		theirs, said := o.suspends[group.Name][process]
		if !said {
			theirs = slices.Contains(p.Before.Groups[wavetest.GroupKey(group)].Suspended, process)
		}
		// Suspended by us for one that left for good, which is no member any more: AWS keeps no second owner.
		ours := suspended && group.Suspended[process] != "" && !theirs
		o.suspends[group.Name][process] = suspended
		if ours || atWork(group) != nil {
			o.either[group.Name+" "+process] = true
		}
	}
}

// chosen is the member that something is done to.
func chosen(group *world.ScalingGroup, number int) *world.Member {
	if number == othersAtWork {
		return atWork(group)
	}
	members := group.Members()
	if len(members) == 0 {
		return nil
	}
	slices.SortFunc(members, func(a, b *world.Member) int { return a.Instance.Ordinal - b.Instance.Ordinal })
	return members[number%len(members)]
}

func (o *othersLog) actOn(act otherAct, region *world.Region, group *world.ScalingGroup, member *world.Member) {
	instance := member.Instance
	if o.touched[instance.ID] == nil {
		o.touched[instance.ID] = map[string]bool{}
	}
	o.touched[instance.ID][act.Do] = true
	worn := instance.Tags[names.TagJournal]
	ours := worn != "" && !o.theirs(instance.ID, worn)
	switch act.Do {
	case actStandby, actStandbyReplaced, actComeBack, actDetach:
		o.unclear[group.Name] = o.unclear[group.Name] || ours
	}
	switch act.Do {
	case actTerminate:
		instance.Terminate()
	case actSpot:
		region.World.Happen(world.WorldFault{
			Kind: world.FaultSpotInterruption, Account: "production", Instance: instance.ID,
		}, nil)
	case actStop:
		if instance.Stop() == nil {
			o.outs[group.Name]++
		}
	case actStandby:
		decrement := group.Desired > group.Min
		if _, err := group.EnterStandby([]string{instance.ID}, decrement); err == nil {
			o.outs[group.Name]++
			o.replaced[instance.ID] = !decrement
		}
	case actStandbyReplaced:
		if _, err := group.EnterStandby([]string{instance.ID}, false); err == nil {
			o.outs[group.Name]++
			o.replaced[instance.ID] = true
		}
	case actDetach:
		_, _ = group.Detach([]string{instance.ID}, act.By%2 == 0) // where min forbids it, they leave it
	case actMark:
		if instance.Tags[names.TagJournal] == "" {
			instance.Tags[names.TagJournal] = markByHand
		}
	case actReplay:
		if old := o.old(instance.ID); instance.Tags[names.TagJournal] == "" && old != "" {
			instance.Tags[names.TagJournal], o.replayed[instance.ID] = old, old
		}
	case actQuarantine:
		if instance.Tags[names.TagQuarantine] == "" {
			instance.Tags[names.TagQuarantine] = or(o.old(instance.ID), markByHand)
		}
	case actUnmark:
		delete(instance.Tags, names.TagJournal)
	case actComeBack:
		if _, err := group.ExitStandby([]string{instance.ID}); err == nil { // one that is not on standby stays where it is
			o.returned = append(o.returned, wavetest.Return{Instance: instance.ID, At: region.World.Now()})
		}
	case actDeregister:
		for _, target := range region.TargetGroups() {
			if target.Find(instance.ID, 80) != nil {
				_ = target.Deregister(instance.ID, 80) // it was just found
				o.outs[group.Name]++
				if target.Name == byHand(group.Name) {
					o.unknown[group.Name]++
				}
				return
			}
		}
	case actRegister:
		for _, target := range region.TargetGroups() {
			if target.Name == elsewhere(group.Name) {
				_ = target.Register(instance, 0) // one that does not run cannot be
			}
		}
	}
}

// markByHand is what somebody writes into a tag of ours.
const markByHand = "by-hand"

// attach takes the spare instance into the group, which has room for it or not.
func (o *othersLog) attach(region *world.Region, group *world.ScalingGroup) {
	for _, instance := range region.Instances() {
		if instance.Tags["Name"] == spare && group.Attach([]string{instance.ID}) == nil {
			o.attached = append(o.attached, instance.ID)
		}
	}
}

// actOnTargets changes where a group is registered. Whoever serves through what is taken away serves there no more.
func (o *othersLog) actOnTargets(act otherAct, region *world.Region, group *world.ScalingGroup) {
	drop := func(target *world.TargetGroup) {
		if group.DetachTargetGroups([]*world.TargetGroup{target}) == nil {
			o.targets[target.Name] = act.Do
		}
	}
	attach := func() {
		for _, target := range region.TargetGroups() {
			if target.Name == elsewhere(group.Name) {
				group.AttachTargetGroups([]*world.TargetGroup{target})
				delete(o.targets, target.Name)
			}
		}
	}
	switch act.Do {
	case actAttachTargets:
		attach()
	case actDetachTargets, actSwapTargets:
		for _, target := range slices.Clone(group.TargetGroups) {
			if target.Name != elsewhere(group.Name) {
				drop(target)
			}
		}
		if act.Do == actSwapTargets {
			attach()
		}
	case actDeleteTargets:
		for _, name := range []string{byHand(group.Name), group.Name} {
			for _, target := range region.TargetGroups() {
				if target.Name != name {
					continue
				}
				target.LoadBalancer = ""                 // its listener goes first
				_ = region.DeleteTargetGroup(target.ARN) // it is there, and nothing uses it any more
				o.targets[name] = act.Do
				return
			}
		}
	}
}

// ring has the region's alarms ring for so many half minutes: each look at what they watch would find that all is well.
func ring(region *world.Region, times int) {
	for _, alarm := range region.AllAlarms() {
		_ = region.SetAlarm(alarm.Name, world.AlarmRaised, "somebody else's trouble") // it was just listed
	}
	if times > 0 {
		region.World.After(30*time.Second, func() { ring(region, times-1) })
	}
}
