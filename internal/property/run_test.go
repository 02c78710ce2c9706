package property

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// play is a script on its way, and afterwards what is known of it: what the simulator saw, what others did, what people
// were told.
type play struct {
	*wavetest.Scene
	script script
	world  *world.World // to be touched under the simulator's lock only
	seen   map[string]int
	others othersLog

	parking  parking
	ear      *wavetest.Ear
	progress *wavetest.Progress
	atOut    map[awssim.CallInfo]outAt // at calls that take an instance out of service

	boots      map[string]string // of managed nodes, before the wave
	was        map[string]bool   // the machines of production before the wave
	wasStopped []string          // before the wave
	wasWarm    []string          // in warm pools before the wave

	excluded []string        // instances that nobody is to touch
	beyond   map[string]bool // groups that the last look saw beyond their step

	began    time.Time
	stopped  time.Time // when the wave took an abort or a cancel; zero: it did not
	gaveUp   bool      // somebody told it to stop while it put things back: to leave what is not put back yet
	events   []awssim.Event
	onHold   []string // what was wrong while the wave waited for people
	result   *patch.WaveResult
	err      error
	stranded []patch.Stranded
	outcomes map[string]patch.Outcome // of instances
	short    map[string]bool          // groups that the wave told to be one short
	pins     pins
}

// run plays the script to its end.
func (s script) run(t wavetest.TB) *play {
	p := &play{
		Scene: s.stage(t), script: s, seen: map[string]int{}, outcomes: map[string]patch.Outcome{}, short: map[string]bool{},
		beyond: map[string]bool{},
	}
	p.boots = p.Boots()
	p.others, p.began = newOthersLog(), p.Env.Now()
	p.Sim.Inspect(func(w *world.World) {
		p.world, p.wasStopped = w, stoppedIn(w)
		region := w.Account(wavetest.Production).Region(wavetest.Tokyo)
		p.excluded = s.exclude(region)
		p.was = map[string]bool{}
		for _, machine := range region.Machines() {
			p.was[machine.ID] = true
		}
		for _, group := range region.ScalingGroups() {
			for _, instance := range group.Warm() {
				p.wasWarm = append(p.wasWarm, instance.ID)
			}
		}
	})
	p.pin()
	p.Sim.SetInterceptor(p.call)
	p.Silent = true // the scene's operator; this one has his own mind
	p.ear, p.progress, p.atOut = p.Overhear(), p.Watch(), map[awssim.CallInfo]outAt{}
	for _, act := range s.People {
		if act.At.On == "" {
			p.later(act.At.Delay, func() { p.say(act) })
		}
	}
	for _, act := range s.Others {
		if act.At.On == "" {
			p.later(act.At.Delay, func() { p.Sim.Inspect(func(*world.World) { p.others.do(p, act) }) })
		}
	}
	p.watchChildren()
	p.operate()
	p.result, p.err = p.Run(workflows.WaveRequest{
		Plan: "web", Actor: "tester", Reason: "the test says so", Only: s.only(),
	})
	p.Sim.SetInterceptor(nil)
	p.hear()
	return p
}

func (p *play) later(seconds int, do func()) {
	p.Env.RegisterDelayedCallback(do, time.Duration(max(seconds, 1))*time.Second)
}

// call decides what happens at a call. It runs under the simulator's lock, which is what lets others act just between
// what an activity saw and what it does.
func (p *play) call(info awssim.CallInfo) awssim.Fault {
	if info.Service == "sts" {
		return awssim.Fault{}
	}
	p.seen[info.Operation]++
	now := p.seen[info.Operation]
	if info.Operation == "DeleteTags" || info.Operation == "EnterStandby" || info.Operation == "DeregisterTargets" {
		p.others.remember(p.world.Account(wavetest.Production).Region(wavetest.Tokyo))
	}
	p.othersAct(info.Operation, now)
	p.othersOfNodes(info.Operation, now)
	p.move(info, now)
	if sets := info.Operation == "SetDesiredCapacity" || info.Operation == "UpdateAutoScalingGroup"; sets &&
		p.unseen(info.Resource) {
		p.others.overwritten[info.Resource] = true
	}
	p.peopleAct(info.Operation, now)
	if info.Operation == "EnterStandby" || info.Operation == "DeregisterTargets" {
		p.lookAtOut(info)
	}
	for _, trouble := range p.script.Calls {
		if trouble.On == info.Operation && now > trouble.Nth && (trouble.Times == forGood ||
			now <= trouble.Nth+1+trouble.Times) {
			return trouble.fault()
		}
	}
	return awssim.Fault{}
}

// outAt is how it stood when an instance was taken out of service.
type outAt struct {
	whole bool // as many members of its group were in service as the group wanted
	short int  // how many fewer than its desired were in service and registered wherever the group registers
	rings bool // an alarm had rung for a while
}

// lookAtOut notes how it stands when a call takes an instance out. It runs under the simulator's lock.
func (p *play) lookAtOut(info awssim.CallInfo) {
	region := p.world.Account(info.Account).Region(info.Region)
	at := outAt{}
	for _, group := range region.ScalingGroups() {
		serving, served, mine := 0, 0, false
		for _, member := range group.Members() {
			mine = mine || strings.Contains(info.Resource, member.Instance.ID)
			if member.State == world.LifecycleInService && member.Instance.AppHealthy() {
				serving += member.Units()
				if !slices.ContainsFunc(group.TargetGroups, func(target *world.TargetGroup) bool {
					return target.Find(member.Instance.ID, target.Port) == nil
				}) {
					served += member.Units()
				}
			}
		}
		if mine {
			at.short = group.Desired - served
		}
		at.whole = at.whole || mine && serving >= group.Desired
	}
	for _, alarm := range region.AllAlarms() {
		at.rings = at.rings || alarm.State == world.AlarmRaised && p.world.Now().Sub(alarm.Transitioned) > soon
	}
	p.atOut[info] = at
}

// happened is a moment that is no call's.
func (p *play) happened(what string, times int) {
	p.Sim.Inspect(func(*world.World) { p.othersAct(what, times) })
	p.peopleAct(what, times)
}

// othersAct lets others do what they do at a moment. It runs under the simulator's lock.
func (p *play) othersAct(what string, times int) {
	for _, act := range p.script.Others {
		switch {
		case !act.At.is(what, times):
		case act.At.Delay == 0:
			p.others.do(p, act)
		default:
			p.world.After(time.Duration(act.At.Delay)*time.Second, func() { p.others.do(p, act) })
		}
	}
}

func (p *play) peopleAct(what string, times int) {
	for _, act := range p.script.People {
		if act.At.is(what, times) {
			p.later(act.At.Delay, func() { p.say(act) })
		}
	}
}

// unseen reports whether others changed a group's numbers so lately that reads did not show it yet. AWS has no "set it
// if it is still as I read it": what they set is overwritten.
func (p *play) unseen(group string) bool {
	changed := p.others.changed[group]
	return !changed.IsZero() && p.world.Now().Sub(changed) <= time.Duration(p.script.ScalingLag)*time.Second
}

func (m moment) is(operation string, number int) bool { return m.On == operation && number == m.Nth+1 }

func (c callTrouble) fault() awssim.Fault {
	switch c.Kind {
	case denied:
		return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Message: "injected", Status: http.StatusForbidden}
	case awssim.FaultTimeout:
		return awssim.Fault{Kind: awssim.FaultTimeout, Effect: c.After}
	}
	return awssim.Fault{Kind: c.Kind}
}

// say sends a verb, which the wave may well refuse, or cancels.
func (p *play) say(act personAct) {
	if p.Env.IsWorkflowCompleted() {
		return
	}
	if act.Verb == "cancel" {
		p.Env.CancelWorkflow()
		p.stop()
		return
	}
	if act.Again > 0 {
		again := act
		again.Again--
		p.later(30, func() { p.say(again) })
	}
	status, _ := p.Status()
	p.Env.UpdateWorkflow(act.Verb, "", &testsuite.TestUpdateCallback{
		OnAccept: func() {
			if status.State == patch.StateOnHold || status.State == patch.StateParked {
				p.progress.Decided(status, patch.Verb(act.Verb), patch.Scope(act.Scope))
			}
			if act.Verb == string(patch.Abort) {
				p.stop()
				p.gaveUp = p.gaveUp || status.State == patch.StateRollingBack
			}
		},
		OnReject: func(error) {}, OnComplete: func(any, error) {},
	}, workflows.VerbRequest{
		Actor: "tester", Reason: "the test says so", Scope: patch.Scope(act.Scope), Point: act.point(status.Point()),
	})
}

func (p *play) stop() {
	if p.stopped.IsZero() {
		p.stopped = p.Env.Now()
	} else {
		p.gaveUp = true
	}
}

// lookEvery is how often the person on call looks at the wave.
const lookEvery = 30 * time.Second

// operate is the person on call: answers approvals, holds and parked waves as the script says, and after much patience
// gives up.
func (p *play) operate() {
	began, answered := p.Env.Now(), time.Time{}
	decide, parked := slices.Clone(p.script.Decide), slices.Clone(p.script.Parked)
	var look func()
	look = func() {
		if p.Env.IsWorkflowCompleted() {
			return
		}
		p.Env.RegisterDelayedCallback(look, lookEvery)
		status, ok := p.Status()
		if !ok {
			return
		}
		p.ear.Looked(status)
		p.progress.Looked(status, func() int { return p.changes() })
		p.watchParked(status)
		p.watchShape(status)
		if p.Env.Now().After(began.Add(p.script.patience())) {
			p.say(personAct{Verb: string(patch.Abort)})
			return
		}
		if len(status.Verbs) == 0 || status.Since.Equal(answered) {
			return
		}
		answered = status.Since
		switch status.State {
		case patch.StateAwaitingApproval:
			p.watchHold(status)
			p.answer(status, or(p.script.Approval, string(patch.Approve)))
		case patch.StateOnHold:
			p.watchHold(status)
			verb := string(patch.Abort)
			if len(decide) > 0 {
				verb, decide = decide[0], decide[1:]
			}
			p.answer(status, verb)
		case patch.StatePaused:
			p.later(60*p.script.Plan.Break, func() { p.say(personAct{Verb: string(patch.Resume)}) })
		case patch.StateParked:
			act := parkedAct{}
			if len(parked) > 0 {
				act, parked = parked[0], parked[1:]
			}
			if act.Verb != silence {
				p.later(60*act.After, func() { p.say(personAct{Verb: or(act.Verb, string(patch.Resume)), Scope: act.Scope}) })
			}
		}
	}
	p.Env.RegisterDelayedCallback(look, lookEvery)
}

// answer says what the script has for a hold or an approval: at once, or once the window is over.
func (p *play) answer(status patch.WaveStatus, said string) {
	verb, isLate := strings.CutPrefix(said, late)
	if verb == silence {
		return
	}
	verb, scope, _ := strings.Cut(verb, " ")
	wait := time.Duration(0)
	if isLate && status.Window != nil {
		wait = max(status.Window.Cutoff.Add(5*time.Minute).Sub(p.Env.Now()), 0)
	}
	p.later(int(wait.Seconds()), func() { p.say(personAct{Verb: verb, Scope: scope}) })
}

// watchHold judges the fleet while the wave waits: a group must be able to scale out.
func (p *play) watchHold(status patch.WaveStatus) {
	stranded, quarantined := status.Stranded, map[string]bool{}
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			p.hearShort(group.Group, group.Failed)
			for _, instance := range group.Failed {
				stranded = append(stranded, instance.Stranded...)
				quarantined[instance.ID] = instance.Outcome == patch.Quarantined
			}
		}
	}
	for _, wrong := range append(p.resting(stranded), p.restingNodes(stranded, quarantined)...) {
		p.onHold = append(p.onHold, fmt.Sprintf("while %s: %s", status.State, wrong))
	}
}

// hear collects what the wave tells of stranded things and of instances.
func (p *play) hear() {
	var canceled *temporal.CanceledError
	if p.result == nil && errors.As(p.err, &canceled) && canceled.HasDetails() {
		result := &patch.WaveResult{}
		if canceled.Details(result) == nil {
			p.result = result
		}
	}
	if p.result == nil {
		return
	}
	p.stranded = p.result.Stranded
	for _, stage := range p.result.Stages {
		for _, group := range stage.Groups {
			p.stranded = append(p.stranded, group.Stranded...)
			p.hearShort(group.Name, group.Instances)
			for _, instance := range group.Instances {
				p.stranded = append(p.stranded, instance.Stranded...)
				p.outcomes[instance.ID] = instance.Outcome
			}
		}
	}
}
