package wavetest

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/payload"
)

// Sizes is how large the payloads of a scene's waves were. What is larger than payload.Most was refused.
type Sizes struct {
	mu      sync.Mutex
	largest map[string]int // bytes, by the Go type of what it holds
}

// converter measures and guards, as the worker's does.
func (s *Sizes) converter() converter.DataConverter {
	guard := payload.NewGuard()
	guard.Measured = func(holds any, size int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.largest == nil {
			s.largest = map[string]int{}
		}
		kind := fmt.Sprintf("%T", holds)
		s.largest[kind] = max(s.largest[kind], size)
	}
	return guard
}

// Largest lists the largest payload of each type that had at least so many bytes, the largest first.
func (s *Sizes) Largest(least int) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kinds := slices.SortedFunc(maps.Keys(s.largest), func(a, b string) int { return s.largest[b] - s.largest[a] })
	for _, kind := range kinds {
		if s.largest[kind] >= least {
			list = append(list, fmt.Sprintf("%s %d", kind, s.largest[kind]))
		}
	}
	return list
}
