package patch

import (
	"slices"
	"time"
)

// Policy is the part of a plan and one of its stages that a group and its instances need.
type Policy struct {
	Plan string
	// Run is the wave's first run id: a wave started again under its old id must not find the old run's backups.
	Run string
	// Began is when the wave, or since then somebody, told the group to go: who was stopped by then rests.
	Began          time.Time
	Platform       Platform
	Baseline       string
	Backup         Backup
	Restore        Restore
	Reboot         Reboot
	Passes         int
	Retention      Duration
	Timing         Timing
	Window         *Window
	Blackouts      Blackouts
	Calendars      []string // Change Calendars that must be open
	Estimates      *Estimates
	Stage          string
	StageAt        int    // where the stage stands among the plan's, from 0
	Service        string // the stage's
	MaxUnavailable Share
	Capacity       CapacityMode
	Health         []HealthCheck
	Bake           Duration
	Order          Order
	ZoneSoak       Duration
	Canary         *Canary
	Steps          []StageStep
	Quarantine     Quarantine
	Hooks          Hooks // of each instance
	Image          *ImagePolicy
	Pinned         *Pinned
	Method         Method     // the stage's; "": packages
	Root           *RootImage // with MethodImage, once it is known
}

// PolicyOf is a stage's policy under a plan. Run is left to whoever knows it.
func PolicyOf(plan Plan, stage Stage) Policy {
	return Policy{
		Plan: plan.Name, Platform: plan.Platform, Baseline: plan.Baseline, Backup: plan.Backup, Restore: plan.Restore,
		Reboot: plan.RebootOf(stage),
		Passes: plan.Passes, Retention: plan.Retention, Timing: plan.Timing, Window: plan.Window, Estimates: plan.Estimates,
		Blackouts: plan.Blackouts, Calendars: plan.Calendars, Stage: stage.Name,
		StageAt: slices.IndexFunc(plan.Stages, func(s Stage) bool { return s.Name == stage.Name }),
		Service: stage.Service, MaxUnavailable: stage.MaxUnavailable,
		Capacity: stage.Capacity,
		Health:   stage.Health, Bake: stage.Bake, Quarantine: plan.Quarantine,
		Order: stage.Order, ZoneSoak: stage.ZoneSoak, Canary: stage.Canary, Steps: stage.Steps,
		Hooks: stage.Hooks, Image: stage.Image, Method: stage.Method,
	}
}

// StageView is the policy as the decisions about a stage know it; its groups are not in it.
func (p Policy) StageView() Stage {
	return Stage{
		Name: p.Stage, Service: p.Service, MaxUnavailable: p.MaxUnavailable,
		Capacity: p.Capacity, Health: p.Health,
		Bake: p.Bake, Order: p.Order, ZoneSoak: p.ZoneSoak, Canary: p.Canary, Steps: p.Steps,
		Hooks: p.Hooks, Image: p.Image, Method: p.Method,
	}
}

// PlanView is the policy as the decisions about a plan know it; its stages are not in it.
func (p Policy) PlanView() Plan {
	return Plan{
		Name: p.Plan, Platform: p.Platform, Baseline: p.Baseline, Backup: p.Backup, Restore: p.Restore, Reboot: p.Reboot,
		Passes:    p.Passes,
		Retention: p.Retention, Timing: p.Timing, Window: p.Window, Estimates: p.Estimates, Calendars: p.Calendars,
		Blackouts:  p.Blackouts,
		Quarantine: p.Quarantine,
	}
}

// Budget is what one instance may need of a window, where it is a target of these groups.
func (p Policy) Budget(groups []TargetGroup) Budget {
	return p.PlanView().Budget(p.StageView(), groups)
}
