package aws

import (
	"context"
	"slices"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// TargetState is what a target group says of one exact registration.
type TargetState struct {
	Listed    bool
	Health    patch.TargetHealth
	GroupGone bool // the target group exists no more
}

// Registered reports whether the group counts the target among its own; one that drains is on its way out. One that is
// "unhealthy.draining" is not: a Network Load Balancer is about to call it unhealthy (TargetHealthStateEnum).
func (t TargetState) Registered() bool { return t.Listed && t.Health != patch.TargetDraining }

// Out reports whether no request reaches the target: it is gone, or no load balancer uses the group.
func (t TargetState) Out() bool { return !t.Listed || t.Health == patch.TargetUnused }

// ReadTargetStates reads exact registrations, in the order given. A target group that is gone has none. They are asked
// for by name, since a group then says of each how it is, be it that it is not registered: an answer without one says
// nothing, and passes.
func ReadTargetStates(ctx context.Context, s *Services, in Instance, targets []patch.Target) ([]TargetState, error) {
	states := make([]TargetState, len(targets))
	for i, target := range targets {
		asked := elbtypes.TargetDescription{Id: &target.ID, Port: Ptr(int32(target.Port))}
		if target.Zone != "" {
			asked.AvailabilityZone = &target.Zone
		}
		described, exists, err := readTargetHealth(ctx, s, in.String(), target.TargetGroupARN, asked)
		switch {
		case HasCode(err, CodeNotRegistered): // the target itself is no more
			continue
		case err != nil:
			return nil, err
		case !exists:
			states[i].GroupGone = true
			continue
		}
		at := slices.IndexFunc(described, func(d elbtypes.TargetHealthDescription) bool {
			return d.Target != nil && Deref(d.Target.Id) == target.ID && int(Deref(d.Target.Port)) == target.Port
		})
		if at < 0 || described[at].TargetHealth == nil {
			return nil, MayPass("%s: %s says nothing of target %s port %d", in, target.TargetGroupARN, target.ID, target.Port)
		}
		health := described[at].TargetHealth
		states[i].Listed = health.Reason != elbtypes.TargetHealthReasonEnumNotRegistered
		states[i].Health = patch.TargetHealth(health.State)
	}
	return states, nil
}
