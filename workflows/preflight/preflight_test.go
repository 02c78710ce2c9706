package preflight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/workflows/preflight"
)

// Groups are given here as how many instances they have.
func TestBatchesKeepTheOrderAndTheirBounds(t *testing.T) {
	for name, c := range map[string]struct {
		groups []int
		want   [][]int
	}{
		"none":                       {nil, nil},
		"small ones go together":     {[]int{1, 2, 3}, [][]int{{1, 2, 3}}},
		"as many as fit":             {[]int{6, 4, 1, 9, 2}, [][]int{{6, 4}, {1, 9}, {2}}},
		"one that is larger, alone":  {[]int{1, 60, 1}, [][]int{{1}, {60}, {1}}},
		"twenty-one without members": {make([]int, 21), [][]int{make([]int, 20), make([]int, 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, preflight.Batches(c.groups, 10, func(instances int) int { return instances }))
		})
	}
}
