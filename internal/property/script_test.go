package property

import (
	"encoding/json"

	"github.com/patchtide/patchtide/internal/patch"
)

// script is all that is drawn of a wave: its fleet, its plan, what goes wrong, what others do meanwhile, and what
// people say. It is written as JSON, so that a counterexample can be kept and repeated. The zero value of everything is
// its simplest form, to which a counterexample shrinks.
type script struct {
	Staging      int           `json:",omitempty"` // instances of a stage chosen by tags; 0: no such stage
	StagingZones int           `json:",omitempty"`
	Stopped      scriptStopped `json:",omitzero"`
	Nodes        scriptNodes   `json:",omitzero"`
	Metric       scriptMetric  `json:",omitzero"`
	Groups       []scriptGroup // Auto Scaling groups of the stage production
	Patch        string        `json:",omitempty"` // one of the constants below
	Plan         scriptPlan
	Shape        scriptShape    `json:",omitzero"`
	Windows      []scriptWindow `json:",omitempty"` // those after the one that Plan.Cutoff ends
	ScalingLag   int            `json:",omitempty"` // seconds that Auto Scaling's reads lag behind
	ReadLag      int            `json:",omitempty"` // seconds that the list of executions lags behind, on top of the usual

	Calls  []callTrouble `json:",omitempty"`
	Faults []scriptFault `json:",omitempty"`
	Others []otherAct    `json:",omitempty"`
	Moves  []scriptMove  `json:",omitempty"` // of the repositories, where Plan.Pin
	People []personAct   `json:",omitempty"`

	Approval string `json:",omitempty"` // the answer to what awaits approval: "" approves; silence lets it time out
	// At each hold, in order; "silence" leaves it to the plan's time-out; then abort.
	Decide []string `json:",omitempty"`
	// Each time that a parked wave asks, or waits with another's word, in order; then resume.
	Parked []parkedAct `json:",omitempty"`
}

// What the patches of a script do.
const (
	patchGood          = ""                  // installs, reboots, all is well
	patchBreaksSome    = "breaks production" // the application of production's image fails after it
	patchBreaksAll     = "breaks everything" // staging's too
	patchNoReboot      = "needs no reboot"
	patchNothing       = "nothing is missing"
	silence            = "silence"
	targetsAttached    = "" // to the group
	targetsByHand      = "by hand"
	targetsBoth        = "both"
	targetsNone        = "none"
	othersAtWork       = -1 // the instance that the wave has at work
	forGood            = -1
	mostDelay          = 900
	alarmTime          = 240 // seconds of bake in which the scenario's alarm would ring
	mostScriptGroups   = 3
	mostScriptMembers  = 6
	mostScriptStaging  = 3
	mostScriptTroubles = 3
)

type scriptGroup struct {
	Members   int      // desired
	Slack     int      `json:",omitempty"` // desired - min, each of its heaviest
	Headroom  int      `json:",omitempty"` // max - desired, as Slack
	Zones     int      `json:",omitempty"` // beyond the first
	Targets   string   `json:",omitempty"`
	OneZone   bool     `json:",omitempty"` // cross-zone balancing is off
	EC2Health bool     `json:",omitempty"` // Auto Scaling asks EC2 only, not the load balancer
	Suspended []string `json:",omitempty"` // by somebody, before
	Weights   []int    `json:",omitempty"` // of its instance types, launched in turn; nil: its numbers count instances
	Warm      string   `json:",omitempty"` // state of its warm pool; "": it has none
}

type scriptPlan struct {
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
	Estimate       int    `json:",omitempty"` // minutes that an instance is thought to take; 0: the usual hours
	PutBack        int    `json:",omitempty"` // of a plan with Estimate: minutes that putting one back is thought to take
	Patient        bool   `json:",omitempty"` // approvals and holds wait for hours
	Break          int    `json:",omitempty"` // minutes that a pause lasts
	Reboot         string `json:",omitempty"` // "" is always
	Pin            bool   `json:",omitempty"` // production is bound to what staging proves
	Image          string `json:",omitempty"` // how the image that groups launch from is promoted; "": it is not renewed
	Keep           int    `json:",omitempty"` // how many images a group keeps, beyond the first
	ByImage        bool   `json:",omitempty"` // production's root volumes are replaced by the image of what staging proves

	Hooks []scriptHook `json:",omitempty"`
}

// moment is just before the nth call of an operation is answered, or when the wave parks, and then a while later;
// without an operation it counts from the wave's start.
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

// scriptFault is what goes wrong in AWS or in a machine.
type scriptFault struct {
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
	Again int    `json:",omitempty"` // how often it is said again, each half a minute later
	For   string `json:",omitempty"` // what it is meant for; "": where the wave stands
}

// What a misaddressed verb is meant for.
const (
	forFirst   = "the first hold"
	forNext    = "the next hold"
	forAnother = "another stage"
	forNone    = "nothing by name"
)

// point is what the verb is meant for where the wave stands at a point.
func (a personAct) point(at patch.Point) patch.Point {
	switch a.For {
	case forFirst:
		at.Hold = min(at.Hold, 1)
	case forNext:
		at.Hold++
	case forAnother:
		at.Stage = map[string]string{"staging": "production"}[at.Stage]
		if at.Stage == "" {
			at.Stage = "staging"
		}
	case forNone:
		return patch.Point{}
	}
	return at
}

func (s script) String() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// acts are the operations that a wave's changes are made of, the more telling ones first.
var acts = []string{
	"EnterStandby", "ExitStandby", "StartAutomationExecution", "SuspendProcesses", "ResumeProcesses", "CreateSnapshot",
	"CreateTags", "DeleteTags",
	"CreateReplaceRootVolumeTask", "DetachInstances", "SetDesiredCapacity", "UpdateAutoScalingGroup",
	"TerminateInstanceInAutoScalingGroup",
	"RegisterTargets", "DeregisterTargets", "CreateOrUpdateTags", "SetInstanceHealth", "SendCommand",
	"StopAutomationExecution", "TerminateInstances", "StartInstances", "StopInstances",
}

// looks are the reads that decisions hang on.
var looks = []string{
	"DescribeAutoScalingGroups", "DescribeInstances", "DescribeTargetHealth", "GetAutomationExecution",
	"DescribeSnapshots",
	"DescribeReplaceRootVolumeTasks", "DescribeInstanceInformation", "GetCommandInvocation",
	"DescribeAutomationExecutions", "ListCommandInvocations",
	"DescribeInstanceStatus", "DescribeInstancePatchStates", "DescribeAlarms", "GetMetricData", "ListTagsForResource",
}

const denied = "denied"
