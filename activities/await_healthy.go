package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AwaitHealthyInput waits for health.
type AwaitHealthyInput struct {
	Observe  ObserveHealthInput
	Before   []patch.Target
	Attached []string                // see AwaitInServiceInput
	Since    patch.HealthObservation // the first observation after return: alarms count from its At
}

// judge compares a look with what the instance was before.
func (in AwaitHealthyInput) judge(seen patch.HealthObservation) patch.Health {
	expected, _ := patch.ExpectTargets(in.Before, in.Attached, seen.Serving, seen.Member.Targets)
	return patch.JudgeHealth(expected, in.Observe.Checks, seen, in.Since.At)
}

// AwaitHealthy observes until patch.JudgeHealth finds the instance healthy; NotHealthy (terminal) on what no wait will
// mend; NotReady with the reasons otherwise.
func (a *AWS) AwaitHealthy(ctx context.Context, in AwaitHealthyInput) (_ *patch.HealthObservation, err error) {
	defer once.Typed(&err)
	return a.observeUntil(ctx, in.Observe, lastCommands(ctx), func(seen *patch.HealthObservation) (bool, string, error) {
		health := in.judge(*seen)
		if len(health.Failed) > 0 {
			return false, "", once.Final(ErrNotHealthy, "%s: %s", in.Observe.Instance, health)
		}
		return health.Healthy(), in.Observe.Instance.String() + " is not healthy yet: " + health.String(), nil
	})
}
