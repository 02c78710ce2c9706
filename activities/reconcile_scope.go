package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// young is how old a mark must be, and how long its owners must have ended, before Reconcile touches it: by then every
// attempt that a dead workflow left under way has ended, and a workflow that is just being started has its locks.
const young = 15 * time.Minute

// Scope is where Reconcile looks, by the worker's configuration.
type Scope struct {
	Places    []patch.Place
	Watch     map[string][]string // by place: the Auto Scaling groups of any plan, sorted
	Timing    patch.Timing
	TooRecent patch.Duration
	// Problems are plans that could not be read; what they watch is not looked at.
	Problems []string
	Notifies bool `json:",omitempty"` // see ResolvedPlan
}

// ReconcileScope lists every account and region of the configuration, and the Auto Scaling groups of its plans.
func (c *Control) ReconcileScope(context.Context) (*Scope, error) {
	scope := &Scope{
		Places: c.Plans.Places(), Watch: map[string][]string{}, TooRecent: patch.Duration(young),
		Timing: patch.Plan{Timing: patch.DefaultTiming()}.Scaled(c.Speed).Timing, Notifies: c.notifies(),
	}
	if c.Speed > 1 {
		scope.TooRecent = patch.Duration(float64(young) / c.Speed)
	}
	for _, name := range c.Plans.PlanNames() {
		plan, err := c.Plans.Plan(name)
		if err != nil {
			scope.Problems = append(scope.Problems, fmt.Sprintf("plan %s cannot be resolved: %v", name, err))
			continue
		}
		for _, group := range plan.Groups() {
			place := patch.Place{Account: group.Account, Region: group.Region}.String()
			if group.IsAutoScaling() && !slices.Contains(scope.Watch[place], group.AutoScalingGroup) {
				scope.Watch[place] = append(scope.Watch[place], group.AutoScalingGroup)
			}
		}
	}
	for _, groups := range scope.Watch {
		slices.Sort(groups)
	}
	return scope, nil
}
