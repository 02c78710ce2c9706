package workflows_test

import (
	"encoding/json"

	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// scene is all that is drawn of a wave: its fleet, its plan, what goes wrong, what others do meanwhile, and what people say.
// It is written as JSON, so that a counterexample can be kept and repeated. The zero value of everything is its simplest
// form, to which a counterexample shrinks.
type scene struct {
	Staging      int          `json:",omitempty"` // instances of a stage chosen by tags; 0: no such stage
	StagingZones int          `json:",omitempty"`
	Groups       []sceneGroup // Auto Scaling groups of the stage production
	Patch        string       `json:",omitempty"` // one of the constants below
	Plan         scenePlan
	ScalingLag   int `json:",omitempty"` // seconds that Auto Scaling's reads lag behind
	ReadLag      int `json:",omitempty"` // seconds that the list of executions lags behind, on top of the usual

	Calls  []callTrouble `json:",omitempty"`
	Faults []sceneFault  `json:",omitempty"`
	Others []otherAct    `json:",omitempty"`
	People []personAct   `json:",omitempty"`

	Approval string   `json:",omitempty"` // the answer to what awaits approval: "" approves; silence lets it time out
	Decide   []string `json:",omitempty"` // at each hold, in order; "silence" leaves it to the plan's time-out; then abort
}

// What the patches of a scene do.
const (
	patchGood         = ""                  // installs, reboots, all is well
	patchBreaksSome   = "breaks production" // the application of production's image fails after it
	patchBreaksAll    = "breaks everything" // staging's too
	patchNoReboot     = "needs no reboot"
	patchNothing      = "nothing is missing"
	silence           = "silence"
	targetsAttached   = "" // to the group
	targetsByHand     = "by hand"
	targetsBoth       = "both"
	targetsNone       = "none"
	othersAtWork      = -1 // the instance that the wave has at work
	forGood           = -1
	mostDelay         = 900
	alarmTime         = 240 // seconds of bake in which the scenario's alarm would ring
	mostSceneGroups   = 3
	mostSceneMembers  = 6
	mostSceneStaging  = 3
	mostSceneTroubles = 3
)

type sceneGroup struct {
	Members   int      // desired
	Slack     int      `json:",omitempty"` // desired - min
	Headroom  int      `json:",omitempty"` // max - desired
	Zones     int      `json:",omitempty"` // beyond the first
	Targets   string   `json:",omitempty"`
	OneZone   bool     `json:",omitempty"` // cross-zone balancing is off
	EC2Health bool     `json:",omitempty"` // Auto Scaling asks EC2 only, not the load balancer
	Suspended []string `json:",omitempty"` // by somebody, before
}

type scenePlan struct {
	MaxFailures    int    `json:",omitempty"`
	MaxParallel    int    `json:",omitempty"` // beyond the first
	MaxUnavailable int    `json:",omitempty"` // beyond the first
	Service        bool   `json:",omitempty"`
	Approval       bool   `json:",omitempty"`
	Capacity       string `json:",omitempty"` // "" is auto
	Backup         string `json:",omitempty"` // "" is snapshot
	Restore        string `json:",omitempty"` // "" is root_volume
	Then           string `json:",omitempty"` // "" is roll_back
	Bake           int    `json:",omitempty"` // seconds
	Passes         int    `json:",omitempty"` // beyond the first
	Cutoff         int    `json:",omitempty"` // minutes after the start; 0: no window
}

// moment is just before the nth call of an operation is answered, and then a while later; without an operation it counts
// from the wave's start.
type moment struct {
	On    string `json:",omitempty"`
	Nth   int    `json:",omitempty"` // beyond the first
	Delay int    `json:",omitempty"` // seconds
}

// callTrouble is what happens to calls of an operation, from one of them on.
type callTrouble struct {
	On    string
	Nth   int    `json:",omitempty"` // beyond the first
	Kind  string // one of awssim's, or denied
	After bool   `json:",omitempty"` // a time-out comes after the effect
	Times int    `json:",omitempty"` // beyond the first; forGood
}

// sceneFault is what goes wrong in AWS or in a machine.
type sceneFault struct {
	Kind  string
	Nth   int `json:",omitempty"` // beyond the first
	Times int `json:",omitempty"` // beyond the first; forGood
}

// otherAct is something that somebody else does to a production group or to one of its instances.
type otherAct struct {
	At       moment
	Do       string
	Group    int      `json:",omitempty"`
	Instance int      `json:",omitempty"` // of the group's members; othersAtWork
	By       int      `json:",omitempty"` // beyond the first
	Names    []string `json:",omitempty"` // of processes
}

// personAct is a verb, or a cancel, at a moment of its own, whether the wave takes it then or not.
type personAct struct {
	At    moment
	Verb  string
	Scope string `json:",omitempty"`
}

func (s scene) String() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// acts are the operations that a wave's changes are made of, the more telling ones first.
var acts = []string{
	"EnterStandby", "ExitStandby", "StartAutomationExecution", "SuspendProcesses", "ResumeProcesses", "CreateSnapshot", "CreateTags", "DeleteTags",
	"CreateReplaceRootVolumeTask", "DetachInstances", "SetDesiredCapacity", "UpdateAutoScalingGroup", "TerminateInstanceInAutoScalingGroup",
	"RegisterTargets", "DeregisterTargets", "CreateOrUpdateTags", "SetInstanceHealth", "SendCommand", "StopAutomationExecution", "TerminateInstances",
}

// looks are the reads that decisions hang on.
var looks = []string{
	"DescribeAutoScalingGroups", "DescribeInstances", "DescribeTargetHealth", "GetAutomationExecution", "DescribeSnapshots",
	"DescribeReplaceRootVolumeTasks", "DescribeInstanceInformation", "GetCommandInvocation", "DescribeAutomationExecutions", "ListCommandInvocations",
	"DescribeInstanceStatus", "DescribeInstancePatchStates", "DescribeAlarms",
}

const denied = "denied"

// drawScene draws a scene. One that passes has only trouble that goes away by itself, people, and good patches: whatever it
// meets, it must leave the fleet as it was. Any other may have everything.
func drawScene(t *rapid.T, passes bool) scene {
	s := scene{
		Staging: rapid.SampledFrom([]int{0, 0, 1, 2, mostSceneStaging}).Draw(t, "staging"),
		Groups:  rapid.SliceOfN(rapid.Custom(drawGroup), 1, mostSceneGroups).Draw(t, "groups"),
		Plan:    drawPlan(t),
		Calls:   rapid.SliceOfN(rapid.Custom(func(t *rapid.T) callTrouble { return drawTrouble(t, passes) }), 0, mostSceneTroubles).Draw(t, "calls"),
		People:  rapid.SliceOfN(rapid.Custom(drawPerson), 0, 2).Draw(t, "people"),
		Decide: rapid.SliceOfN(rapid.SampledFrom([]string{"skip", "retry", "roll_back", "roll_back wave", "abort", silence}), 0, 4).
			Draw(t, "decide"),
		Approval: rapid.SampledFrom([]string{"", "", "", "", "", "", "reject", "abort", silence}).Draw(t, "approval"),
		Patch:    rapid.SampledFrom([]string{patchGood, patchGood, patchGood, patchGood, patchNoReboot, patchNoReboot, patchNothing}).Draw(t, "patch"),
		ReadLag:  rapid.SampledFrom([]int{0, 0, 5, 30}).Draw(t, "read lag"),

		ScalingLag: rapid.SampledFrom([]int{0, 0, 2, 5}).Draw(t, "scaling lag"),
	}
	s.keepsRoom(t)
	if s.Staging > 1 {
		s.StagingZones = rapid.IntRange(0, 2).Draw(t, "staging zones")
	}
	if passes {
		return s
	}
	s.Patch = rapid.SampledFrom([]string{patchGood, patchGood, patchBreaksSome, patchBreaksAll, patchBreaksSome, patchNoReboot, patchNothing}).Draw(t, "any patch")
	s.Faults = rapid.SliceOfN(rapid.Custom(drawFault), 0, 2).Draw(t, "faults")
	s.Others = rapid.SliceOfN(rapid.Custom(drawOther), 0, 2).Draw(t, "others")
	return s
}

// keepsRoom lets most plans that shrink a group have groups that may shrink: without it the wave is refused, which a few show as well.
func (s *scene) keepsRoom(t *rapid.T) {
	if s.Plan.Capacity != string(patch.CapacityDecrement) || rapid.IntRange(0, 4).Draw(t, "no room") == 4 {
		return
	}
	for i := range s.Groups {
		s.Groups[i].Slack = max(s.Groups[i].Slack, 1)
	}
}

func drawGroup(t *rapid.T) sceneGroup {
	return sceneGroup{
		Members:   rapid.IntRange(1, mostSceneMembers).Draw(t, "members"),
		Slack:     rapid.IntRange(0, 2).Draw(t, "slack"),
		Headroom:  rapid.IntRange(0, 2).Draw(t, "headroom"),
		Zones:     rapid.IntRange(0, 2).Draw(t, "zones"),
		Targets:   rapid.SampledFrom([]string{targetsAttached, targetsAttached, targetsByHand, targetsBoth, targetsNone}).Draw(t, "targets"),
		OneZone:   rapid.SampledFrom([]bool{false, false, false, true}).Draw(t, "one zone"),
		EC2Health: rapid.Bool().Draw(t, "ec2 health"),
		Suspended: rapid.SampledFrom([][]string{
			nil, nil, nil, nil, nil, nil,
			{"AZRebalance"},
			{"ReplaceUnhealthy", "InstanceRefresh"},
			{"ScheduledActions"},
			{"AZRebalance", "InstanceRefresh", "ReplaceUnhealthy"},
			{"AZRebalance", "ScheduledActions"},
			{"Launch"},
		}).Draw(t, "suspended"),
	}
}

func drawPlan(t *rapid.T) scenePlan {
	p := scenePlan{
		MaxFailures:    rapid.IntRange(0, 2).Draw(t, "max failures"),
		MaxParallel:    rapid.IntRange(0, 2).Draw(t, "parallel"),
		MaxUnavailable: rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "max unavailable"),
		Service:        rapid.Bool().Draw(t, "service"),
		Approval:       rapid.Bool().Draw(t, "approval"),
		Capacity:       rapid.SampledFrom([]string{"", "", "", "decrement", "surge"}).Draw(t, "capacity"),
		Then:           rapid.SampledFrom([]string{"", "skip", "abort"}).Draw(t, "then"),
		Bake:           rapid.SampledFrom([]int{0, 30, alarmTime}).Draw(t, "bake"),
		Passes:         rapid.IntRange(0, 1).Draw(t, "passes"),
		Cutoff:         rapid.SampledFrom([]int{0, 0, 0, 0, 15, 75, 120, 200}).Draw(t, "cutoff"),
	}
	kinds := rapid.SampledFrom([][2]string{{"", ""}, {"", ""}, {"", ""}, {"", "replace"}, {"none", "replace"}, {"none", "none"}, {"", "none"}}).Draw(t, "backup")
	p.Backup, p.Restore = kinds[0], kinds[1]
	return p
}

func drawMoment(t *rapid.T) moment {
	m := moment{
		On:    rapid.SampledFrom(append([]string{"EnterStandby", "StartAutomationExecution", "ExitStandby", ""}, acts...)).Draw(t, "on"),
		Nth:   rapid.IntRange(0, 5).Draw(t, "nth"),
		Delay: rapid.SampledFrom([]int{0, 0, 1, 10, 45, 120, 400, mostDelay}).Draw(t, "delay"),
	}
	if m.On == "" {
		m.Nth, m.Delay = 0, rapid.IntRange(0, 3600).Draw(t, "at")
	}
	return m
}

func drawTrouble(t *rapid.T, passes bool) callTrouble {
	times := []int{0, 0, 1, 2, 4}
	if !passes {
		times = append(times, forGood)
	}
	c := callTrouble{
		On:    rapid.SampledFrom(append(acts, looks...)).Draw(t, "operation"),
		Nth:   rapid.IntRange(0, 12).Draw(t, "nth"),
		Kind:  rapid.SampledFrom([]string{awssim.FaultError, awssim.FaultLostReply, awssim.FaultThrottle, awssim.FaultTimeout, denied}).Draw(t, "kind"),
		Times: rapid.SampledFrom(times).Draw(t, "times"),
	}
	if c.Kind == awssim.FaultTimeout {
		c.After = rapid.Bool().Draw(t, "after the effect")
	}
	return c
}

func drawFault(t *rapid.T) sceneFault {
	return sceneFault{
		Kind: rapid.SampledFrom([]string{
			world.FaultInstallFails, world.FaultRebootHangs, world.FaultAgentSilent, world.FaultSnapshotFails, world.FaultRootReplaceFails,
			world.FaultRootReplaceDetaches, world.FaultNoCapacity,
		}).Draw(t, "fault"),
		Nth:   rapid.IntRange(0, 4).Draw(t, "nth"),
		Times: rapid.SampledFrom([]int{0, 0, 1, 2, forGood}).Draw(t, "times"),
	}
}

// What others do. The first ones are done to a group, the last to one instance.
const (
	actScaleOut   = "scale out"
	actScaleIn    = "scale in"
	actRaiseMin   = "raise min to desired"
	actLowerMax   = "lower max to desired"
	actRaiseMax   = "raise max"
	actSuspend    = "suspend"
	actResume     = "resume"
	actRefresh    = "refresh"
	actDelete     = "delete the group"
	actTerminate  = "terminate"
	actStop       = "stop"
	actStandby    = "put on standby"
	actComeBack   = "return from standby"
	actDeregister = "deregister"
	actRegister   = "register elsewhere"
	actSpot       = "spot interruption"
)

func drawOther(t *rapid.T) otherAct {
	o := otherAct{
		At: drawMoment(t),
		Do: rapid.SampledFrom([]string{
			actScaleOut, actScaleIn, actRaiseMin, actLowerMax, actRaiseMax, actSuspend, actResume, actRefresh, actTerminate, actStop, actStandby,
			actComeBack, actDeregister, actRegister, actSpot, actDelete,
		}).Draw(t, "do"),
		Group: rapid.IntRange(0, mostSceneGroups-1).Draw(t, "group"),
	}
	switch o.Do {
	case actTerminate, actStop, actStandby, actComeBack, actDeregister, actRegister, actSpot:
		o.Instance = rapid.IntRange(othersAtWork, mostSceneMembers-1).Draw(t, "instance")
	case actScaleOut, actScaleIn, actRaiseMax:
		o.By = rapid.IntRange(0, 2).Draw(t, "by")
	case actSuspend, actResume:
		o.Names = rapid.SampledFrom([][]string{
			{"ScheduledActions"}, {"AlarmNotification"}, {"AZRebalance"}, {"ReplaceUnhealthy"}, {"Launch"}, {"Terminate"}, {"AddToLoadBalancer"}, {"HealthCheck"},
		}).Draw(t, "processes")
	}
	return o
}

func drawPerson(t *rapid.T) personAct {
	p := personAct{
		At: drawMoment(t),
		Verb: rapid.SampledFrom([]string{
			string(patch.Abort), "cancel", string(patch.Retry), string(patch.Skip), string(patch.RollBack), string(patch.Approve), string(patch.Reject),
		}).Draw(t, "verb"),
	}
	if p.Verb == string(patch.RollBack) {
		p.Scope = rapid.SampledFrom([]string{"", string(patch.ScopeWave)}).Draw(t, "scope")
	}
	return p
}
