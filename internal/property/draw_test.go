package property

import (
	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// drawScript draws a script. One that passes has only trouble that goes away by itself, people, and good patches:
// whatever it meets, it must leave the fleet as it was. Any other may have everything.
func drawScript(t *rapid.T, passes bool) script {
	var faults []scriptFault
	var others []otherAct
	if !passes { // drawn first, or of one seed both kinds would have the same fleets and plans
		faults = rapid.SliceOfN(rapid.Custom(drawFault), 0, 2).Draw(t, "faults")
		others = rapid.SliceOfN(rapid.Custom(drawOther), 0, 2).Draw(t, "others")
	}
	s := script{
		Faults: faults, Others: others,
		Staging: rapid.SampledFrom([]int{0, 0, 1, 2, mostScriptStaging}).Draw(t, "staging"),
		Groups:  rapid.SliceOfN(rapid.Custom(drawGroup), 1, mostScriptGroups).Draw(t, "groups"),
		Plan:    drawPlan(t),
		Calls: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) callTrouble {
			return drawTrouble(t, passes)
		}), 0, mostScriptTroubles).Draw(t, "calls"),
		People: rapid.SliceOfN(rapid.Custom(drawPerson), 0, 2).Draw(t, "people"),
		Decide: rapid.SliceOfN(rapid.SampledFrom([]string{
			"skip", "retry", "roll_back", "roll_back wave", "abort", silence, late + "retry", late + "skip", late + "roll_back",
		}), 0, 4).Draw(t, "decide"),
		Approval: drawApproval(t),
		Patch:    drawPatch(t, passes),
		ReadLag:  rapid.SampledFrom([]int{0, 0, 5, 30}).Draw(t, "read lag"),

		ScalingLag: rapid.SampledFrom([]int{0, 0, 2, 5}).Draw(t, "scaling lag"),
	}
	s.Plan.Hooks = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) scriptHook { return drawHook(t, passes) }), 0, 3).Draw(
		t, "hooks")
	s.Shape = drawShape(t)
	s.drawStopped(t)
	s.keepsRoom(t)
	if rapid.IntRange(0, 2).Draw(t, "windows") == 0 {
		s.drawWindows(t)
	}
	if s.Staging > 1 {
		s.StagingZones = rapid.IntRange(0, 2).Draw(t, "staging zones")
	}
	s.drawPin(t)
	s.drawImage(t)
	s.drawNodes(t, passes)
	s.drawMetric(t, passes)
	return s
}

// drawApproval draws what is answered where approval is asked for. What is refused begins nothing: most are approved.
func drawApproval(t *rapid.T) string {
	if rapid.IntRange(0, 15).Draw(t, "not approved") != 11 {
		return ""
	}
	return rapid.SampledFrom([]string{"reject", "abort", silence}).Draw(t, "approval")
}

// needs is what one instance is thought to take of a window, in minutes, and rather more: with its canary's bake, what
// its target groups wait for, and hooks that take as long as they may, also in a roll back.
func (s script) needs() int {
	return s.Plan.Estimate + s.Shape.Canary + s.Plan.PutBack + 1 + 3*len(s.Plan.Hooks)
}

// drawWindows gives a wave a window that is likely to close on it, some that follow, and estimates by which an instance
// fits.
func (s *script) drawWindows(t *rapid.T) {
	s.Plan.Estimate = rapid.SampledFrom([]int{11, 9, 15, 30}).Draw(t, "estimate")
	s.Plan.PutBack = rapid.SampledFrom([]int{0, 0, 5, 15}).Draw(t, "put back")
	s.Plan.Cutoff = s.needs() + rapid.SampledFrom([]int{15, 3, 8, 25, 40}).Draw(t, "room")
	s.Plan.Patient = rapid.Bool().Draw(t, "patient")
	s.Windows = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) scriptWindow {
		return scriptWindow{
			After: rapid.SampledFrom([]int{60, 10, 240}).Draw(t, "opens after"),
			For:   s.needs() + rapid.SampledFrom([]int{60, 15, -5, 120}).Draw(t, "lasts"),
		}
	}), 1, 3).Draw(t, "windows")
	if seldom(t, "no other window") {
		s.Windows = nil
	}
	s.Parked = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) parkedAct {
		act := parkedAct{
			Verb: rapid.SampledFrom([]string{
				"", "", string(patch.RollBack), silence, string(patch.Abort), "cancel", string(patch.Reject),
			}).Draw(t, "said"),
			After: rapid.SampledFrom([]int{0, 5, 70, 200}).Draw(t, "said after"),
		}
		if act.Verb == string(patch.RollBack) {
			act.Scope = rapid.SampledFrom([]string{"", string(patch.ScopeWave)}).Draw(t, "scope")
		}
		return act
	}), 0, 3).Draw(t, "parked")
}

// seldom is true for what has a wave refused before it begins: a few show that it is, and of the others nothing would
// be seen. Rapid prefers the ends of a range: it is one in fifty.
func seldom(t *rapid.T, what string) bool { return rapid.IntRange(0, 31).Draw(t, what) == 21 }

func drawPatch(t *rapid.T, passes bool) string {
	if seldom(t, patchNothing) {
		return patchNothing
	}
	kinds := []string{patchGood, patchNoReboot}
	if !passes {
		kinds = []string{patchGood, patchBreaksSome, patchBreaksAll, patchNoReboot}
	}
	return rapid.SampledFrom(kinds).Draw(t, "patch")
}

// keepsRoom lets most waves have something to take: most groups launch, most plans that shrink a group have groups that
// may shrink, most groups without cross-zone balancing have two in each zone, since nobody takes the last one of a zone
// out, and seldom all members of the first group are excluded.
func (s *script) keepsRoom(t *rapid.T) {
	if seldom(t, "launch suspended") {
		s.Groups[0].Suspended = []string{"Launch"}
	}
	if !seldom(t, "all excluded") {
		s.Shape.Excluded = min(s.Shape.Excluded, s.Groups[0].Members-1)
	}
	if !seldom(t, "alone in a zone") {
		for i := range s.Groups {
			group := &s.Groups[i]
			group.OneZone = group.OneZone && group.Members > 1
			if group.OneZone {
				group.Zones = min(group.Zones, group.Members/2-1)
			}
		}
	}
	none := seldom(t, "no room")
	surges := s.Plan.Capacity == string(patch.CapacitySurge)
	for i := range s.Groups {
		group := &s.Groups[i]
		if surges { // no weight makes room
			group.Weights = nil
		}
		if !none && (s.Plan.Capacity == string(patch.CapacityDecrement) || len(group.Weights) > 0) {
			group.Slack = max(group.Slack, 1)
		}
	}
}

func drawGroup(t *rapid.T) scriptGroup {
	return scriptGroup{
		Members:  rapid.IntRange(1, mostScriptMembers).Draw(t, "members"),
		Slack:    rapid.IntRange(0, 2).Draw(t, "slack"),
		Headroom: rapid.IntRange(0, 2).Draw(t, "headroom"),
		Zones:    rapid.IntRange(0, 2).Draw(t, "zones"),
		Targets: rapid.SampledFrom([]string{
			targetsAttached, targetsAttached, targetsByHand, targetsBoth, targetsNone,
		}).Draw(t, "targets"),
		OneZone:   rapid.SampledFrom([]bool{false, false, false, true}).Draw(t, "one zone"),
		EC2Health: rapid.Bool().Draw(t, "ec2 health"),
		Suspended: rapid.SampledFrom([][]string{
			nil, nil, nil, nil, nil, nil,
			{"AZRebalance"},
			{"ReplaceUnhealthy", "InstanceRefresh"},
			{"ScheduledActions"},
			{"AZRebalance", "InstanceRefresh", "ReplaceUnhealthy"},
			{"AZRebalance", "ScheduledActions"},
		}).Draw(t, "suspended"),
		Weights: rapid.SampledFrom([][]int{nil, nil, nil, nil, nil, nil, {4}, {1, 2}, {2, 8, 4}, nil}).Draw(t, "weights"),
		Warm: rapid.SampledFrom([]string{
			"", "", "", "", "", "", "", "", world.WarmStopped, world.WarmRunning, "",
		}).Draw(t, "warm pool"),
	}
}

func drawPlan(t *rapid.T) scriptPlan {
	p := scriptPlan{
		MaxFailures:    rapid.IntRange(0, 2).Draw(t, "max failures"),
		MaxParallel:    rapid.IntRange(0, 2).Draw(t, "parallel"),
		MaxUnavailable: rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "max unavailable"),
		Service:        rapid.Bool().Draw(t, "service"),
		Approval:       rapid.Bool().Draw(t, "approval"),
		Capacity:       rapid.SampledFrom([]string{"", "", "", "decrement", "surge"}).Draw(t, "capacity"),
		Then:           rapid.SampledFrom([]string{"", "skip", "abort"}).Draw(t, "then"),
		Bake:           rapid.SampledFrom([]int{0, 30, alarmTime}).Draw(t, "bake"),
		Passes:         rapid.IntRange(0, 1).Draw(t, "passes"),
		Cutoff:         rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 0, 75, 120, 200, 200}).Draw(t, "cutoff"),
		Break:          rapid.SampledFrom([]int{0, 10, 90}).Draw(t, "break"),
	}
	if seldom(t, "cutoff too soon") {
		p.Cutoff = 15
	}
	kinds := rapid.SampledFrom([][2]string{
		{"", ""}, {"", ""}, {"", ""}, {"", "replace"}, {"none", "replace"}, {"none", "none"}, {"", "none"},
	}).Draw(t, "backup")
	p.Backup, p.Restore = kinds[0], kinds[1]
	p.Reboot = rapid.SampledFrom([]string{"", "", string(patch.RebootIfRequired)}).Draw(t, "reboot")
	return p
}

func drawMoment(t *rapid.T) moment {
	m := moment{
		On: rapid.SampledFrom(append([]string{
			"EnterStandby", "StartAutomationExecution", "ExitStandby", "", onParked,
		}, acts...)).Draw(t, "on"),
		Nth:   rapid.IntRange(0, 5).Draw(t, "nth"),
		Delay: rapid.SampledFrom([]int{0, 0, 1, 10, 45, 120, 400, mostDelay}).Draw(t, "delay"),
	}
	if m.On == "" {
		m.Nth, m.Delay = 0, rapid.IntRange(0, 3600).Draw(t, "at")
	}
	if m.On == onParked {
		m.Nth = 0
	}
	return m
}

func drawTrouble(t *rapid.T, passes bool) callTrouble {
	times := []int{0, 0, 1, 2, 4}
	if !passes {
		times = append(times, forGood)
	}
	on, nth := acts, 12
	if rapid.IntRange(0, 4).Draw(t, "of a read") > 2 {
		on, nth = looks, 30 // the first ones are preflight's, which begins nothing then
	}
	c := callTrouble{
		On:  rapid.SampledFrom(on).Draw(t, "operation"),
		Nth: rapid.IntRange(0, nth).Draw(t, "nth"),
		Kind: rapid.SampledFrom([]string{
			awssim.FaultError, awssim.FaultLostReply, awssim.FaultThrottle, awssim.FaultTimeout, denied,
		}).Draw(t, "kind"),
		Times: rapid.SampledFrom(times).Draw(t, "times"),
	}
	if c.Kind == awssim.FaultTimeout {
		c.After = rapid.Bool().Draw(t, "after the effect")
	}
	return c
}

func drawFault(t *rapid.T) scriptFault {
	return scriptFault{
		Kind: rapid.SampledFrom([]string{
			world.FaultInstallFails, world.FaultRebootHangs, world.FaultAgentSilent, world.FaultSnapshotFails,
			world.FaultRootReplaceFails,
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

	actStandbyReplaced = "put on standby, replaced" // without decrement: another is launched in its place
	actDetach          = "detach"                   // with decrement where By is even
	actAttach          = "attach"                   // an instance that was launched long ago and never was a member
	actAttachTargets   = "attach a target group"
	actDetachTargets   = "detach the target group"
	actSwapTargets     = "swap the target group"
	actDeleteTargets   = "delete a target group" // one registered by hand; the attached one where there is no other
	actRing            = "ring the alarms"
	actMark            = "set our mark by hand"
	actUnmark          = "take our mark off"
	actReplay          = "put an old mark on"
	actQuarantine      = "set the quarantine's tag by hand"
)

// Not drawn: a child of ours that somebody starts by hand. The test environment has one root;
// TestAChildStartedByHandDoesNothing and its neighbour try each.

func drawOther(t *rapid.T) otherAct {
	o := otherAct{
		At: drawMoment(t),
		Do: rapid.SampledFrom([]string{
			actScaleOut, actScaleIn, actRaiseMin, actLowerMax, actRaiseMax, actSuspend, actResume, actRefresh, actTerminate,
			actStop, actStandby,
			actComeBack, actDeregister, actRegister, actSpot, actDelete,
			actStandbyReplaced, actDetach, actAttach, actAttachTargets, actDetachTargets, actSwapTargets, actDeleteTargets,
			actRing, actMark, actUnmark, actReplay, actQuarantine,
		}).Draw(t, "do"),
		Group: rapid.IntRange(0, mostScriptGroups-1).Draw(t, "group"),
	}
	switch o.Do {
	case actTerminate, actStop, actStandby, actComeBack, actDeregister, actRegister, actSpot, actStandbyReplaced, actMark,
		actReplay, actQuarantine:
		o.Instance = rapid.IntRange(othersAtWork, mostScriptMembers-1).Draw(t, "instance")
	case actDetach:
		o.Instance = rapid.IntRange(othersAtWork, mostScriptMembers-1).Draw(t, "instance")
		o.By = rapid.IntRange(0, 1).Draw(t, "replaced")
	case actUnmark:
		o.Instance = othersAtWork
	case actScaleOut, actScaleIn, actRaiseMax, actRing:
		o.By = rapid.IntRange(0, 2).Draw(t, "by")
	case actSuspend, actResume:
		o.Names = rapid.SampledFrom([][]string{
			{"ScheduledActions"},
			{"AlarmNotification"},
			{"AZRebalance"},
			{"ReplaceUnhealthy"},
			{"Launch"},
			{"Terminate"},
			{"AddToLoadBalancer"},
			{"HealthCheck"},
		}).Draw(t, "processes")
	}
	return o
}

func drawPerson(t *rapid.T) personAct {
	p := personAct{
		At: drawMoment(t),
		Verb: rapid.SampledFrom([]string{
			string(patch.Abort), "cancel", string(patch.Retry), string(patch.Skip), string(patch.RollBack),
			string(patch.Approve), string(patch.Reject),
			string(patch.Pause), string(patch.Pause), string(patch.Resume),
		}).Draw(t, "verb"),
		Again: rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "again"),
	}
	// A scope is roll_back's: said with another verb it is misaddressed.
	if p.Verb == string(patch.RollBack) || seldom(t, "misaddressed") {
		p.Scope = rapid.SampledFrom([]string{"", string(patch.ScopeWave)}).Draw(t, "scope")
	}
	p.For = rapid.SampledFrom([]string{"", "", "", "", forFirst, forNext, forAnother, forNone}).Draw(t, "for")
	return p
}
