package patch

import "time"

// Preview is what a wave of a plan would do, in order, if it began now or when its window opens. Nothing is changed to
// learn it.
type Preview struct {
	Plan   string    `json:"plan"`
	Only   *Only     `json:"only,omitempty"` // whom the wave would take; none: everybody
	Hash   string    `json:"plan_hash"`
	At     time.Time `json:"at"`               // when it was read
	Begins time.Time `json:"begins"`           // when the wave would begin: At, or when its window opens
	Window *Window   `json:"window,omitempty"` // the one it would run in; none: any time

	// Following are some of the windows after that.
	Following []Window `json:"following,omitempty"`
	// RefusedNow is what a start before Begins is refused with; "": it is not.
	RefusedNow RefusalCode `json:"refused_now,omitempty"`

	// The time in which a person is waited for, or a stage soaks, is not in it.
	Takes      Duration  `json:"takes"`
	Ends       time.Time `json:"ends"` // Begins + Takes
	NotCounted []string  `json:"not_counted"`
	Instances  int       `json:"instances"`
	Due        int       `json:"due"`     // of them: those that would be taken, for they miss something or nobody knows
	InTime     int       `json:"in_time"` // of those: may still be begun in the window

	Missing   int        `json:"missing"`              // patches in all
	AfterPlan *AfterPlan `json:"after_plan,omitempty"` // the other plan that it waits for first
	Reboots   int        `json:"reboots"`
	MayBoot   int        `json:"reboots_if_required,omitempty"` // instances that are rebooted only where they need it
	Blockers  []Blocker  `json:"blockers"`                      // why it would not begin, or not get through: all of them
	Hooks     Hooks      `json:"hooks,omitempty"`               // of the wave
	Loses     string     `json:"loses,omitempty"`               // what an instance that is put back loses beside its patches
	Notes     []string   `json:"notes"`

	Stages []PreviewStage `json:"stages"`
}

// CouldRun reports whether nothing known stands in the way.
func (p Preview) CouldRun() bool { return len(p.Blockers) == 0 }

// Blocker is one thing that stands in the way, by the name it has in docs/refusals.md.
type Blocker struct {
	Code      string   `json:"code"`
	Where     string   `json:"where"`               // the plan, a service, or account/region/group
	Instances []string `json:"instances,omitempty"` // those it is about; none: the whole
	What      string   `json:"what"`
	WhatToDo  string   `json:"what_to_do"`
}

// Blocker is the refusal as a preview tells it.
func (r Refusal) Blocker() Blocker {
	return Blocker{Code: string(r.Code), Where: r.Where, What: r.What, WhatToDo: r.WhatToDo}
}

// PreviewStage is one stage of a Preview. Times count from Preview.Begins, without the time in which a stage soaks.
type PreviewStage struct {
	Name     string    `json:"name"`
	Approval *Approval `json:"approval,omitempty"` // who must say yes is waited for before it begins
	// Unasked is why nobody would be asked to approve it, or a step of it; "": whoever the plan names is.
	Unasked           string         `json:"unasked,omitempty"`
	After             *After         `json:"after,omitempty"` // how long the stage before soaks until then
	Service           string         `json:"service,omitempty"`
	MaxParallelGroups int            `json:"max_parallel_groups"`
	Bake              Duration       `json:"bake"`
	Promote           Promote        `json:"promote"`         // what of it lets the next stage begin
	Pin               Pin            `json:"pin"`             // what binds it
	Bound             *PreviewBound  `json:"bound,omitempty"` // what that would be; nil: nothing binds it
	Method            Method         `json:"method"`
	Order             Order          `json:"order,omitempty"`
	ZoneSoak          Duration       `json:"zone_soak,omitempty"`
	Canary            *Canary        `json:"canary,omitempty"`
	Hooks             Hooks          `json:"hooks,omitempty"`   // of each instance
	Metrics           []string       `json:"metrics,omitempty"` // what its metric checks want, a line each
	Steps             []StageStep    `json:"steps,omitempty"`
	Begins            Duration       `json:"begins"`
	Takes             Duration       `json:"takes"`
	Groups            []PreviewGroup `json:"groups"`
}

// PreviewGroup is one group of a PreviewStage.
type PreviewGroup struct {
	Group     string            `json:"group"`              // account/region/name
	Baseline  string            `json:"baseline,omitempty"` // where it is not the plan's
	Numbers   *GroupNumbers     `json:"numbers,omitempty"`  // of an Auto Scaling group
	Strategy  Strategy          `json:"strategy"`
	Refused   string            `json:"refused,omitempty"` // why no room could be made, or that it could not be read
	Begins    Duration          `json:"begins"`
	Takes     Duration          `json:"takes"`
	Each      Duration          `json:"each"`      // one instance
	EachFrom  string            `json:"each_from"` // what that is made of
	Instances []PreviewInstance `json:"instances"` // in the order in which they would be taken
	// Held is what one of them has now of what it misses; nil: none was asked.
	Held *Held `json:"held,omitempty"`
}

// Held are the versions that a machine has of packages, epoch:version-release, by "name.arch". Of several versions of
// one, as of a kernel, all are told.
type Held struct {
	Instance string            `json:"instance"`
	Versions map[string]string `json:"versions"`
}

// GroupNumbers are an Auto Scaling group's.
type GroupNumbers struct {
	Min     int `json:"min"`
	Max     int `json:"max"`
	Desired int `json:"desired"`
	// Counts is what these three count, where that is not instances: weights, vcpu or memory-mib.
	Counts Unit `json:"counts,omitempty"`
}

// PreviewInstance is one instance of a PreviewGroup.
type PreviewInstance struct {
	ID           string         `json:"id"`
	Zone         string         `json:"zone"`
	Does         PreviewAction  `json:"does"`
	Missing      []MissingPatch `json:"missing"` // the worst first
	MissingCount int            `json:"missing_count"`
	// ids of patches that the last installation could not install
	Failed        []string `json:"failed,omitempty"`
	PendingReboot []string `json:"pending_reboot,omitempty"` // ids of patches that wait for a reboot
	Reboot        bool     `json:"reboot"`
	// RebootIfRequired: it is asked after its install whether it needs one.
	RebootIfRequired bool `json:"reboot_if_required,omitempty"`

	KnownAt  time.Time `json:"known_at,omitzero"`   // AWS's clock: when Systems Manager learnt what is missing
	Age      Duration  `json:"age,omitempty"`       // of that
	JudgedBy string    `json:"judged_by,omitempty"` // the patch baseline's id, where it is not the plan's
	// what Systems Manager knows is older than its last start or its root volume: nobody knows what it misses
	Outdated bool     `json:"outdated,omitempty"`
	Begins   Duration `json:"begins"`
	Takes    Duration `json:"takes"`
	InTime   bool     `json:"in_time"` // it may still be begun in the window
	Canary   bool     `json:"canary,omitempty"`
	Step     int      `json:"step,omitempty"` // of its stage's steps the one it is taken in, from 1; 0: it has none
}

// PreviewAction is what a wave would do to an instance.
type PreviewAction string

// What a wave would do to an instance.
const (
	WouldPatch   PreviewAction = "patch"
	WouldNothing PreviewAction = "nothing" // it misses nothing
	WouldScan    PreviewAction = "scan"    // nobody knows what it misses: it is scanned, and patched where due
)

// MissingPatch is one that is approved and not installed.
type MissingPatch struct {
	ID       string `json:"id"`
	Severity string `json:"severity"` // as its vendor names it; "" when it names none
	// Version is the one that would come, epoch:version-release, where the patch's title has it: "" where it has not.
	Version string `json:"version,omitempty"`
}

// PatchState is what Systems Manager last learnt of an instance's patches, by whomever.
type PatchState struct {
	Instance      string
	BaselineID    string    // the one that judged
	At            time.Time // AWS's clock: when the scan or installation ended
	Missing       []MissingPatch
	Failed        []string
	PendingReboot []string
	// What is blocked, by whom and why: LeftOut of what the baseline will reject, which is not missing; Blocked of what is
	// missing, and comes all the same.
	LeftOut, Blocked []string
}

// Outcomes of a preview.
const (
	WouldRun Outcome = "would_run"
	Blocked  Outcome = "blocked"
)

// mostPatchIDs is how many patch ids a preview holds in all: beyond it instances have their counts only, for Temporal
// keeps results of two megabytes at most.
const mostPatchIDs = 15_000
