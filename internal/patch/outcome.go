package patch

import (
	"slices"
	"time"
)

// Outcome is how an instance, a group, a stage or a wave ended.
type Outcome string

// Outcomes of an instance.
const (
	Patched          Outcome = "patched"
	AlreadyCompliant Outcome = "already_compliant" // nothing missing, no reboot pending: untouched
	// PatchedRebootPending: patched, and part of it takes effect with a reboot that the plan leaves to others.
	PatchedRebootPending Outcome = "patched_reboot_pending"
	RebootPending        Outcome = "reboot_pending" // nothing missing, only such a reboot: untouched
	RolledBack           Outcome = "rolled_back"    // also of groups, stages and waves
	Skipped              Outcome = "skipped"        // a person decided so; it was never changed
	Quarantined          Outcome = "quarantined"
	Gone                 Outcome = "gone"   // terminated by somebody else meanwhile
	Failed               Outcome = "failed" // also of groups, stages and waves
	NotStarted           Outcome = "not_started"

	// Of a quarantined instance that a person, or its time, has settled.
	Released   Outcome = "released"
	Terminated Outcome = "terminated"
)

// Outcomes of groups, stages and waves, beside RolledBack, Failed and NotStarted.
const (
	Succeeded          Outcome = "succeeded"
	SucceededWithSkips Outcome = "succeeded_with_skips"
	// SucceededWithGaps: all that were tried ended well, and members of a group, as it is at its end, were not tried.
	SucceededWithGaps Outcome = "succeeded_with_gaps"
	// SucceededImageStale: all are patched, and the image that a group launches from was to be renewed and is not.
	SucceededImageStale Outcome = "succeeded_image_stale"

	Aborted Outcome = "aborted"
	// NothingPutBack: it was to be put back, and nothing of it was patched.
	NothingPutBack Outcome = "nothing_put_back"
	// Refused is a wave, or a roll back, that ended before it changed anything: its reason says why.
	Refused Outcome = "refused"
)

// JudgePutBack is the outcome of a whole that was put back: of nothing but parts that were not patched, it says so.
func (o Outcome) JudgePutBack(parts []Outcome) Outcome {
	if o == RolledBack && !slices.Contains(parts, RolledBack) {
		return NothingPutBack
	}
	return o
}

// LeftPatched reports whether an instance ended with patches of the wave on it, in service.
func (o Outcome) LeftPatched() bool { return o == Patched || o == PatchedRebootPending }

// CountPatched counts those that ended with patches of the wave on them, in service.
func CountPatched(instances []InstanceResult) (count int) {
	for _, instance := range instances {
		if instance.Outcome.LeftPatched() {
			count++
		}
	}
	return count
}

// Worries reports whether an instance's outcome is one that somebody should look at.
func (o Outcome) Worries() bool {
	return slices.Contains([]Outcome{Failed, RolledBack, Quarantined, Gone}, o)
}

// PatchedAs is the outcome of a patched instance for which so much waits for a reboot.
func PatchedAs(waits []string) Outcome {
	if len(waits) > 0 {
		return PatchedRebootPending
	}
	return Patched
}

// CompliantAs is the outcome of an instance that had nothing due, for which so much waits for a reboot.
func CompliantAs(waits []string) Outcome {
	if len(waits) > 0 {
		return RebootPending
	}
	return AlreadyCompliant
}

// Stranded is one thing that is not in the state it had before and not where the wave meant it to be, with what a
// person should do about it.
type Stranded struct {
	Account  string `json:"account"`
	Region   string `json:"region"`
	Resource string `json:"resource"`
	State    string `json:"state"`
	WhatToDo string `json:"what_to_do"`
}

// InstanceResult is how one instance ended.
type InstanceResult struct {
	ID      string  `json:"id"`
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"` // why it is not patched, for a person
	// of one not started: a window or a calendar closed; of one not put back: which check
	Refused       RefusalCode `json:"refused,omitempty"`
	MissingBefore int         `json:"missing_before"` // patches, by a Scan before; which: see InstanceDetails
	MissingAfter  int         `json:"missing_after"`  // patches, by a Scan after
	// what takes effect with the next boot only: patch ids, or TheMachine
	RebootPending         []string `json:"reboot_pending,omitempty"`
	AutomationExecutionID string   `json:"automation_execution_id,omitempty"`
	BootID                string   `json:"boot_id,omitempty"` // after the install
	// the root volume that an image gave it
	RootVolume string `json:"root_volume,omitempty"`
	// MachineFacts.PackagesSHA256 after the install
	PackagesAfter string `json:"packages_after,omitempty"`
	// MachineFacts.ApplicationSHA256 after the install
	ApplicationAfter string `json:"application_after,omitempty"`
	// of one that was to be put back: it stood as before already, and nothing was done to it
	AsBefore bool `json:"as_before,omitempty"`
	// putting it back was refused: patched and in service
	StillPatched bool          `json:"still_patched,omitempty"`
	Changes      int           `json:"changes,omitempty"`        // packages
	Details      string        `json:"details_sha256,omitempty"` // of its InstanceDetails; "": none were written
	Backup       *RestorePoint `json:"backup,omitempty"`
	Stranded     []Stranded    `json:"stranded,omitempty"`
	Started      time.Time     `json:"started,omitzero"` // of its first change; zero when nothing was
	Ended        time.Time     `json:"ended,omitzero"`
	PutBackIn    Duration      `json:"put_back_in,omitempty"` // how long putting it back took
	// it left its group for good, which was at its max by others and launched nobody instead
	NoRoomForAnother bool `json:"no_room_for_another,omitempty"`
	// it was patched before the others of its group, and watched for longer
	Canary bool `json:"canary,omitempty"`
	// it failed and was skipped: it stays as it is, and no retry takes it
	PassedOver bool `json:"passed_over,omitempty"`
	// the plan replaces what fails: it was terminated by us
	Replaced bool `json:"replaced,omitempty"`
	// it was not well once it had been patched: it is put back for that
	FailedHealth bool `json:"failed_health,omitempty"`
	// what ran of the plan's hooks, in order
	Hooks []HookRun `json:"hooks,omitempty"`
	// a hook of it failed that says hold: a person decides, whatever max_failures says
	Holds bool `json:"holds,omitempty"`
	// it was stopped when it was taken, started for it, and stopped again
	WasStopped bool `json:"was_stopped,omitempty"`
	// what a reader should know: a bake cut short, targets not judged
	Notes []string `json:"notes,omitempty"`
	// of one not started: what its last try came to, which a retry is to better and has not yet
	LastTry *InstanceResult `json:"last_try,omitempty"`
}

// Called names the instance for people.
func (r InstanceResult) Called() string {
	switch {
	case r.Canary:
		return r.ID + " (canary)"
	case r.WasStopped:
		return r.ID + " (was stopped)"
	}
	return r.ID
}

// InstanceDetails is what has no bound of what was done to an instance. It is in the evidence only, an object an
// instance: results, which travel through Temporal, have its counts and its hash.
type InstanceDetails struct {
	WaveID        string          `json:"wave_id"`
	Group         string          `json:"group"` // account/region/name
	Instance      string          `json:"instance"`
	Outcome       Outcome         `json:"outcome"`               // what its saga came to; a later roll back is another's
	Try           int             `json:"try"`                   // from 0; another saga of it writes in its place
	BaselineID    string          `json:"baseline_id,omitempty"` // in Systems Manager, which judged it before
	MissingBefore []string        `json:"missing_before"`        // patch ids of a Scan before
	MissingAfter  []string        `json:"missing_after"`         // patch ids of the last Scan
	Changes       []PackageChange `json:"changes"`               // what the install did, put back since or not
	Before        *MachineFacts   `json:"before,omitempty"`
	After         *MachineFacts   `json:"after,omitempty"`
	BakeFailures  []BakeFailure   `json:"bake_failures,omitempty"` // what the instance itself saw in its bake, and passed
	// Metrics are what CloudWatch told at the end of its bake.
	Metrics []MetricObservation `json:"metrics,omitempty"`
	Hooks   []HookRun           `json:"hooks,omitempty"` // what ran of the plan's hooks, with what each said
}

// Any reports whether there is anything to be written down.
func (d InstanceDetails) Any() bool {
	return len(d.MissingBefore)+len(d.MissingAfter)+len(d.Changes)+len(d.Hooks) > 0
}

// GroupResult is how one group ended.
type GroupResult struct {
	Account   string           `json:"account"`
	Region    string           `json:"region"`
	Name      string           `json:"name"`
	Baseline  string           `json:"baseline,omitempty"` // by which it is judged, where that is not the plan's
	Outcome   Outcome          `json:"outcome"`
	Reason    string           `json:"reason,omitempty"`
	Instances []InstanceResult `json:"instances"`
	Tally     Tally            `json:"tally,omitempty"` // of its instances, where they are in the evidence only
	Gaps      []Gap            `json:"gaps,omitempty"`
	LeftOut   []Gap            `json:"left_out,omitempty"` // members that are excluded, or not taken by this wave
	Notes     []string         `json:"notes,omitempty"`
	Stranded  []Stranded       `json:"stranded,omitempty"`
	Image     *ImageRenewal    `json:"image,omitempty"` // nil: it was not to be renewed
}

// StageResult is how one stage ended.
type StageResult struct {
	Name    string        `json:"name"`
	Outcome Outcome       `json:"outcome"`
	Groups  []GroupResult `json:"groups"`
	Pinned  *Pinned       `json:"pinned,omitempty"` // what its instances were bound to
	Images  []RootImage   `json:"images,omitempty"` // that replaced its root volumes
	Steps   []StepStatus  `json:"steps,omitempty"`  // of a stage that has some: which were done, and how each soaked
}

// WaveResult is how a wave ended; it is what PatchWave returns.
type WaveResult struct {
	WaveID   string        `json:"wave_id"`
	Plan     string        `json:"plan"`
	PutsBack string        `json:"puts_back,omitempty"` // of a RollBackWave: the wave whose instances it put back
	Outcome  Outcome       `json:"outcome"`
	Reason   string        `json:"reason,omitempty"`
	Stages   []StageResult `json:"stages"`
	Stranded []Stranded    `json:"stranded"`
	Hooks    []HookRun     `json:"hooks,omitempty"` // of the wave; those of instances are theirs
}

// Newest is a group's instances with what is known of some of them since: each once, in their order, newcomers last.
func Newest(instances, since []InstanceResult) []InstanceResult {
	newest := slices.Clone(instances)
	for _, result := range since {
		if i := slices.IndexFunc(newest, func(r InstanceResult) bool { return r.ID == result.ID }); i >= 0 {
			newest[i] = result
		} else {
			newest = append(newest, result)
		}
	}
	return newest
}

// Recalled is the group as it counts where nobody of it gets another try: what the last try of each came to that waits
// for one. Its root volume may have been replaced, or it may be patched still.
func (r GroupResult) Recalled() GroupResult {
	was := GroupOutcome(r.Instances)
	r.Instances = Recalled(r.Instances)
	if was != Failed && GroupOutcome(r.Instances) == Failed { // else the group has judged that itself
		r.Outcome = Failed
	}
	return r
}

// Recalled are instances of which nobody gets another try; see GroupResult.Recalled.
func Recalled(instances []InstanceResult) []InstanceResult {
	recalled := slices.Clone(instances)
	for i, one := range recalled {
		if one.Outcome == NotStarted && one.LastTry != nil {
			recalled[i] = *one.LastTry
		}
	}
	return recalled
}

// GroupOutcome judges a group by its instances. Verbs that end a group early (roll_back, abort) are judged by the
// caller.
func GroupOutcome(instances []InstanceResult) Outcome {
	var skipped, bad, open bool
	for _, instance := range instances {
		switch instance.Outcome {
		case Patched, PatchedRebootPending, AlreadyCompliant, RebootPending, Gone:
		case Skipped, RolledBack:
			skipped = true
		case NotStarted:
			open = true
		default:
			bad = true
		}
	}
	switch {
	case bad:
		return Failed
	case open:
		return NotStarted
	case skipped:
		return SucceededWithSkips
	}
	return Succeeded
}

// NotAsBefore reports whether one that failed, for all that is known, is not as it was before the wave. One that was
// refused before anything was begun on it is, and one that has come back before anything was installed.
func (r InstanceResult) NotAsBefore() bool {
	switch {
	case r.Outcome == Quarantined:
		return true
	case r.Outcome != Failed:
		return false
	}
	return r.AutomationExecutionID != "" || r.StillPatched || len(r.Stranded) > 0
}

// CombinedOutcome judges a stage by its groups, or a wave by its stages: the worst one names the whole. What was not
// started counts only when nothing else happened.
func CombinedOutcome(parts []Outcome) Outcome {
	for _, worst := range []Outcome{
		Failed, RolledBack, NothingPutBack, Aborted, SucceededWithGaps, SucceededWithSkips,
		SucceededImageStale, Succeeded,
	} {
		if slices.Contains(parts, worst) {
			return worst
		}
	}
	return NotStarted
}

// Untouched is the result of an instance that nothing was done to.
func Untouched(id string) InstanceResult {
	return InstanceResult{ID: id, Outcome: NotStarted}
}

// UntouchedMember is Untouched of a member as it was read.
func UntouchedMember(member Member) InstanceResult {
	return InstanceResult{ID: member.ID, Outcome: NotStarted, WasStopped: member.Starts}
}
