package run

import "go.temporal.io/sdk/workflow"

// EachAtOnce does something for each of so many, in their order, at most so many at once. Once it has failed for one,
// those after it are cancelled, or not begun; those before it come to their end. The error is the first in the order,
// whichever came first in time.
func EachAtOnce(ctx workflow.Context, count, most int, do func(ctx workflow.Context, i int) error) error {
	first, why := count, error(nil)
	cancels := make([]workflow.CancelFunc, 0, count)
	places, all := workflow.NewSemaphore(ctx, int64(most)), workflow.NewWaitGroup(ctx)
	fail := func(i int, err error) {
		if i < first {
			first, why = i, err
		}
		for later := first + 1; later < len(cancels); later++ {
			cancels[later]()
		}
	}
	for i := range count {
		if err := places.Acquire(ctx, 1); err != nil { // cancelled
			fail(i, err)
		}
		if first < count {
			break
		}
		own, cancel := workflow.WithCancel(ctx)
		cancels = append(cancels, cancel)
		all.Add(1)
		workflow.Go(own, func(c workflow.Context) {
			defer all.Done()
			defer places.Release(1)
			if err := do(c, i); err != nil {
				fail(i, err)
			}
		})
	}
	all.Wait(ctx)
	return why
}
