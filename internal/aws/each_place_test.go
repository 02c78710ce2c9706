package aws_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
)

// Places are asked some at a time and answer in their order, and one that does not answer is given up alone.
func TestEachPlaceHasABudgetOfItsOwn(t *testing.T) {
	const places, silent = 3 * aws.PlacesAtOnce, 5
	var mu sync.Mutex
	begun, underWay, most, full := 0, 0, 0, make(chan struct{})
	answers := aws.EachPlace(t.Context(), places, 2*time.Second, func(ctx context.Context, place int) int {
		mu.Lock()
		begun, underWay = begun+1, underWay+1
		most = max(most, underWay)
		if begun == aws.PlacesAtOnce {
			close(full)
		}
		mu.Unlock()
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			underWay--
		}()
		if place == silent {
			<-ctx.Done()
			return -1
		}
		<-full // at the first, as many have begun as may
		return place
	})
	require.Len(t, answers, places)
	for place, answer := range answers {
		if place == silent {
			require.Equal(t, -1, answer)
			continue
		}
		require.Equal(t, place, answer)
	}
	require.Equal(t, aws.PlacesAtOnce, most)
}
