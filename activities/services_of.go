package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ServicesOfInput names a group and the ARNs of its target groups.
type ServicesOfInput struct {
	Group        patch.Group
	TargetGroups []string
}

// ServicesOfGroup are the services, and target groups by ARN, whose locks an instance of the group may be taken out
// under; sorted.
type ServicesOfGroup struct {
	Names []string
}

// ServicesOf lists what the group serves together with others by the plans of this worker's configuration. A plan that
// cannot be resolved is InvalidInput (terminal): its services are not known.
func (c *Control) ServicesOf(_ context.Context, in ServicesOfInput) (*ServicesOfGroup, error) {
	var stages []patch.Stage
	for _, name := range c.Plans.PlanNames() {
		plan, err := c.Plans.Plan(name)
		if err != nil {
			return nil, once.Final(
				ErrInvalidInput,
				"plan %s cannot be resolved, and so nobody knows which services %s belongs to; correct the plan: %v", name,
				in.Group, err,
			)
		}
		stages = append(stages, plan.Stages...)
	}
	return &ServicesOfGroup{Names: patch.ServicesOf(stages, in.Group, in.TargetGroups)}, nil
}
