package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestTheMostExposedIsTakenFirst(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	misses := func(severities ...string) *patch.Exposure {
		var missing []patch.MissingPatch
		for _, one := range severities {
			missing = append(missing, patch.MissingPatch{ID: "p", Severity: one})
		}
		return patch.ExposureOf(missing, at)
	}
	for _, c := range []struct {
		name  string
		known map[string]*patch.Exposure
		want  []string
	}{
		{"one critical is worse than many that are not", map[string]*patch.Exposure{
			"a": misses("Important", "Important", "Low"), "b": misses("Critical"), "c": misses(),
		}, []string{"b", "a", "c"}},
		{"more of the same are worse, and then the next lesser", map[string]*patch.Exposure{
			"a": misses("Critical", "Low"), "b": misses("Critical", "Medium"), "c": misses("Critical", "Critical"),
		}, []string{"c", "b", "a"}},
		{"vendors call the same by other words", map[string]*patch.Exposure{
			"a": misses("MODERATE"), "b": misses("medium", "low"), "c": misses("high"),
		}, []string{"c", "b", "a"}},
		{"what has no severity is the least", map[string]*patch.Exposure{
			"a": misses("", "Unspecified"), "b": misses("low"), "c": misses(),
		}, []string{"b", "a", "c"}},
		{"of whom nothing is known comes last", map[string]*patch.Exposure{"c": misses()}, []string{"c", "a", "b"}},
		{"nor is what was learnt before its last boot known", map[string]*patch.Exposure{
			"a": misses("Low"), "b": {Missing: misses("Critical").Missing, At: at.Add(-2 * time.Hour)}, "c": misses(),
		}, []string{"a", "c", "b"}},
		{"those alike by id", nil, []string{"a", "b", "c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			state := patch.GroupState{}
			for _, id := range []string{"c", "b", "a"} {
				state.Members = append(state.Members, patch.Member{ID: id, State: "running", LaunchTime: at.Add(-time.Hour)})
			}
			var order []string
			for _, member := range state.Exposed(c.known).Ordered(patch.OrderExposure) {
				order = append(order, member.ID)
			}
			require.Equal(t, c.want, order)
			for _, member := range state.Members {
				require.Nil(t, member.Exposure, "it changes a copy")
			}
		})
	}
}

func TestAnExposureIsTold(t *testing.T) {
	missing := []patch.MissingPatch{{Severity: "Important"}, {Severity: "critical"}, {Severity: "High"}, {}}
	require.Equal(t, "1 critical, 2 important, 1 of no known severity missing", patch.ExposureOf(missing, time.Time{}).String())
	require.Equal(t, "nothing missing", patch.ExposureOf(nil, time.Time{}).String())
	require.Equal(t, "what it misses is not known", (*patch.Exposure)(nil).String())
}
