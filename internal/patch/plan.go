// Package patch holds the domain's nouns and its pure decisions: what a plan is, what comes next, whether an instance
// may be taken out of service, and how a run ended. It knows neither Temporal nor AWS and imports the standard library
// only, so that every decision can be tested by a table.
package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Backup says how an instance can be put back.
type Backup string

// The kinds of backup a plan may ask for.
const (
	BackupSnapshot Backup = "snapshot" // a snapshot of the root volume, taken when drained
	BackupNone     Backup = "none"
)

// Restore says how a failed instance is put back.
type Restore string

// The ways to put a failed instance back.
const (
	RestoreRootVolume Restore = "root_volume" // same id, addresses and data volumes; the root as it was
	RestoreReplace    Restore = "replace"     // terminate it and let its group launch another
	RestoreNone       Restore = "none"        // straight to quarantine
)

// Plan is what operators name when they patch: a baseline and ordered stages, resolved from the worker's configuration
// so that a replay depends on no file.
type Plan struct {
	Name      string     `json:"name"`
	Baseline  string     `json:"baseline"` // name of a file in baselines/
	Platform  Platform   `json:"platform"` // the baseline's
	Backup    Backup     `json:"backup"`
	Restore   Restore    `json:"restore"`
	Reboot    Reboot     `json:"reboot"` // see RebootOf
	Passes    int        `json:"passes"` // how often install and reboot are repeated at most
	Pin       Pin        `json:"pin"`    // what binds the stages after the first
	Stages    []Stage    `json:"stages"`
	Window    *Window    `json:"window,omitempty"`     // the one that is open, or comes next; nil: any time
	Blackouts Blackouts  `json:"blackouts,omitempty"`  // in which nothing is begun; those that are over are left out
	AfterPlan *AfterPlan `json:"after_plan,omitempty"` // nil: it waits for no other
	Calendars []string   `json:"calendars,omitempty"`  // Change Calendars that must be open, by name or ARN
	Retention Duration   `json:"retention"`            // how long snapshots and replaced volumes are kept
	Timing    Timing     `json:"timing"`
	Estimates *Estimates `json:"estimates,omitempty"` // nil: none were given, see Plan.Budget

	Quarantine Quarantine `json:"quarantine"`
	Hooks      Hooks      `json:"hooks,omitempty"` // those of the wave; the others are each stage's
}

// Platform decides which scripts and how many passes an instance needs.
type Platform string

// The platforms Patchtide knows.
const (
	Linux   Platform = "linux"
	Windows Platform = "windows"
)

// Window is one occurrence of a maintenance window in absolute time. A wave starts no instance after Cutoff; putting
// back is allowed at any time.
type Window struct {
	Opens  time.Time `json:"opens"`
	Cutoff time.Time `json:"cutoff"`
	Closes time.Time `json:"closes"`
	Cut    string    `json:"cut,omitempty"` // the blackout for which it closes early; "": it does not
	Of     string    `json:"of,omitempty"`  // who opens it; "": the configuration
}

// Open reports whether an instance may be started at t, and if not, why.
func (w *Window) Open(t time.Time) (bool, string) {
	switch {
	case w == nil:
		return true, ""
	case t.Before(w.Opens):
		return false, fmt.Sprintf("the window opens at %s", w.Opens.Format(time.RFC3339))
	case !t.Before(w.Cutoff):
		return false, fmt.Sprintf("the window's cutoff was at %s", w.Cutoff.Format(time.RFC3339))
	}
	return true, ""
}

// Stage is a set of groups patched under one policy before the next stage begins.
type Stage struct {
	Name   string  `json:"name"`
	Groups []Group `json:"groups"`
	// groups of one service are taken one group at a time
	Service           string        `json:"service,omitempty"`
	Approval          *Approval     `json:"approval,omitempty"`
	After             *After        `json:"after,omitempty"` // how long the stage before must have been done; nil: not at all
	MaxUnavailable    Share         `json:"max_unavailable"`
	MaxParallelGroups int           `json:"max_parallel_groups"`
	MaxFailures       Share         `json:"max_failures"` // failed instances the stage may carry before it stops
	Capacity          CapacityMode  `json:"capacity"`
	Health            []HealthCheck `json:"health"`
	Bake              Duration      `json:"bake"` // time under watch after each instance is back in service
	OnFailure         OnFailure     `json:"on_failure"`
	Promote           Promote       `json:"promote"`             // what of it lets the next stage begin
	Order             Order         `json:"order,omitempty"`     // "": zone_balanced
	ZoneSoak          Duration      `json:"zone_soak,omitempty"` // of order zone: between two zones of a group
	Canary            *Canary       `json:"canary,omitempty"`    // nil: the first are patched as the others
	Reboot            Reboot        `json:"reboot,omitempty"`    // "": the plan's
	Hooks             Hooks         `json:"hooks,omitempty"`     // those of each instance, the plan's first
	Image             *ImagePolicy  `json:"image,omitempty"`     // of what its groups launch; nil: what is stale is told
	Steps             []StageStep   `json:"steps,omitempty"`     // the last takes all; nil: all at once, but for a canary
	Method            Method        `json:"method,omitempty"`    // "": packages
	// RootParameter is the parameter of Systems Manager that names the image, of a first stage by image.
	RootParameter string `json:"root_parameter,omitempty"`
	// ImageKeys are, of a stage by image, aliases of the keys by which copies of images are encrypted, by the account's
	// id; without one, by EBS's default key.
	ImageKeys map[string]string `json:"image_keys,omitempty"`
}

// Canary is the first instances of each group of a stage, which are watched for longer: the others of every group wait
// until all of them have baked.
type Canary struct {
	Instances int      `json:"instances"` // of each group
	Bake      Duration `json:"bake"`      // in place of the stage's
}

// Approval is a gate before a stage.
type Approval struct {
	Timeout Duration `json:"timeout"` // then the wave is aborted; nothing of the stage was touched
	// FourEyes demands that somebody approves who did not start the wave.
	FourEyes bool `json:"four_eyes,omitempty"`
}

// OnFailure says what happens when a stage has more failures than it may carry: the wave goes on hold, and when nobody
// answers within Timeout, Then is decided in their place.
type OnFailure struct {
	Timeout Duration `json:"timeout"` // 0: wait for a person for ever
	Then    Verb     `json:"then"`    // roll_back, skip or abort
}

// CapacityMode says how room is made for an instance that goes out of service.
type CapacityMode string

// The ways to make room.
const (
	CapacityAuto      CapacityMode = "auto"      // decrement where desired allows it, else surge
	CapacityDecrement CapacityMode = "decrement" // desired - 1 while the instance is out
	CapacitySurge     CapacityMode = "surge"     // as many more as are out, while the group is patched
)

// Account is a target account. How its roles are assumed stays with the worker and never enters history.
type Account struct {
	Name string `json:"name"`
	ID   string `json:"id"` // 12 digits
}

// Group is an Auto Scaling group, the instances that carry all of Tags, or the managed nodes that carry all of
// ManagedNodes.
type Group struct {
	Account          Account           `json:"account"`
	Region           string            `json:"region"`
	AutoScalingGroup string            `json:"auto_scaling_group,omitempty"`
	Tags             map[string]string `json:"tags,omitempty"`
	ManagedNodes     map[string]string `json:"managed_nodes,omitempty"`
	// Exclude are tags: an instance that carries all of one entry's is left as it is.
	Exclude []map[string]string `json:"exclude,omitempty"`
	Only    *Only               `json:"only,omitempty"` // whom this wave takes; nil: everybody
	Tier    *Tier               `json:"tier,omitempty"` // by what it is patched; nil: by what its plan names
	Stopped Stopped             `json:"stopped,omitempty"`
}

// IsAutoScaling tells an Auto Scaling group from instances chosen by tags.
func (g Group) IsAutoScaling() bool { return g.AutoScalingGroup != "" }

// Name is the Auto Scaling group's name, or the selector with its keys sorted: "Role=web,Tier=front" of instances, and
// "mi:Role=till" of managed nodes.
func (g Group) Name() string {
	switch {
	case g.IsAutoScaling():
		return g.AutoScalingGroup
	case g.IsNodes():
		return "mi:" + selector(g.ManagedNodes)
	}
	return selector(g.Tags)
}

// String names the group as people write it: account/region/name.
func (g Group) String() string { return g.Account.Name + "/" + g.Region + "/" + g.Name() }

// Groups lists every group of the plan once, in a fixed order, so that locks are always taken in the same order.
func (p Plan) Groups() []Group {
	var all []Group
	for _, stage := range p.Stages {
		all = append(all, stage.Groups...)
	}
	slices.SortFunc(all, func(a, b Group) int { return strings.Compare(a.String(), b.String()) })
	return slices.CompactFunc(all, func(a, b Group) bool { return a.String() == b.String() })
}
