package patch

import (
	"math"
	"slices"
	"time"
)

// Timing holds every interval and budget of a plan. Each has a default and its reason here; a plan may change any of
// them under `timing:`. What is Temporal's or Patchtide's own, and no plan's, is a named constant where it is used.
type Timing struct {
	// Act is the StartToClose of one attempt of an acting activity. A mutating call is refused once less than a third of
	// it is left, so it must leave room for several reads and one slow mutation.
	Act Duration `json:"act"`
	// Look is the StartToClose of one attempt of a wait or a read.
	Look Duration `json:"look"`
	// Poll is the time between two looks at something slow (an install, a restore).
	Poll Duration `json:"poll"`
	// HealthPoll is the time between two looks at health; a bake looks this often.
	HealthPoll Duration `json:"health_poll"`
	// Retry is the first pause between two attempts of an act, LongestRetry at most; it doubles up to that (scaled alike).
	Retry Duration `json:"retry"`
	// ActBudget bounds an act's retries while going forward; compensation has no such bound.
	ActBudget Duration `json:"act_budget"`
	// Scan bounds a patch scan of one batch of instances.
	Scan Duration `json:"scan"`
	// Drain bounds entering standby and draining: the longest deregistration delay AWS allows is an hour.
	Drain Duration `json:"drain"`
	// Install bounds install, reboot and facts once the execution runs; time in Pending is not counted.
	Install Duration `json:"install"`
	// Stop bounds how long a stopped execution and its command may take to become terminal.
	Stop Duration `json:"stop"`
	// InService bounds the way from standby back to InService and healthy in its target groups.
	InService Duration `json:"in_service"`
	// HealthBudget bounds the health checks after return, before the bake begins.
	HealthBudget Duration `json:"health_budget"`
	// Snapshot bounds how long a restore waits for its snapshot: a first snapshot of a large volume takes hours.
	Snapshot Duration `json:"snapshot"`
	// RestoreRoot bounds a root volume's replacement and the reboot it brings.
	RestoreRoot Duration `json:"restore_root"`
	// Surge bounds the launch of one more instance until it is healthy.
	Surge Duration `json:"surge"`
	// Agent bounds how long an agent may stay silent after a reboot.
	Agent Duration `json:"agent"`
	// Start bounds how long one that was stopped may take to run, pass EC2's status checks and be heard of by Systems
	// Manager; and to be stopped again: a system that does not shut down by itself is cut off by EC2 after some minutes.
	Start Duration `json:"start"`
	// Instance is how long install, reboot and the ways out of and into service usually take, without draining and bake:
	// what it was for most machines of AWS's own runbooks, with slack. It counts where a stage's bake alone outlasts the
	// estimate.
	Instance Duration `json:"instance"`
	// ReadLag is how long AWS's lists may not yet show what was just made: only after so much emptiness is a call whose
	// reply was lost taken for one that had no effect.
	ReadLag Duration `json:"read_lag"`
	// RollbackMaxAge is how old a backup may be, by AWS's clock, when a closed wave is rolled back: an older root volume
	// also undoes deployments, rotated secrets and a domain's machine password, so that going on must be asked for.
	RollbackMaxAge Duration `json:"rollback_max_age"`
}

// LongestRetry is the longest pause between two attempts of an act, the first one included: Temporal takes no first
// pause that is longer than the longest.
const LongestRetry = Duration(time.Minute)

// DefaultTiming returns the values used where a plan is silent.
func DefaultTiming() Timing {
	return Timing{
		Act:          Duration(time.Minute),
		Look:         Duration(30 * time.Second),
		Poll:         Duration(15 * time.Second),
		HealthPoll:   Duration(10 * time.Second),
		Retry:        Duration(2 * time.Second),
		ActBudget:    Duration(30 * time.Minute),
		Scan:         Duration(30 * time.Minute),
		Drain:        Duration(75 * time.Minute),
		Install:      Duration(90 * time.Minute),
		Stop:         Duration(15 * time.Minute),
		InService:    Duration(30 * time.Minute),
		HealthBudget: Duration(20 * time.Minute),
		Snapshot:     Duration(6 * time.Hour),
		RestoreRoot:  Duration(time.Hour),
		Surge:        Duration(30 * time.Minute),
		Agent:        Duration(15 * time.Minute),
		Start:        Duration(20 * time.Minute),
		Instance:     Duration(20 * time.Minute),
		ReadLag:      Duration(time.Minute),

		RollbackMaxAge: Duration(24 * time.Hour),
	}
}

// CallersSession is how long Automation acts with the permissions of who starts an execution: what it does later fails,
// also while it patches (the guide on running automations asks for a service role where it may take longer).
const CallersSession = Duration(12 * time.Hour)

// LongestAsCaller is the longest `timing.install` of which it is sure that an execution ends within CallersSession: it
// may be queued for so long, then run for so long, with its facts before and after, and be stopped.
const LongestAsCaller = Duration(5 * time.Hour)

// MinAttempt is the shortest StartToClose that a scaled plan may have: below it a busy machine fails attempts that are
// well.
const MinAttempt = 2 * time.Second

// MinBudget is the shortest budget of a scaled plan, for the same reason: what bounds a wait in the laboratory must be
// the simulated AWS and not the worker's own work, which no speed makes faster.
const MinBudget = 20 * time.Second

// Scaled returns the plan with its bakes, polls and budgets divided by speed, for a laboratory whose AWS lives that
// much faster. One attempt's StartToClose never gets shorter than MinAttempt and no budget shorter than MinBudget.
//
// What waits for a person lasts as long as ever, for people do not live faster. How long an approval, a hold and a
// quarantine last before something is decided without them is measured by a worker's clock and left as it is; how old a
// backup may be, and how long it is kept, by AWS's, and multiplied. The product never calls it.
func (p Plan) Scaled(speed float64) Plan {
	if speed <= 1 {
		return p
	}
	divide := func(d Duration) Duration { return Duration(float64(d) / speed) }
	attempt := func(d Duration) Duration { return max(divide(d), min(d, Duration(MinAttempt))) }
	budget := func(d Duration) Duration { return max(divide(d), min(d, Duration(MinBudget))) }
	stages := make([]Stage, len(p.Stages))
	for i, stage := range p.Stages {
		stage.Bake, stage.ZoneSoak = divide(stage.Bake), divide(stage.ZoneSoak)
		if stage.After != nil {
			after := *stage.After
			after.Duration, after.Every = divide(after.Duration), divide(after.Every)
			stage.After = &after
		}
		if stage.Canary != nil {
			stage.Canary = &Canary{Instances: stage.Canary.Instances, Bake: divide(stage.Canary.Bake)}
		}
		stage.Hooks = stage.Hooks.each(func(call *HookCall) { call.Timeout = budget(call.Timeout) })
		stage.Steps = slices.Clone(stage.Steps)
		for k, step := range stage.Steps {
			if step.Soak != nil {
				soak := *step.Soak
				soak.Duration, soak.Every = divide(soak.Duration), divide(soak.Every)
				stage.Steps[k].Soak = &soak
			}
		}
		stages[i] = stage
	}
	p.Stages = stages
	if p.AfterPlan != nil {
		after := *p.AfterPlan
		after.MaxAge, after.Timeout, after.Every = divide(after.MaxAge), divide(after.Timeout), divide(after.Every)
		p.AfterPlan = &after
	}
	p.Hooks = p.Hooks.each(func(call *HookCall) { call.Timeout = budget(call.Timeout) })
	if p.Estimates != nil {
		e := *p.Estimates
		e.Patch, e.RollBack, e.Snapshot, e.Volume = divide(e.Patch), divide(e.RollBack), divide(e.Snapshot), divide(e.Volume)
		p.Estimates = &e
	}
	t := p.Timing
	p.Timing = Timing{
		Act: attempt(t.Act), Look: attempt(t.Look),
		Poll: divide(t.Poll), HealthPoll: divide(t.HealthPoll), Retry: divide(t.Retry), ReadLag: divide(t.ReadLag),
		ActBudget: budget(t.ActBudget), Scan: budget(t.Scan), Drain: budget(t.Drain), Install: budget(t.Install),
		Stop:      budget(t.Stop),
		InService: budget(t.InService), HealthBudget: budget(t.HealthBudget), Snapshot: budget(t.Snapshot),
		RestoreRoot: budget(t.RestoreRoot), Surge: budget(t.Surge), Agent: budget(t.Agent), Start: budget(t.Start),
		Instance:       divide(t.Instance),
		RollbackMaxAge: t.RollbackMaxAge.times(speed),
	}
	p.Retention = p.Retention.times(speed)
	return p
}

// times is so many times as long, or as long as can be told: three centuries.
func (d Duration) times(factor float64) Duration {
	if long := float64(d) * factor; long < math.MaxInt64 {
		return Duration(long)
	}
	return math.MaxInt64
}
