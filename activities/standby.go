package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// EnterStandby takes the instance out of service with decrement. It describes first: an instance that is Standby or entering
// it is done. NotInService (terminal) when it is in any other state; Gone when it is no member any more.
func (a *AWS) EnterStandby(ctx context.Context, in Instance) error { return errUnbuilt }

// AwaitOutInput waits for an instance to be out of service.
type AwaitOutInput struct {
	Instance Instance
	Targets  []patch.Target // every registration it had; all must be gone or unused
	Pace     Pace
}

// AwaitOut waits until the instance is Standby (an Auto Scaling member) and drained from every target group.
func (a *AWS) AwaitOut(ctx context.Context, in AwaitOutInput) error { return errUnbuilt }

// TargetsInput names registrations exactly.
type TargetsInput struct {
	Instance Instance
	Targets  []patch.Target
}

// DeregisterTargets takes the exact registrations out (id and port); those already gone are done.
func (a *AWS) DeregisterTargets(ctx context.Context, in TargetsInput) error { return errUnbuilt }

// RegisterTargets makes the exact registrations again.
func (a *AWS) RegisterTargets(ctx context.Context, in TargetsInput) error { return errUnbuilt }

// ExitStandbyInput returns an instance to service.
type ExitStandbyInput struct {
	Instance Instance
	Pace     Pace
}

// ExitStandby first lets the state settle (EnteringStandby is not final: NotReady), then leaves standby; an instance that is
// Pending or InService is done. It never raises max. MaxReached (retryable) when desired = max leaves no room; Gone when EC2
// no longer has the instance, also when the group still lists it.
func (a *AWS) ExitStandby(ctx context.Context, in ExitStandbyInput) error { return errUnbuilt }

// AwaitInInput waits for an instance to be back.
type AwaitInInput struct {
	Instance Instance
	Before   []patch.Target // as read before it went out
	Pace     Pace
}

// Returned tells when the instance was seen in service, by AWS's clock.
type Returned struct {
	Member patch.Member
}

// AwaitIn waits until the instance is InService (an Auto Scaling member) and healthy in every target group it was healthy in
// before. Gone when it is no longer there.
func (a *AWS) AwaitIn(ctx context.Context, in AwaitInInput) (*Returned, error) {
	return nil, errUnbuilt
}

// DetachInput quarantines an instance of an Auto Scaling group.
type DetachInput struct {
	Instance      Instance
	DesiredWanted int // desired as it was before the instance went out: the group gets that capacity back
	WaveID        string
}

// Detach takes the instance out of its group for good and gives the group its capacity back, so that it launches another. A
// tag group's instance stays as it is, deregistered.
func (a *AWS) Detach(ctx context.Context, in DetachInput) error { return errUnbuilt }

// MarkInstanceInput marks or unmarks an instance as ours.
type MarkInstanceInput struct {
	Instance Instance
	Journal  Journal
}

// MarkInstance puts the journal's tag on the instance before anything of it is changed.
func (a *AWS) MarkInstance(ctx context.Context, in MarkInstanceInput) error { return errUnbuilt }

// UnmarkInstance takes the journal's tag off, last of all.
func (a *AWS) UnmarkInstance(ctx context.Context, in MarkInstanceInput) error { return errUnbuilt }
