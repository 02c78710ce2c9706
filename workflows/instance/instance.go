// Package instance is the saga of one instance, whose steps and undos stand in table.go: PatchInstance, and under the
// same lock RestoreInstance, HealInstance and EndQuarantine.
package instance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/room"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
)

// Common is what every workflow of an instance is given.
type Common struct {
	WaveID   string
	Group    patch.Group
	Instance string
	Policy   patch.Policy
	Try      int            // the saga's try: the verb `retry` raises it
	Ours     patch.Holdings // what this wave holds of the group already
	Tells    bool           // its group listens to what it is doing
	Unasked  bool           // nothing was due, so nobody was asked to approve: what is due now is not patched
	// Turns is whether others of the group are under way as well: each waits for its turn to go out and to come back.
	Turns bool
	// Suspends is what its group has suspended, since it works against instances that are out.
	Suspends []string
	Targets  []string // see activities.InspectGroupInput; nil: its group has not looked through them
	// Peers are members that the wave has not begun yet, where a metric is compared with theirs.
	Peers []string
}

// Input starts PatchInstance.
type Input struct {
	Common
	Runbook    activities.Runbook
	BaselineID string
	Left       bool // an earlier saga of this wave left something of it as it was not: its record tells what
}

// saga is one instance on its way through a table of steps.
type saga struct {
	in      Common
	began   time.Time
	status  patch.InstanceStatus
	undos   undoStack
	putBack *journal.PutBack // what is put back: by RestoreInstance, or by whoever heals one that died; nil: it is another
	left    bool             // see Input.Left

	record      journal.Record   // what the journal holds of it
	before      patch.GroupState // read at preflight
	member      patch.Member     // the instance in it
	asked       bool             // others and the machine itself have been asked once
	forgotten   forgotten        // what Temporal has forgotten of it
	suspended   []string         // what we suspended, and so what we resume
	room        *room.Room       // surge that only the undo needed
	patching    patching
	point       patch.RestorePoint
	unfitReason string // why it must not go back into service; "" when it may
	health      proof
	restored    bool        // its root volume was put back
	heals       bool        // it puts back what a dead saga left
	sameRoot    bool        // and found the instance in service on the root volume of then
	serves      bool        // it could not be taken out again to be put back
	miscounted  bool        // its standby took another part of desired than it weighs
	watch       *undo.Watch // beside its undos; nil: none has begun
	turn        turn        // where others of the group are under way as well
	hooking     hooking
	rest        rest // of one that was stopped
}

// patching is what an install is made by, and what came of it.
type patching struct {
	runbook  activities.Runbook
	baseline string
	blocked  string     // which patches are, by patch.Blocks.Digest; "": none is
	stale    int        // snapshots that were taken without the newest of them
	scan     patch.Scan // what was missing before
	missing  []string   // patch ids, by the last scan
	due      bool       // something is to be done on it, by its scan
	nothing  bool       // it has all that binds it already
	list     string     // URL of the list of packages it is bound to; "": nothing binds
	tries    []installTry
	report   patch.PatchReport // all passes as one
	first    patch.MachineFacts
	detached string   // the replacement by an image that has left it without its root volume; "": none has
	waits    []string // what takes effect with the next boot only
	// rebooting: we may have rebooted it, and so it may hang in that, whatever was installed
	rebooting bool
}

// hooking is how far the plan's hooks have come.
type hooking struct {
	beforeOut  bool            // those of that point have begun
	ended      map[string]bool // by token: what is known to have ended
	hookFailed bool            // one failed for which the instance is put back
}

// proof is what is known of an instance's health since it returned.
type proof struct {
	since  patch.HealthObservation // the look just before it returned: alarms count from then
	proven bool                    // our checks found it healthy in service
	cut    bool                    // a cancel cut the bake
	// back is AWS's time at which it was seen healthy in service first: metrics count from then
	back time.Time
	// bakes is whether its bake is under way: only then metrics judge
	bakes   bool
	metrics []patch.MetricObservation // the last ones of the bake
	// failures are the bad looks of the bake that the instance itself saw
	failures []patch.BakeFailure
}

// PatchInstance takes one instance out of service, patches it, proves it, and returns it; whatever fails is put back.
// It always ends with a result: a failure is in the result, not an error. A cancel before the install puts the instance
// back, a cancel during the install waits for it, and after a proven install it only cuts the bake short.
func PatchInstance(ctx workflow.Context, in Input) (*patch.InstanceResult, error) {
	s := &saga{in: in.Common, left: in.Left, patching: patching{runbook: in.Runbook, baseline: in.BaselineID}}
	return s.begin(ctx, s.patch)
}

// begin answers the query, does what the workflow is for and returns its result. Only its group's workflow, which has
// the group's lock, may ask for it.
func (s *saga) begin(ctx workflow.Context, do func(workflow.Context)) (*patch.InstanceResult, error) {
	if err := run.ChildOf(ctx, "its group's workflow", names.GroupLock(s.in.Group)); err != nil {
		return nil, err
	}
	s.began = workflow.Now(ctx)
	s.status = patch.InstanceStatus{ID: s.in.Instance, Result: patch.InstanceResult{
		ID: s.in.Instance, Outcome: patch.NotStarted,
	}}
	if err := workflow.SetQueryHandlerWithOptions(ctx, names.QueryStatus,
		func() (patch.InstanceStatus, error) {
			answer := s.status
			answer.Undoing = s.putsBack()
			return answer, nil
		},
		workflow.QueryHandlerOptions{Description: "The instance's step, since when, and its result so far"}); err != nil {
		return nil, err
	}
	do(ctx)
	if !s.rest.was { // one that was stopped is scanned before it is stopped again
		s.scanRestored(ctx)
	}
	if !s.status.Result.Started.IsZero() {
		s.keepDetails(ctx)
	}
	s.enter(ctx, patch.StepEnded)
	return &s.status.Result, nil
}

// patch runs preflight and scan, which touch nothing, then the table.
func (s *saga) patch(ctx workflow.Context) {
	result := &s.status.Result
	s.enter(ctx, patch.StepPreflight)
	end := s.preflight(ctx, patch.LevelInstance)
	if s.member.Unbelieved != "" {
		s.note("it carries the tag %s, which is not believed: %s; compare by hand, then remove the tag", names.TagQuarantine,
			s.member.Unbelieved)
	}
	if end != nil {
		s.endUntouched(*end)
		return
	}
	if s.member.Starts {
		s.patchStopped(ctx)
		return
	}
	for {
		judged := s.patching.blocked
		if !s.judge(ctx) {
			return
		}
		// A scan takes minutes, in which others may have suspended a process or taken the room: what is true now counts.
		s.enter(ctx, patch.StepPreflight)
		end = s.takeTurn(ctx)
		if end == nil {
			end = s.preflight(ctx, patch.LevelInstance)
		}
		if end != nil {
			s.endUntouched(*end)
			return
		}
		if s.patching.blocked == judged {
			break
		}
		// What was blocked while it waited may be all that is due: it is not taken out for nothing.
		if s.turn.mine {
			s.endTurn(ctx)
		}
	}
	for _, note := range patch.Unjudged(s.member.Targets, s.in.Policy.Health) {
		s.note("%s", note)
	}
	result.Started = workflow.Now(ctx)
	defer func() { result.Ended = workflow.Now(ctx) }()
	clean, _ := workflow.NewDisconnectedContext(ctx)
	stop := s.watchPauses(clean)
	failed, err := s.run(ctx, s.table())
	stop()
	if err != nil {
		s.compensate(ctx, failed, err)
		return
	}
	if s.health.cut {
		result.Notes = append(result.Notes, "the bake was cut short by a cancel")
	}
}

// tellReboot names what takes effect with the next boot only.
func (s *saga) tellReboot() {
	if len(s.patching.waits) > 0 {
		s.status.Result.RebootPending = s.patching.waits
		s.note("waits for a reboot, which this wave leaves to others: %s", strings.Join(s.patching.waits, ", "))
	}
}

// endUntouched is the result of one that was not begun.
func (s *saga) endUntouched(end notBegun) {
	if end.told {
		return
	}
	s.status.Result.Outcome, s.status.Result.Reason = end.outcome, end.why
	if end.outcome == patch.NotStarted {
		s.status.Result.Refused = end.code
	}
}

// run does the steps in order and registers each undo before its step. A cancel is looked at between the steps before
// the install; from then on the way out of a patched state is forward, and so it is once a released instance is proven
// healthy.
func (s *saga) run(ctx workflow.Context, steps []step) (patch.Step, error) {
	for _, step := range steps {
		if ctx.Err() != nil && len(s.patching.tries) == 0 && s.putBack == nil && !s.health.proven {
			return step.name, ctx.Err()
		}
		// Marking and suspending may have been throttled meanwhile.
		if slices.Contains([]patch.Step{patch.StepStandby, patch.StepStart, patch.BeforeOut.Step()}, step.name) {
			if late := s.tooLate(ctx); late != nil {
				return step.name, late
			}
		}
		s.enter(ctx, step.name)
		s.undos.push(step)
		if err := step.do(ctx); err != nil {
			return step.name, err
		}
	}
	return "", nil
}

// compensate undoes what was done and names the outcome.
func (s *saga) compensate(ctx workflow.Context, failed patch.Step, cause error) {
	result := &s.status.Result
	result.Outcome, result.Reason = patch.Failed, string(failed)+": "+run.Reason(cause)
	result.FailedHealth = failedHealth(failed, cause)
	workflow.GetLogger(ctx).Info("it is put back", "instance", s.in.Instance, "because", result.Reason)
	if ctx.Err() != nil && len(s.patching.tries) == 0 {
		result.Outcome, result.Reason = patch.NotStarted, "cancelled; put back before anything was installed"
	}
	if s.turn.mine {
		s.endTurn(ctx)
	}
	s.status.Undoing = true
	began := workflow.Now(ctx)
	clean, stop := s.undoing(ctx)
	defer stop()
	if unsure(failed, cause) {
		run.OutwaitLag(clean, s.in.Policy.Timing)
	}
	s.undos.unwind(clean, func(step patch.Step) { s.enter(ctx, step) }, s.strand)
	s.status.Undoing = false
	if result.Outcome == patch.Failed && s.untouched() && len(result.Stranded) == 0 {
		s.endNotBegun(ctx, cause)
	}
	if result.Outcome == patch.RolledBack {
		result.PutBackIn = patch.Duration(workflow.Now(ctx).Sub(began))
	}
}

// untouched reports whether nothing of an install can have reached the machine: none was started, or the one that was
// has ended without a command.
func (s *saga) untouched() bool {
	report := s.patching.report
	if s.patching.rebooting || s.in.Policy.ByImage() && len(s.patching.tries) > 0 { // its packages are the image's then
		return false
	}
	return len(s.patching.tries) == 0 || report.ExecutionID != "" && !report.Touched(s.in.Policy.Platform)
}

// endNotBegun ends one that was taken out and put back with nothing installed because it was cancelled, or because its
// window had closed by then: that is no failure of it.
func (s *saga) endNotBegun(ctx workflow.Context, cause error) {
	result := &s.status.Result
	var refusal *patch.Refusal
	switch window := s.in.Policy.Window; {
	case s.putBack != nil:
	case ctx.Err() != nil:
		result.Outcome, result.Reason = patch.NotStarted, "cancelled; put back before anything was installed"
	case s.hooking.hookFailed: // a window that has closed meanwhile is not why
	case errors.As(cause, &refusal) && refusal.Code.Ends():
		s.endUntouched(*refusedBy(refusal))
	default:
		if open, why := window.Open(workflow.Now(ctx)); !open {
			s.endUntouched(notBegun{
				outcome: patch.NotStarted, code: patch.RefusedOutsideWindow,
				why: fmt.Sprintf("%s; put back before anything was installed (%s)", why, run.Reason(cause)),
			})
		}
	}
}

// strand records something that could not be put back, with what a person should do.
func (s *saga) strand(step patch.Step, err error) {
	if run.IsType(err, activities.ErrGone, activities.ErrGroupNotFound) {
		s.note("%s: gone meanwhile, nothing left to put back (%s)", step, run.Reason(err))
		if run.IsType(err, activities.ErrGone) && step == patch.StepStandby {
			s.status.Result.Outcome = patch.Gone
		}
		return
	}
	if step == patch.StepStandby && s.unfitReason != "" {
		s.tellUnfit()
	}
	s.status.Result.Stranded = append(s.status.Result.Stranded, patch.Stranded{
		Account: s.in.Group.Account.Name, Region: s.in.Group.Region, Resource: s.stranded(step),
		State: "undo of " + string(step) + " failed: " + run.Reason(err), WhatToDo: s.remedy(step),
	})
}

// enter tells where the saga is.
func (s *saga) enter(ctx workflow.Context, step patch.Step) {
	s.log(ctx, step)
	s.status.Step, s.status.Since = step, workflow.Now(ctx)
	workflow.SetCurrentDetails(ctx, s.details())
	s.tell(ctx)
}
