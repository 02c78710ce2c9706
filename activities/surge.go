package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// RaiseInput asks for one more instance in an Auto Scaling group. The values before were read and journalled by the
// caller; a repeat acts only while desired (max) still is what it was.
type RaiseInput struct {
	Group         patch.Group
	DesiredBefore int
	MaxBefore     int
	RaiseMax      bool
}

// RaiseDesired raises max by one if asked, then desired by one, each only once.
func (a *AWS) RaiseDesired(ctx context.Context, in RaiseInput) error { return errUnbuilt }

// AwaitSurgeInput waits for the instance that a raise launched.
type AwaitSurgeInput struct {
	Group patch.Group
	Known []string // members before the raise
	Pace  Pace
}

// SurgeInstance is the instance that the raise launched.
type SurgeInstance struct {
	ID string
}

// AwaitSurge waits until a member that was not known before is InService and healthy in its target groups.
func (a *AWS) AwaitSurge(ctx context.Context, in AwaitSurgeInput) (*SurgeInstance, error) {
	return nil, errUnbuilt
}

// DropSurgeInput names the surge instance; ID is "" when the raise never launched one.
type DropSurgeInput struct {
	Group         patch.Group
	ID            string
	DesiredBefore int
}

// DropSurge terminates exactly the surge instance with decrement, only if it is still InService or Pending. Without an id it
// lowers desired by one, and only when no instance was launched for it.
func (a *AWS) DropSurge(ctx context.Context, in DropSurgeInput) error { return errUnbuilt }

// MaxInput changes max by one, relative to what was read before.
type MaxInput struct {
	Group     patch.Group
	MaxBefore int // before our raise
}

// RaiseMax raises max by one above MaxBefore, once.
func (a *AWS) RaiseMax(ctx context.Context, in MaxInput) error { return errUnbuilt }

// LowerMax takes our raise back, unless somebody else has changed max since (then it is left alone) or desired is above.
func (a *AWS) LowerMax(ctx context.Context, in MaxInput) error { return errUnbuilt }
