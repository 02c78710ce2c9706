package wavetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
	"github.com/patchtide/patchtide/workflows/group"
)

// Elsewhere is what other workflows would answer, which the test environment does not run beside the one that is tried.
type Elsewhere struct {
	Locks      map[string]string    // workflow id to its parent: who holds which lock; see Hold
	ClosedAt   map[string]time.Time // workflow id to when it ended
	Orphaned   bool                 // the runs that began others have ended, as by a reset
	Ended      journal.Ending       // how runs ended that are asked about
	Frozen     patch.Freezes        // what Freeze answers
	FreezeLost error                // Freeze does not answer
	// Waves is what Temporal lists of a plan's waves at a moment; nil: none.
	Listed func(plan string, at time.Time) (patch.PlanWaves, error)

	locks sync.Mutex // of Locks, while a story is played
}

// Hold has a lock held for a wave from now on; "" for none.
func (e *Elsewhere) Hold(lock, wave string) {
	e.locks.Lock()
	defer e.locks.Unlock()
	if e.Locks[lock] = wave; wave == "" {
		delete(e.Locks, lock)
	}
}

// Holder answers who holds a lock as Temporal would; the test environment cannot be asked.
func (e *Elsewhere) Holder(_ context.Context, workflowID string) (*activities.LockHolder, error) {
	e.locks.Lock()
	defer e.locks.Unlock()
	parent, held := e.Locks[workflowID]
	if !held {
		return nil, nil
	}
	return &activities.LockHolder{WorkflowID: workflowID, Parent: parent}, nil
}

// Freezes answers what is frozen, as the workflow Freeze would.
func (e *Elsewhere) Freezes(context.Context) (patch.Freezes, error) { return e.Frozen, e.FreezeLost }

// OfPlan answers which waves of a plan run, and how the last one ended, as Temporal's list would.
func (s *Scene) OfPlan(_ context.Context, plan string, _ time.Time) (patch.PlanWaves, error) {
	if s.Listed == nil {
		return patch.PlanWaves{}, nil
	}
	return s.Listed(plan, s.Env.Now())
}

// Runs answers whether a run goes on, as Temporal would.
func (e *Elsewhere) Runs(context.Context, string, string) (bool, error) { return !e.Orphaned, nil }

// Closed answers when a workflow ended.
func (e *Elsewhere) Closed(_ context.Context, workflowID string) (time.Time, error) {
	return e.ClosedAt[workflowID], nil
}

// Ending answers how a run ended: it was terminated, unless the test says something else.
func (e *Elsewhere) Ending(context.Context, string, string) (journal.Ending, error) {
	return e.Ended, nil
}

// The locks of the two groups: the workflow ids of their groups.
const (
	ProductionLock = "patch-group/" + Production + "/" + Tokyo + "/web"
	StagingLock    = "patch-group/" + Staging + "/" + Tokyo + "/Role=web"
)

// InPlaceOf puts a workflow of the test's in another's place.
func (s *Scene) InPlaceOf(name string, other any) {
	s.Env.RegisterWorkflowWithOptions(other, workflow.RegisterOptions{Name: name, DisableAlreadyRegisteredCheck: true})
}

// TerminatedGroup makes the group's workflow end in the middle without a result, as one that somebody terminates.
func (s *Scene) TerminatedGroup(name string) {
	s.InPlaceOf(names.PatchGroup, func(ctx workflow.Context, in workflows.GroupInput) (*workflows.GroupEnd, error) {
		if in.Group.AutoScalingGroup != name {
			return group.PatchGroup(ctx, in)
		}
		if err := workflow.Sleep(ctx, 10*time.Minute); err != nil {
			return nil, err
		}
		return nil, errors.New("terminated")
	})
}
