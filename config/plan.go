package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// Plan resolves a plan by name: every default is filled in, and nothing in it depends on a file any more. The same
// configuration always gives the same plan. Plan.Window stays nil: when a window opens depends on the present, see
// Window. The error for an unknown plan lists those that exist.
func (c *Config) Plan(name string) (patch.Plan, error) {
	for _, plan := range c.Plans {
		if plan.Name == name {
			return c.resolvePlan(plan)
		}
	}
	return patch.Plan{}, c.unknownPlan(name)
}

func (c *Config) unknownPlan(name string) error {
	return fmt.Errorf("there is no plan %q in %s; known: %s", name, c.File, strings.Join(c.PlanNames(), ", "))
}

func (c *Config) resolvePlan(plan Plan) (patch.Plan, error) {
	baseline, err := c.Baselines.Load(plan.Baseline.String())
	if err != nil {
		return patch.Plan{}, fmt.Errorf("plan %s: %w", plan.Name, err)
	}
	resolved := patch.Plan{
		Name:       plan.Name,
		Baseline:   plan.Baseline.String(),
		Platform:   baseline.Platform,
		Backup:     plan.Backup,
		Restore:    plan.Restore,
		Reboot:     plan.Reboot,
		Passes:     plan.Passes,
		Pin:        plan.pin(),
		Retention:  plan.Retention,
		Timing:     resolveTiming(plan.Timing),
		Quarantine: patch.Quarantine{TTL: plan.Quarantine.TTL, Isolate: plan.Quarantine.Isolate},
		Estimates: &patch.Estimates{
			Patch: plan.Estimates.Patch, RollBack: plan.Estimates.RollBack, Snapshot: plan.Estimates.Snapshot,
			Volume: plan.Estimates.Volume,
		},
		Stages: make([]patch.Stage, len(plan.Stages)),
	}
	if resolved.Passes == 0 {
		resolved.Passes = defaultPasses(baseline.Platform)
	}
	resolved.Calendars = plan.ChangeCalendars
	if after := plan.AfterPlan; after != nil {
		resolved.AfterPlan = &patch.AfterPlan{
			Plan: after.Plan, MaxAge: after.MaxAge, Timeout: after.Timeout, Every: patch.AfterPlanEvery,
		}
	}
	resolved.Hooks = c.resolveHooks(true, plan.Hooks.pointed())
	if resolved.Blackouts, err = c.blackoutsOf(plan); err != nil {
		return patch.Plan{}, fmt.Errorf("plan %s: %w", plan.Name, err)
	}
	for i, stage := range plan.Stages {
		resolved.Stages[i] = c.resolveStage(stage, plan.Exclude)
		for g, group := range stage.Groups {
			if resolved.Stages[i].Groups[g].Tier, err = c.tierOf(plan, stage, group); err != nil {
				return patch.Plan{}, fmt.Errorf("plan %s, stage %s: %w", plan.Name, stage.Name, err)
			}
		}
		if stage.Image == nil {
			resolved.Stages[i].Image = plan.Image.resolve()
		}
		resolved.Stages[i].Hooks = c.resolveHooks(false, plan.Hooks.pointed(), stage.Hooks.pointed())
	}
	return resolved, nil
}

// tierOf is by what a group is patched; nil: by its plan's baseline.
func (c *Config) tierOf(plan Plan, stage Stage, group Group) (*patch.Tier, error) {
	name := baselineOf(plan, stage, group)
	if name == plan.Baseline.String() {
		return nil, nil
	}
	baseline, err := c.Baselines.Load(name)
	if err != nil {
		return nil, err
	}
	return &patch.Tier{
		Baseline: name, Platform: baseline.Platform, Passes: cmp.Or(plan.Passes, defaultPasses(baseline.Platform)),
	}, nil
}

// baselineOf is the name of what a group is patched by.
func baselineOf(plan Plan, stage Stage, group Group) string {
	return group.Baseline.or(stage.Baseline, plan.Baseline)
}

// defaultPasses is 1 on Linux, where one run installs all there is, and 3 on Windows, where some updates are offered
// only after others have been installed and the machine rebooted.
func defaultPasses(platform patch.Platform) int {
	if platform == patch.Windows {
		return 3
	}
	return 1
}

func (c *Config) resolveStage(stage Stage, ofPlan *Exclude) patch.Stage {
	resolved := patch.Stage{
		Name:              stage.Name,
		Groups:            make([]patch.Group, len(stage.Groups)),
		Service:           stage.Service,
		MaxUnavailable:    stage.MaxUnavailable,
		MaxParallelGroups: stage.MaxParallelGroups,
		MaxFailures:       stage.MaxFailures,
		Capacity:          stage.Capacity,
		Health:            make([]patch.HealthCheck, len(stage.Health)),
		Bake:              stage.Bake,
		OnFailure:         patch.OnFailure{Timeout: stage.OnFailure.Timeout, Then: stage.OnFailure.Then},
		Promote:           stage.Promote,
		Order:             stage.Order,
		ZoneSoak:          stage.ZoneSoak,
		Reboot:            stage.Reboot,
		Image:             stage.Image.resolve(),
	}
	if stage.Method == patch.MethodImage {
		resolved.Method, resolved.ImageKeys = stage.Method, c.imageKeys(stage)
	}
	if stage.RootImage != nil {
		resolved.RootParameter = stage.RootImage.Parameter
	}
	if stage.Canary != nil {
		resolved.Canary = &patch.Canary{Instances: stage.Canary.Instances, Bake: stage.Canary.Bake}
	}
	resolved.Approval, resolved.After = stage.Approval.resolve(), stage.After.resolve()
	for _, step := range stage.Steps {
		resolved.Steps = append(resolved.Steps, patch.StageStep{
			To: step.To, Soak: step.Soak.resolve(), Approval: step.Approval.resolve(),
		})
	}
	for i, group := range stage.Groups {
		account, _ := c.Account(group.Account) // Parse refused unknown ones
		resolved.Groups[i] = group.resolve(account)
		resolved.Groups[i].Stopped = stage.stopped()
		for _, exclude := range []*Exclude{ofPlan, stage.Exclude} {
			if exclude != nil {
				resolved.Groups[i].Exclude = append(resolved.Groups[i].Exclude, maps.Clone(exclude.Tags))
			}
		}
	}
	for i, check := range stage.Health {
		resolved.Health[i] = check.resolve()
	}
	return resolved
}

func (a *Approval) resolve() *patch.Approval {
	if a == nil || !a.Required {
		return nil
	}
	return &patch.Approval{Timeout: a.Timeout, FourEyes: a.FourEyes}
}

func (a *After) resolve() *patch.After {
	if a == nil {
		return nil
	}
	return &patch.After{Duration: a.Duration, Healthy: a.Healthy, Every: patch.SoakEvery}
}

func (g Group) resolve(account Account) patch.Group {
	return patch.Group{
		Account: patch.Account{Name: account.Name, ID: account.ID}, Region: g.Region,
		AutoScalingGroup: g.AutoScalingGroup, Tags: maps.Clone(g.Tags), ManagedNodes: maps.Clone(g.ManagedNodes),
	}
}

// Account returns an account by name, and whether there is one.
func (c *Config) Account(name string) (Account, bool) {
	for _, account := range c.Accounts {
		if account.Name == name {
			return account, true
		}
	}
	return Account{}, false
}

// baselines are those that the plan's groups are patched by, and its own.
func (p Plan) baselines() []string {
	names := []string{p.Baseline.String()}
	for _, stage := range p.Stages {
		for _, group := range stage.Groups {
			names = append(names, baselineOf(p, stage, group))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
