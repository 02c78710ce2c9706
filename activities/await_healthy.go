package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AwaitHealthyInput waits for health.
type AwaitHealthyInput struct {
	Observe ObserveHealthInput
	Before  []patch.Target
	Since   patch.HealthObservation // the first observation after return: alarms count from its At
}

// AwaitHealthy observes until patch.JudgeHealth finds the instance healthy; NotHealthy (terminal) on what no wait will
// mend; NotReady with the reasons otherwise.
func (a *AWS) AwaitHealthy(ctx context.Context, in AwaitHealthyInput) (_ *patch.HealthObservation, err error) {
	defer once.Typed(&err)
	return a.observeUntil(ctx, in.Observe, func(seen *patch.HealthObservation) (bool, string, error) {
		health := patch.JudgeHealth(in.Before, in.Observe.Checks, *seen, in.Since.At)
		if len(health.Failed) > 0 {
			return false, "", once.Final(ErrNotHealthy, "%s: %s", in.Observe.Instance, health)
		}
		return health.Healthy(), in.Observe.Instance.String() + " is not healthy yet: " + health.String(), nil
	})
}
