package world

import (
	"slices"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// ScalingPolicy is a simple scaling policy: it changes the desired capacity when it is executed.
type ScalingPolicy struct {
	Name, ARN string
	Kind      string // ChangeInCapacity, ExactCapacity or PercentChangeInCapacity
	By        int
	Least     *int // how many instances a percentage is at least
}

// Policies lists the group's policies in the order they were made.
func (g *ScalingGroup) Policies() []*ScalingPolicy { return slices.Clone(g.policies) }

// PutPolicy makes a policy, or replaces the one of its name.
func (g *ScalingGroup) PutPolicy(policy *ScalingPolicy) {
	policy.ARN = g.Region.ARN("autoscaling", "scalingPolicy:"+g.Region.NewUUID("policy")+":autoScalingGroupName/"+g.Name+
		":policyName/"+policy.Name)
	for n, old := range g.policies {
		if old.Name == policy.Name {
			policy.ARN = old.ARN
			g.policies[n] = policy
			return
		}
	}
	g.policies = append(g.policies, policy)
}

// DeletePolicy forgets a policy.
func (g *ScalingGroup) DeletePolicy(policy *ScalingPolicy) {
	g.policies = slices.DeleteFunc(g.policies, func(p *ScalingPolicy) bool { return p == policy })
}

// Execute changes the desired capacity as a policy says, within the group's limits.
func (g *ScalingGroup) Execute(policy *ScalingPolicy) error {
	desired := g.Desired
	switch policy.Kind {
	case "ExactCapacity":
		desired = policy.By
	case "PercentChangeInCapacity":
		desired += percentOf(g.Desired, policy)
	default:
		desired += policy.By
	}
	if desired < 0 {
		return api.Errorf("ValidationError", "The policy %s leads to a negative capacity.", policy.Name)
	}
	return g.SetDesired(min(max(desired, g.Min), g.Max))
}

// percentOf is a share of the capacity: values above 1 are rounded down, those between 0 and 1 up (user guide, "Scaling
// adjustment types").
func percentOf(capacity int, policy *ScalingPolicy) int {
	change := capacity * policy.By / 100
	if change == 0 && policy.By != 0 {
		change = 1
		if policy.By < 0 {
			change = -1
		}
	}
	if policy.Least != nil && max(change, -change) < *policy.Least {
		change = *policy.Least
		if policy.By < 0 {
			change = -change
		}
	}
	return change
}
