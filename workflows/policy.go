package workflows

import (
	"github.com/patchtide/patchtide/internal/patch"
)

// Policy is the part of a plan that a group and its instances need.
type Policy struct {
	Plan           string
	Run            string // the wave's first run id: a wave started again under its old id must not find the old run's backups
	Platform       patch.Platform
	Backup         patch.Backup
	Restore        patch.Restore
	Reboot         patch.RebootOption
	Passes         int
	Retention      patch.Duration
	Timing         patch.Timing
	Window         *patch.Window
	Calendars      []string // Change Calendars that must be open
	Estimates      *patch.Estimates
	Stage          string
	MaxUnavailable int
	Capacity       patch.CapacityMode
	Health         []patch.HealthCheck
	Bake           patch.Duration
	Quarantine     patch.Quarantine
}

func policyOf(plan patch.Plan, stage patch.Stage) Policy {
	return Policy{
		Plan: plan.Name, Platform: plan.Platform, Backup: plan.Backup, Restore: plan.Restore, Reboot: plan.Reboot,
		Passes: plan.Passes, Retention: plan.Retention, Timing: plan.Timing, Window: plan.Window, Estimates: plan.Estimates, Calendars: plan.Calendars,
		Stage: stage.Name, MaxUnavailable: stage.MaxUnavailable, Capacity: stage.Capacity, Health: stage.Health, Bake: stage.Bake,
		Quarantine: plan.Quarantine,
	}
}

// stage is the policy as the pure decisions know it.
func (p Policy) stage() patch.Stage {
	return patch.Stage{Name: p.Stage, MaxUnavailable: p.MaxUnavailable, Capacity: p.Capacity, Health: p.Health, Bake: p.Bake}
}

// restoring is the plan as the pure decisions about restoring know it.
func (p Policy) restoring() patch.Plan {
	return patch.Plan{Name: p.Plan, Backup: p.Backup, Restore: p.Restore}
}
