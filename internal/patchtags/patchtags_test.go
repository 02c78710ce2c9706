package patchtags_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/patchtags"
)

func fleet(t *testing.T, groupTag string) *simtest.Fleet {
	return simtest.New(t, simtest.Options{Change: func(s *world.Scenario) {
		for a := range s.Accounts {
			region := &s.Accounts[a].Regions[0]
			for i := range region.Instances {
				delete(region.Instances[i].Tags, "PatchGroup")
			}
			for g := range region.Groups {
				delete(region.Groups[g].Tags, "PatchGroup")
				if groupTag != "" {
					region.Groups[g].Tags["PatchGroup"] = groupTag
				}
			}
		}
	}})
}

func places(f *simtest.Fleet) (all []patchtags.Place) {
	for _, group := range []patch.Group{simtest.Staging, simtest.Production} {
		all = append(all, patchtags.Place{
			Group: group, Baseline: "amazon-linux-2023", PatchGroup: "amazon-linux-2023",
			Connect: func(context.Context) (*aws.Services, error) { return f.Services(group), nil },
		})
	}
	return all
}

func all(state patchtags.State) (has []patchtags.Has) {
	for _, one := range state.Instances {
		has = append(has, one.Has)
	}
	slices.Sort(has)
	return slices.Compact(has)
}

// A reply that was lost has taken effect: what is seen behind it counts. What is launched later is told.
func TestTagsOfLostReplies(t *testing.T) {
	f := fleet(t, "")
	f.LoseFirst("CreateTags")
	of := places(f)
	shown := patchtags.Look(t.Context(), of)
	require.Zero(t, f.Effects("CreateTags"), "looking changes nothing")
	for _, state := range shown {
		require.Equal(t, []patchtags.Has{patchtags.Lacks}, all(state), "%+v", state)
	}
	require.Contains(t, shown[0].Launches, "launch template")
	require.Contains(t, shown[1].Launches, "aws autoscaling create-or-update-tags --region ap-northeast-1")
	require.Contains(t, shown[1].Launches, "Key=PatchGroup,Value=amazon-linux-2023,PropagateAtLaunch=true")
	for _, state := range patchtags.Apply(t.Context(), of, shown) {
		require.Equal(t, []patchtags.Has{patchtags.Set}, all(state), "%+v", state)
	}
	require.Equal(t, len(shown[0].Instances)+len(shown[1].Instances), f.Effects("CreateTags"))
	for _, state := range patchtags.Look(t.Context(), of) {
		require.Equal(t, []patchtags.Has{patchtags.Right}, all(state))
	}
}

// What somebody has tagged otherwise since it was shown is left so, and so is what the plan excludes.
func TestTagsLeaveAlone(t *testing.T) {
	f := fleet(t, "theirs") // which those that the group has launched carry, too
	of := places(f)
	shown := patchtags.Look(t.Context(), of)
	require.Equal(t, []patchtags.Has{patchtags.Another}, all(shown[1]))
	require.Contains(t, shown[1].Launches, "PatchGroup=theirs, which is another patch group")

	first := shown[0].Instances[0].ID
	f.Inspect(func(w *world.World) {
		region := w.Account(simtest.Staging.Account.ID).Region(simtest.Tokyo)
		region.Instance(first).Tags["PatchGroup"] = ""
	})
	of[0].Group.Exclude = []map[string]string{{"Role": "web"}}
	for _, state := range patchtags.Apply(t.Context(), of, shown) {
		require.NotContains(t, all(state), patchtags.Set)
	}
	require.Zero(t, f.Effects("CreateTags"))
	require.Equal(t, []patchtags.Has{patchtags.Excluded}, all(patchtags.Look(t.Context(), of)[0]))
	of[0].Group.Exclude = nil
	require.Contains(t, all(patchtags.Look(t.Context(), of)[0]), patchtags.Another, "an empty value is a value")

	of[0].PatchGroup = ""
	of[1].Connect = func(context.Context) (*aws.Services, error) { return nil, errors.New("no role") }
	states := patchtags.Look(t.Context(), of)
	require.Contains(t, states[0].Note, "names no patch_group")
	require.Equal(t, "no role", states[1].Error)
}
