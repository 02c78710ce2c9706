package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
)

// young is how old a mark must be, and how long its owners must have ended, before Reconcile touches it: by then every
// attempt that a dead workflow left under way has ended, and a workflow that is just being started has its locks.
const young = 15 * time.Minute

// Scope is where Reconcile looks, by the worker's configuration.
type Scope struct {
	Places []patch.Place
	Watch  map[string][]string // by place: the Auto Scaling groups of any plan, sorted
	Timing patch.Timing
	TooRecent  patch.Duration
	// Problems are plans that could not be read; what they watch is not looked at.
	Problems []string
	Notifies bool `json:",omitempty"` // see ResolvedPlan
}

// ReconcileScope lists every account and region of the configuration, and the Auto Scaling groups of its plans.
func (c *Control) ReconcileScope(context.Context) (*Scope, error) {
	scope := &Scope{
		Places: c.Plans.Places(), Watch: map[string][]string{}, TooRecent: patch.Duration(young),
		Timing: patch.Plan{Timing: patch.DefaultTiming()}.Scaled(c.Speed).Timing, Notifies: c.notifies(),
	}
	if c.Speed > 1 {
		scope.TooRecent = patch.Duration(float64(young) / c.Speed)
	}
	for _, name := range c.Plans.PlanNames() {
		plan, err := c.Plans.Plan(name)
		if err != nil {
			scope.Problems = append(scope.Problems, fmt.Sprintf("plan %s cannot be resolved: %v", name, err))
			continue
		}
		for _, group := range plan.Groups() {
			place := patch.Place{Account: group.Account, Region: group.Region}.String()
			if group.IsAutoScaling() && !slices.Contains(scope.Watch[place], group.AutoScalingGroup) {
				scope.Watch[place] = append(scope.Watch[place], group.AutoScalingGroup)
			}
		}
	}
	for _, groups := range scope.Watch {
		slices.Sort(groups)
	}
	return scope, nil
}

// FindOwnersInput names those who may own a resource: its wave, its group's lock and its own.
type FindOwnersInput struct {
	WorkflowIDs []string
}

// Owners tells which of them run.
type Owners struct {
	Running []string
	Closed  time.Time // when the last of the others ended; zero when Temporal knows none of them any more
}

// FindOwners asks Temporal by workflow id. No answer is an error: what may be owned is not touched.
func (c *Control) FindOwners(ctx context.Context, in FindOwnersInput) (*Owners, error) {
	owners := &Owners{}
	for _, id := range in.WorkflowIDs {
		holder, err := c.Locks.Holder(ctx, id)
		var closed time.Time
		if err == nil && holder == nil {
			closed, err = c.Locks.Closed(ctx, id)
		}
		if err != nil {
			return nil, temporal.NewApplicationErrorWithCause("ask Temporal whether "+id+" runs: "+err.Error(), ErrLockUnknown, err)
		}
		if holder != nil {
			owners.Running = append(owners.Running, id)
		}
		if closed.After(owners.Closed) {
			owners.Closed = closed
		}
	}
	return owners, nil
}

// ReadRecordInput names a record, and what it must be about for whoever is about to act on it.
type ReadRecordInput struct {
	Pointer Journal
	About   journal.About
}

// RecordRead is a journal record, or why it must not be acted upon.
type RecordRead struct {
	Record    *journal.Record // nil: Untrusted says why
	Untrusted string
}

// ReadRecord reads the record that a mark points to, verifies every version's signature and decodes it. One that is missing,
// not signed, altered, moved, not whole or about something else is an answer, not an error: the mark is not ours to act upon.
func (c *Control) ReadRecord(ctx context.Context, in ReadRecordInput) (*RecordRead, error) {
	document, err := c.Evidence.ReadJournal(ctx, in.Pointer.WaveID, in.Pointer.Record)
	var missing *evidence.NotFoundError
	var invalid *evidence.InvalidRecordError
	switch {
	case errors.As(err, &missing), errors.As(err, &invalid):
		return &RecordRead{Untrusted: err.Error()}, nil
	case err != nil:
		return nil, evidenceError("read record "+in.Pointer.Record+" of wave "+in.Pointer.WaveID, err)
	}
	record, err := journal.Decode(document, in.About)
	if err != nil {
		return &RecordRead{Untrusted: err.Error()}, nil
	}
	return &RecordRead{Record: &record}, nil
}

// LastRecordInput names a wave's group.
type LastRecordInput struct {
	WaveID string
	Group  patch.Group
}

// LastRecords is what a wave's journal tells of a group last.
type LastRecords struct {
	Record *journal.Record // the newest of an instance; nil: there is none
	// MaxBefore is the group's max before each raise that its instances' records tell of, highest first. The instance, and its
	// mark with it, may be gone when max can be lowered at last.
	MaxBefore []int
}

// LastRecord is the newest record of an instance that the wave wrote in the group: instances are taken one at a time, so only
// that one can have been out of service when the wave ended. What cannot be decoded is left out.
func (c *Control) LastRecord(ctx context.Context, in LastRecordInput) (*LastRecords, error) {
	documents, err := c.Evidence.ListJournal(ctx, in.WaveID)
	if err != nil {
		return nil, evidenceError("list the journal of wave "+in.WaveID, err)
	}
	last := &LastRecords{}
	for _, document := range documents {
		record, err := journal.DecodeOfWave(document, in.WaveID, in.Group)
		if err != nil || record.Instance == "" {
			continue
		}
		if record.Intended.RaiseMax {
			last.MaxBefore = append(last.MaxBefore, record.Intended.MaxBefore)
		}
		if last.Record == nil || record.At.After(last.Record.At) {
			last.Record = &record
		}
	}
	slices.SortFunc(last.MaxBefore, func(a, b int) int { return b - a })
	last.MaxBefore = slices.Compact(last.MaxBefore)
	return last, nil
}
