package aws

import (
	"context"
	"sync"
	"time"
)

// PlacesAtOnce is how many places are asked at the same time: AWS's quotas are per account and region.
const PlacesAtOnce = 8

// EachPlace asks so many places, some at the same time, and has their answers in their order. Each has a budget of its
// own: an account or region that does not answer keeps nobody else waiting for longer.
func EachPlace[T any](
	ctx context.Context, places int, budget time.Duration, ask func(ctx context.Context, place int) T,
) []T {
	answers := make([]T, places)
	free := make(chan struct{}, PlacesAtOnce)
	var asking sync.WaitGroup
	for place := range places {
		free <- struct{}{}
		asking.Go(func() {
			defer func() { <-free }()
			ctx, cancel := context.WithTimeout(ctx, budget)
			defer cancel()
			answers[place] = ask(ctx, place)
		})
	}
	asking.Wait()
	return answers
}
