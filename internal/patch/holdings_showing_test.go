package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// Lists that lag, and such that do not, lead to the same decision about the next.
func TestAGroupThatDoesNotShowYetWhoWentOut(t *testing.T) {
	held := patch.Holdings{Out: []string{"i-01"}, Lately: []string{"i-01"}}
	stale := four()
	fresh := four(sizes(2, 3, 6), func(s *patch.GroupState) {
		s.Members[0].Lifecycle = patch.LifecycleEnteringStandby
		s.Members[0].Targets[0].Health = patch.TargetDraining
	})
	shown := stale.Showing(webGroup, held)
	require.Equal(t, fresh, shown)
	require.Equal(t, four(), stale, "what was read stays as it is")
	require.Equal(t, fresh, fresh.Showing(webGroup, held), "where it is shown nothing is changed")
	require.Equal(t, patch.Out(webGroup, fresh, held), patch.Out(webGroup, shown, held))
	for most, refused := range map[int]bool{1: true, 2: false} {
		view := patch.View{
			Group: webGroup, Policy: patch.PolicyOf(patch.Plan{}, patch.Stage{MaxUnavailable: patch.Instances(most)}),
			State: &shown, Holdings: held, Instance: "i-02",
		}
		require.Equal(t, refused, patch.First(patch.LevelInstance, view) != nil, "%d may be out", most)
	}

	tagged := patch.GroupState{Members: []patch.Member{well(1, "a"), well(2, "a")}}
	out := patch.Out(tagsGroup, tagged.Showing(tagsGroup, held), held)
	require.Equal(t, []string{"i-01"}, out.Ours)
	require.Equal(t, []string{"i-02"}, out.Serving)
}
