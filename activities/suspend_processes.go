package activities

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ProcessesInput names processes of a group. An empty list is refused: AWS takes it for all of them.
type ProcessesInput struct {
	Group     patch.Group
	Processes []string // those that were not suspended before we began
	// Fresh: none was suspended when it was decided to suspend them. See Suspension.
	Fresh bool
	Pace  Pace
}

// Suspension is what came of suspending processes.
type Suspension struct {
	// Theirs somebody else has suspended between our look and our call, which could have had no effect on them: they are
	// not ours to resume.
	Theirs []string
}

func (in ProcessesInput) suspended() once.Effect {
	return once.Shows(
		in.Group, in.Pace, fmt.Sprintf("%v as suspended", in.Processes), func(group *astypes.AutoScalingGroup) bool {
			return len(patch.Except(in.Processes, aws.SuspendedIn(group))) == 0
		})
}

func (in ProcessesInput) resumed() once.Effect {
	return once.Shows(
		in.Group, in.Pace, fmt.Sprintf("%v as resumed", in.Processes), func(group *astypes.AutoScalingGroup) bool {
			return len(both(in.Processes, aws.SuspendedIn(group))) == 0
		})
}

func (in ProcessesInput) validate() error {
	switch {
	case !in.Group.IsAutoScaling():
		return once.Final(ErrInvalidInput, "%s: only an Auto Scaling group has processes", in.Group)
	case len(in.Processes) == 0 || slices.Contains(in.Processes, ""):
		return once.Final(
			ErrInvalidInput, "%s: no processes named, which AWS takes for all of them; name them, like [AZRebalance]", in.Group,
		)
	}
	return nil
}

// SuspendProcesses suspends exactly the named processes of an Auto Scaling group and confirms it.
func (a *AWS) SuspendProcesses(ctx context.Context, in ProcessesInput) (_ *Suspension, err error) {
	defer once.Typed(&err)
	if err := in.validate(); err != nil {
		return nil, err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, once.Unsent(ctx, err)
	}
	if in.suspended().Taken(ctx) {
		return &Suspension{Theirs: once.Others(ctx)}, a.waits().See(ctx, s, in.suspended())
	}
	group, at, err := aws.ReadGroupAt(ctx, s, in.Group)
	if err != nil {
		return nil, once.Unsent(ctx, err)
	}
	missing, theirs := patch.Except(in.Processes, aws.SuspendedIn(group)), []string(nil)
	if in.Fresh {
		if theirs, err = a.waits().NotOurs(ctx, in.Pace, at, both(in.Processes, aws.SuspendedIn(group))); err != nil {
			return nil, err
		}
	}
	if len(missing) == 0 {
		return &Suspension{Theirs: theirs}, nil
	}
	once.Sending(ctx, theirs)
	if _, err := s.AutoScaling.SuspendProcesses(ctx, &autoscaling.SuspendProcessesInput{
		AutoScalingGroupName: &in.Group.AutoScalingGroup, ScalingProcesses: missing,
	}); err != nil {
		once.Refused(ctx, err)
		return nil, aws.Wrap(fmt.Sprintf("suspend the processes %v", missing), in.Group.String(), err)
	}
	suspended := in.suspended()
	suspended.Others = theirs
	suspended.Sent(ctx)
	return &Suspension{Theirs: theirs}, a.waits().See(ctx, s, suspended)
}

// ResumeProcesses resumes exactly the named processes. A group that is gone is no error.
func (a *AWS) ResumeProcesses(ctx context.Context, in ProcessesInput) (err error) {
	defer once.Typed(&err)
	if err := in.validate(); err != nil {
		return err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	if in.resumed().Taken(ctx) {
		return a.waits().See(ctx, s, in.resumed())
	}
	group, err := aws.FindGroup(ctx, s, in.Group)
	if err != nil || group == nil {
		return err
	}
	suspended := both(in.Processes, aws.SuspendedIn(group))
	if len(suspended) == 0 {
		return nil
	}
	if _, err := s.AutoScaling.ResumeProcesses(ctx, &autoscaling.ResumeProcessesInput{
		AutoScalingGroupName: &in.Group.AutoScalingGroup, ScalingProcesses: suspended,
	}); err != nil {
		return aws.Wrap(fmt.Sprintf("resume the processes %v", suspended), in.Group.String(), err)
	}
	in.resumed().Sent(ctx)
	return a.waits().See(ctx, s, in.resumed())
}

// both are the names that are in the other list as well.
func both(names, other []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(other, name) })
}
