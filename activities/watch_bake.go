package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// WatchBake is a bake: a wait that succeeds by lasting. It stays NotReady while the instance is healthy, so that a
// spent budget (the last error is NotReady) means that it was healthy at every look; NotHealthy (terminal) at the first
// bad one.
func (a *AWS) WatchBake(ctx context.Context, in AwaitHealthyInput) (err error) {
	defer once.Typed(&err)
	_, err = a.observeUntil(ctx, in.Observe, func(seen *patch.HealthObservation) (bool, string, error) {
		if health := in.judge(*seen); !health.Healthy() {
			return false, "", once.Final(ErrNotHealthy, "%s: %s", in.Observe.Instance, health)
		}
		return false, in.Observe.Instance.String() + " is healthy and stays under watch", nil
	})
	return err
}
