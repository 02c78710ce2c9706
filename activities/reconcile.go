package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/evidence"
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
	Young  patch.Duration
	// Problems are plans that could not be read; what they watch is not looked at.
	Problems []string
	Notifies bool `json:",omitempty"` // see ResolvedPlan
}

// ReconcileScope lists every account and region of the configuration, and the Auto Scaling groups of its plans.
func (c *Control) ReconcileScope(context.Context) (*Scope, error) {
	scope := &Scope{
		Places: c.Plans.Places(), Watch: map[string][]string{}, Young: patch.Duration(young),
		Timing: patch.Plan{Timing: patch.DefaultTiming()}.Scaled(c.Speed).Timing, Notifies: c.notifies(),
	}
	if c.Speed > 1 {
		scope.Young = patch.Duration(float64(young) / c.Speed)
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

// OwnersInput names those who may own a resource: its wave, its group's lock and its own.
type OwnersInput struct {
	WorkflowIDs []string
}

// Owners tells which of them run.
type Owners struct {
	Running []string
	Closed  time.Time // when the last of the others ended; zero when Temporal knows none of them any more
}

// Owners asks Temporal by workflow id. No answer is an error: what may be owned is not touched.
func (c *Control) Owners(ctx context.Context, in OwnersInput) (*Owners, error) {
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

// RecordRead is a journal record, or why it must not be acted upon.
type RecordRead struct {
	Record    json.RawMessage
	Untrusted string
	// MaxBefore is told by LastRecord only: the group's max before each raise that its instances' records tell of, highest
	// first. The instance, and its mark with it, may be gone when max can be lowered at last.
	MaxBefore []int
}

// ReadRecord reads the record that a mark points to and verifies every version's signature. One that is missing, not signed,
// altered or moved is an answer, not an error: the mark is not ours to act upon.
func (c *Control) ReadRecord(ctx context.Context, in Journal) (*RecordRead, error) {
	record, err := c.Evidence.ReadJournal(ctx, in.WaveID, in.Record)
	var missing *evidence.NotFoundError
	var invalid *evidence.InvalidRecordError
	switch {
	case errors.As(err, &missing), errors.As(err, &invalid):
		return &RecordRead{Untrusted: err.Error()}, nil
	case err != nil:
		return nil, evidenceError("read record "+in.Record+" of wave "+in.WaveID, err)
	}
	return &RecordRead{Record: record}, nil
}

// LastRecordInput names a wave's group.
type LastRecordInput struct {
	WaveID string
	Group  patch.Group
}

// LastRecord is the newest record of an instance that the wave wrote in the group: instances are taken one at a time, so only
// that one can have been out of service when the wave ended. Empty when there is none.
func (c *Control) LastRecord(ctx context.Context, in LastRecordInput) (*RecordRead, error) {
	records, err := c.Evidence.ListJournal(ctx, in.WaveID)
	if err != nil {
		return nil, evidenceError("list the journal of wave "+in.WaveID, err)
	}
	last, at := &RecordRead{}, time.Time{}
	for _, record := range records {
		var about struct {
			Group    patch.Group
			Instance string
			At       time.Time
			Intended struct {
				RaiseMax  bool
				MaxBefore int
			}
		}
		if json.Unmarshal(record, &about) != nil || about.Instance == "" || about.Group.String() != in.Group.String() {
			continue
		}
		if about.Intended.RaiseMax {
			last.MaxBefore = append(last.MaxBefore, about.Intended.MaxBefore)
		}
		if about.At.After(at) {
			last.Record, at = record, about.At
		}
	}
	slices.SortFunc(last.MaxBefore, func(a, b int) int { return b - a })
	last.MaxBefore = slices.Compact(last.MaxBefore)
	return last, nil
}
