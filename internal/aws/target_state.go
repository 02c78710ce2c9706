package aws

import (
	"context"
	"slices"
	"strings"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// TargetState is what a target group says of one exact registration.
type TargetState struct {
	Listed bool
	Health patch.TargetHealth
}

// Registered reports whether the group counts the target among its own; one that drains is on its way out.
func (t TargetState) Registered() bool {
	return t.Listed && !strings.Contains(string(t.Health), "draining")
}

// Out reports whether no request reaches the target: it is gone, or no load balancer uses the group.
func (t TargetState) Out() bool { return !t.Listed || t.Health == patch.TargetUnused }

// ReadTargetStates reads exact registrations, in the order given. A group that is gone has none.
func ReadTargetStates(ctx context.Context, s *Services, in Instance, targets []patch.Target) ([]TargetState, error) {
	groups := map[string][]elbtypes.TargetHealthDescription{}
	states := make([]TargetState, len(targets))
	for i, target := range targets {
		described, read := groups[target.TargetGroupARN]
		if !read {
			var err error
			if described, err = readTargetHealth(ctx, s, in.String(), target.TargetGroupARN); err != nil {
				return nil, err
			}
			groups[target.TargetGroupARN] = described
		}
		at := slices.IndexFunc(described, func(d elbtypes.TargetHealthDescription) bool {
			return d.Target != nil && Deref(d.Target.Id) == target.ID && int(Deref(d.Target.Port)) == target.Port
		})
		if at >= 0 && described[at].TargetHealth != nil {
			states[i] = TargetState{Listed: true, Health: patch.TargetHealth(described[at].TargetHealth.State)}
		}
	}
	return states, nil
}
