package wavetest

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
	"github.com/patchtide/patchtide/workflows/group"
)

// Holder answers who holds a lock as Temporal would; the test environment cannot be asked.
func (s *Scene) Holder(_ context.Context, workflowID string) (*activities.LockHolder, error) {
	parent, held := s.Locks[workflowID]
	if !held {
		return nil, nil
	}
	return &activities.LockHolder{WorkflowID: workflowID, Parent: parent}, nil
}

// Freezes answers what is frozen, as the workflow Freeze would.
func (s *Scene) Freezes(context.Context) (patch.Freezes, error) { return s.Frozen, s.FreezeLost }

// Closed answers when a workflow ended.
func (s *Scene) Closed(_ context.Context, workflowID string) (time.Time, error) {
	return s.ClosedAt[workflowID], nil
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
