package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// InspectGroupInput names a group to be read.
type InspectGroupInput struct {
	Group patch.Group
}

// InspectGroup reads all that decisions need of a group: its numbers, members, processes, target groups (also those that are
// not attached to it) and every member's registrations and agent. It changes nothing. A group that does not exist is the
// non-retryable error GroupNotFound; AccessDenied is named and non-retryable.
func (a *AWS) InspectGroup(ctx context.Context, in InspectGroupInput) (*patch.GroupState, error) {
	return nil, errUnbuilt
}

// ProcessesInput names processes of a group. An empty list is refused: AWS takes it for all of them.
type ProcessesInput struct {
	Group     patch.Group
	Processes []string // those that were not suspended before we began
}

// SuspendProcesses suspends exactly the named processes of an Auto Scaling group and confirms it.
func (a *AWS) SuspendProcesses(ctx context.Context, in ProcessesInput) error { return errUnbuilt }

// ResumeProcesses resumes exactly the named processes. A group that is gone is no error.
func (a *AWS) ResumeProcesses(ctx context.Context, in ProcessesInput) error { return errUnbuilt }

// MarkHealthyInput names members that our checks have proven healthy.
type MarkHealthyInput struct {
	Group     patch.Group
	Instances []string
}

// MarkHealthy sets Healthy (ShouldRespectGracePeriod=false) on each named member that Auto Scaling holds for Unhealthy: the
// mark is sticky, and would have it replaced the moment ReplaceUnhealthy resumes.
func (a *AWS) MarkHealthy(ctx context.Context, in MarkHealthyInput) error { return errUnbuilt }

// MarkGroupInput marks or unmarks a group as ours.
type MarkGroupInput struct {
	Group   patch.Group
	Journal Journal
}

// MarkGroup puts the journal's tag on an Auto Scaling group, never propagated at launch. Nothing for a tag group.
func (a *AWS) MarkGroup(ctx context.Context, in MarkGroupInput) error { return errUnbuilt }

// UnmarkGroup takes the journal's tag off, if it is this wave's.
func (a *AWS) UnmarkGroup(ctx context.Context, in MarkGroupInput) error { return errUnbuilt }
