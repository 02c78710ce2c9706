package property

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// groupNames are the names of the production groups, and of the target groups attached to them.
var groupNames = []string{"web", "api", "jobs"}

// byHand is the name of the target group that nobody attached to a group, but registered its members with.
func byHand(group string) string { return group + "-hand" }

// elsewhere is where others register an instance.
func elsewhere(group string) string { return group + "-elsewhere" }

// stage builds the script: the fleet as it was before the wave, with all that was there already.
func (s script) stage(t wavetest.TB) *wavetest.Scene {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: s.fleet, Config: wavetest.Measured})
	scene.OwnersStay()
	scene.Plans.Change = s.plan
	scene.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Production).Region(wavetest.Tokyo)
		for i, drawn := range s.Groups {
			if drawn.Targets != targetsByHand && drawn.Targets != targetsBoth {
				continue
			}
			group, err := region.ScalingGroup(groupNames[i])
			require.NoError(t, err)
			target := targetGroupOf(t, region, byHand(group.Name))
			for _, member := range group.Members() {
				require.NoError(t, target.Register(member.Instance, 0))
			}
		}
	})
	s.Stopped.stop(t, scene)
	s.Metric.serve(scene)
	// Whoever registered them by hand, or stopped them, did so a while ago.
	began := scene.Env.Now().Add(10 * time.Minute)
	scene.Env.SetStartTime(began)
	if windows := s.windows(began); len(windows) > 0 {
		scene.Plans.Within, scene.Plans.Following = &windows[0], windows[1:]
	}
	return scene
}

func targetGroupOf(t wavetest.TB, region *world.Region, name string) *world.TargetGroup {
	for _, group := range region.TargetGroups() {
		if group.Name == name {
			return group
		}
	}
	require.FailNow(t, "no target group "+name)
	return nil
}

// fleet is what the scenario holds, instead of the two instances and the one group that every scenario shares.
func (s script) fleet(scenario *world.Scenario) {
	staging, production := &scenario.Accounts[0].Regions[0], &scenario.Accounts[1].Regions[0]
	production.Functions = functions()
	zones := []string{wavetest.Tokyo + "a", wavetest.Tokyo + "c", wavetest.Tokyo + "d"}
	if s.Staging == 0 {
		staging.Instances = nil
	} else {
		staging.Instances[0].Count, staging.Instances[0].Zones = s.Staging, zones[:1+s.StagingZones]
		if s.Plan.ByImage { // production gets its application with its root volumes
			staging.Instances[0].Image = production.Groups[0].Image
		}
		if s.Stopped.Many > 0 && !s.Stopped.Registered {
			staging.Instances[0].TargetGroups = nil
		}
	}
	group, targets := production.Groups[0], production.TargetGroups[0]
	production.Groups, production.TargetGroups = nil, nil
	for i, drawn := range s.Groups {
		group, targets := group, targets
		group.Name, group.Tags = groupNames[i], maps.Clone(group.Tags)
		drawn.numbers(&group)
		if drawn.Warm != "" {
			group.WarmPool = &world.WarmPoolSpec{MinSize: 1, State: drawn.Warm}
		}
		group.Zones, group.Suspended, group.TargetGroups = zones[:1+drawn.Zones], drawn.Suspended, nil
		if drawn.EC2Health {
			group.HealthCheckType = "EC2"
		}
		if drawn.OneZone {
			targets.CrossZone = "false"
		}
		for _, name := range drawn.targetGroups(group.Name) {
			targets.Name, targets.LoadBalancer = name, name
			production.TargetGroups = append(production.TargetGroups, targets)
			if name == group.Name {
				group.TargetGroups = []string{name}
			}
		}
		production.Groups = append(production.Groups, group)
	}
	s.Nodes.stage(production, targets, group.Image)
	if s.attaches() {
		production.Instances = append(production.Instances, world.InstanceSpec{
			Name: spare, Count: 1, Image: group.Image, Type: group.Type, Zone: zones[0], Tags: maps.Clone(group.Tags),
		})
	}
	s.patches(scenario)
	if !s.alarmed() {
		production.Alarms = nil
	}
	scenario.Durations.ScalingLag = world.Duration(time.Duration(s.ScalingLag) * time.Second)
	if s.ReadLag > 0 {
		scenario.Durations.ReadLag = world.Duration(time.Duration(s.ReadLag) * time.Second)
	}
	for _, fault := range s.Faults {
		times := fault.Times + 1
		if fault.Times == forGood {
			times = -1
		}
		scenario.Faults.World = append(scenario.Faults.World, world.WorldFault{
			Kind: fault.Kind, Nth: fault.Nth + 1, Times: times,
		})
	}
}

// numbers gives a group its numbers, in what it counts.
func (g scriptGroup) numbers(group *world.GroupSpec) {
	heaviest, units := 1, g.Members
	if len(g.Weights) > 0 {
		heaviest, units = slices.Max(g.Weights), 0
		for i := range g.Members {
			units += g.Weights[i%len(g.Weights)]
		}
		for _, weight := range g.Weights {
			group.Mixed = append(group.Mixed, world.Override{Type: fmt.Sprintf("m7i.weighs-%d", weight), Weight: weight})
		}
	}
	group.Min, group.Desired, group.Max = max(units-g.Slack*heaviest, 0), units, units+g.Headroom*heaviest
}

// targetGroups are those that there are for a group; the last one is nobody's yet.
func (g scriptGroup) targetGroups(name string) []string {
	switch g.Targets {
	case targetsByHand:
		return []string{byHand(name), elsewhere(name)}
	case targetsBoth:
		return []string{name, byHand(name), elsewhere(name)}
	case targetsNone:
		return []string{elsewhere(name)}
	}
	return []string{name, elsewhere(name)}
}

func (s script) patches(scenario *world.Scenario) {
	scenario.Patches = slices.Clone(scenario.Patches)
	for i := range scenario.Patches {
		change := &scenario.Patches[i]
		switch {
		case s.Patch == patchNoReboot:
			change.Reboot = false
		case change.ID != "openssl-libs.x86_64":
		case s.Patch == patchBreaksSome:
			change.Breaks = []world.Breaks{{App: "web", Version: "2.4"}}
		case s.Patch == patchBreaksAll:
			change.Breaks = []world.Breaks{{App: "web"}}
		}
	}
	if s.Patch == patchNothing {
		scenario.Patches = nil
	}
}

// plan makes the example's plan the script's.
func (s script) plan(plan *patch.Plan) {
	drawn := s.Plan
	plan.Backup, plan.Restore = patch.Backup(or(drawn.Backup, string(plan.Backup))), patch.Restore(or(drawn.Restore,
		string(plan.Restore)))
	plan.Passes = 1 + drawn.Passes
	drawn.estimate(plan)
	if drawn.Pin {
		plan.Pin = patch.PinManifest
	}
	// What a property looks for does not hide in how often a wait asks.
	plan.Timing.Poll, plan.Timing.HealthPoll = patch.Duration(time.Minute), patch.Duration(30*time.Second)
	stages := slices.Clone(plan.Stages)
	for i := range stages {
		stage := &stages[i]
		stage.MaxFailures, stage.MaxParallelGroups, stage.MaxUnavailable = patch.Instances(drawn.MaxFailures), 1+
			drawn.MaxParallel, patch.Instances(s.maxUnavailable())
		stage.Bake, stage.OnFailure.Then = patch.Duration(time.Duration(drawn.Bake)*time.Second), patch.Verb(or(drawn.Then,
			string(patch.RollBack)))
		stage.OnFailure.Timeout = patch.Duration(10 * time.Minute)
		if drawn.Patient {
			stage.OnFailure.Timeout = patch.Duration(s.patience())
		}
	}
	staging, production := &stages[0], &stages[1]
	production.Reboot = patch.Reboot(drawn.Reboot)
	drawn.image(production)
	production.Capacity = patch.CapacityMode(or(drawn.Capacity, string(patch.CapacityAuto)))
	production.Service = ""
	if drawn.Service {
		production.Service = "web"
	}
	if !drawn.Approval {
		production.Approval = nil
	} else if drawn.Patient {
		production.Approval = &patch.Approval{Timeout: patch.Duration(s.patience())}
	}
	production.Health = slices.DeleteFunc(slices.Clone(production.Health), func(check patch.HealthCheck) bool {
		return check.Alarm != "" && !s.alarmed() || s.Metric.drops(check)
	})
	if len(drawn.Hooks) > 0 {
		production.Hooks = drawn.hooks()
	}
	like := production.Groups[0]
	production.Groups = nil
	for i := range s.Groups {
		group := like
		group.AutoScalingGroup = groupNames[i]
		production.Groups = append(production.Groups, group)
	}
	production.Groups = append(production.Groups, s.Nodes.groups(like)...)
	s.Stopped.groups(staging)
	s.shape(production, s.Staging == 0)
	plan.Stages = []patch.Stage{*staging, *production}
	if s.Staging == 0 {
		plan.Stages = plan.Stages[1:]
	}
}

// alarmed reports whether an alarm judges the wave: it follows the target group attached to the first group, and a
// shorter bake would not hear it ring.
func (s script) alarmed() bool {
	attached := s.Groups[0].Targets == targetsAttached || s.Groups[0].Targets == targetsBoth
	return attached && s.Plan.Bake >= alarmTime
}

func (s script) maxUnavailable() int { return 1 + s.Plan.MaxUnavailable }

// spare is the name of an instance that serves nobody and may be attached to a group.
const spare = "spare"

func (s script) attaches() bool {
	return slices.ContainsFunc(s.Others, func(o otherAct) bool { return o.Do == actAttach })
}

func or(drawn, usual string) string {
	if drawn == "" {
		return usual
	}
	return drawn
}

// atWork is the member of a group that a wave has at work: the one that carries its mark.
func atWork(group *world.ScalingGroup) *world.Member {
	for _, member := range group.Members() {
		if mark := member.Instance.Tags[names.TagJournal]; mark != "" && mark != markByHand {
			return member
		}
	}
	return nil
}

func (o otherAct) String() string {
	return fmt.Sprintf("%s, group %d, instance %d", o.Do, o.Group, o.Instance)
}
