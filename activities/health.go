package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// ObserveInput asks how one instance is.
type ObserveInput struct {
	Instance     Instance
	Platform     patch.Platform
	TargetGroups []string // ARNs to look at
	Checks       []patch.HealthCheck
	Pace         Pace
}

// Observe looks once at everything the checks name: EC2's state and status checks, target health, HTTP from the instance (a
// read-only command) or from the worker, alarms. It judges nothing: patch.JudgeHealth does. Gone when EC2 no longer has it.
func (a *AWS) Observe(ctx context.Context, in ObserveInput) (*patch.HealthObservation, error) {
	return nil, errUnbuilt
}

// AwaitHealthyInput waits for health.
type AwaitHealthyInput struct {
	Observe ObserveInput
	Before  []patch.Target
	Since   patch.HealthObservation // the first observation after return: alarms count from its At
}

// AwaitHealthy observes until patch.JudgeHealth finds the instance healthy; NotHealthy (terminal) on what no wait will mend;
// NotReady with the reasons otherwise.
func (a *AWS) AwaitHealthy(ctx context.Context, in AwaitHealthyInput) (*patch.HealthObservation, error) {
	return nil, errUnbuilt
}
