package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestWhoIsLeftOut(t *testing.T) {
	never := []map[string]string{{"Patch": "never"}, {"Role": "leader", "Tier": "front"}}
	for _, c := range []struct {
		name    string
		exclude []map[string]string
		only    *patch.Only
		tags    map[string]string
		want    string
	}{
		{"nothing is said", nil, nil, map[string]string{"Patch": "never"}, ""},
		{"without the tag", never, nil, map[string]string{"Role": "web"}, ""},
		{"with it", never, nil, map[string]string{"Patch": "never"}, "excluded by the tag Patch=never"},
		{"with another value", never, nil, map[string]string{"Patch": "Never"}, ""},
		{"one of two tags", never, nil, map[string]string{"Role": "leader"}, ""},
		{
			"both", never, nil,
			map[string]string{"Role": "leader", "Tier": "front", "Name": "a"},
			"excluded by the tag Role=leader,Tier=front",
		},
		{"no tags exclude nobody", []map[string]string{{}}, nil, nil, ""},
		{"an empty only takes everybody", nil, &patch.Only{}, nil, ""},
		{"in the zone", nil, &patch.Only{Zones: []string{"c", "a"}}, nil, ""},
		{"in another", nil, &patch.Only{Zones: []string{"c", "d"}}, nil, "this wave takes only zone c, d"},
		{"the instance", nil, &patch.Only{Instances: []string{"i-01"}}, nil, ""},
		{"another", nil, &patch.Only{Instances: []string{"i-02"}}, nil, "this wave takes only instance i-02"},
		{
			"the instance, of another zone", nil, &patch.Only{Instances: []string{"i-01"}, Zones: []string{"c"}}, nil,
			"this wave takes only instance i-01 in zone c",
		},
		{
			"excluded, though it is asked for", never, &patch.Only{Instances: []string{"i-01"}},
			map[string]string{"Patch": "never"},
			"excluded by the tag Patch=never",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, patch.Group{Exclude: c.exclude, Only: c.only}.LeavesOut("i-01", "a", c.tags))
		})
	}
}

// excluded has some members left out.
func excluded(ids ...string) func(*patch.GroupState) {
	return func(s *patch.GroupState) {
		for i := range s.Members {
			for _, id := range ids {
				if s.Members[i].ID == id {
					s.Members[i].LeftOut = "excluded by the tag Patch=never"
				}
			}
		}
	}
}

// Who is left out is not taken, is named, and counts like any other; it is no gap.
func TestWhoIsLeftOutCounts(t *testing.T) {
	state := four(excluded("i-02", "i-03"))
	var taken []string
	for _, member := range state.Ordered(patch.OrderZone) {
		taken = append(taken, member.ID)
	}
	require.Equal(t, []string{"i-01", "i-04"}, taken)
	end := patch.EndOf(webGroup, "", state, []patch.InstanceResult{
		{ID: "i-01", Outcome: patch.Patched}, {ID: "i-04", Outcome: patch.Patched},
	})
	require.Equal(t, patch.Ending{LeftOut: []patch.Gap{
		{Instance: "i-02", Why: "excluded by the tag Patch=never"}, {Instance: "i-03", Why: "excluded by the tag Patch=never"},
	}}, end, "desired is met by them, and nobody is waited for")
	require.Equal(t, []string{"i-02, i-03 left as it is: excluded by the tag Patch=never"}, state.Untouched())

	strategy, refusal := patch.PlanCapacity(webGroup, four(), patch.Stage{MaxUnavailable: patch.Instances(1)})
	require.Nil(t, refusal)
	same, _ := patch.PlanCapacity(webGroup, state, patch.Stage{MaxUnavailable: patch.Instances(1)})
	require.Equal(t, strategy, same)
	ill := four(excluded("i-02"), member(1, func(m *patch.Member) { m.Health = "Unhealthy" }))
	require.Contains(t, codesOf(patch.Refusals(patch.LevelInstance, viewOf(ill, "i-01"))), patch.RefusedCapacity,
		"one that is excluded and ill leaves no room for another")
	require.False(t, patch.ReachOf(state, "").Nobody())
	require.True(t, patch.ReachOf(four(excluded("i-01", "i-02", "i-03", "i-04")), "").Nobody())
	require.False(t, patch.ReachOf(patch.GroupState{}, "").Nobody(), "an empty group is asked as ever")
}

func TestOneThatWasExcludedSinceIsNotTouched(t *testing.T) {
	view := viewOf(four(excluded("i-01")), "i-01")
	found := patch.Refusals(patch.LevelInstance, view)
	require.Equal(t, []patch.RefusalCode{patch.RefusedExcluded}, codesOf(found))
	require.Contains(t, found[0].What, "excluded by the tag Patch=never")
	require.Empty(t, patch.Refusals(patch.LevelPutBack, view), "what is patched may be put back")
}

func TestWhatOnlyMisses(t *testing.T) {
	reach := []patch.Reach{
		patch.ReachOf(four(excluded("i-02")), ""),
		{Taken: []string{"i-09"}, Zones: []string{"d", "a"}},
	}
	for _, c := range []struct {
		name string
		only *patch.Only
		want string
	}{
		{"everybody", nil, ""},
		{"all of it is there", &patch.Only{Zones: []string{"a", "d"}, Instances: []string{"i-09", "i-01"}}, ""},
		{
			"an id that is nobody's", &patch.Only{Instances: []string{"i-01", "i-99"}},
			"only: no group of the plan web has an instance i-99 that can be taken: it is of none, leaves, or is stopped",
		},
		{
			"one that is excluded", &patch.Only{Instances: []string{"i-02"}},
			"only: i-02 would not be taken: excluded by the tag Patch=never",
		},
		{
			"a zone without instances", &patch.Only{Zones: []string{"b"}},
			"only: no group of the plan web has an instance in zone b; there are a, c, d",
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.only.Misses("web", reach)) })
	}
	nobody := []patch.Reach{patch.ReachOf(four(excluded("i-01", "i-02", "i-03", "i-04")), "")}
	require.Contains(t, (&patch.Only{Zones: []string{"a"}}).Misses("web", nobody), "it leaves nobody to be taken")
}

func TestOnlyIsAListOfNames(t *testing.T) {
	require.NoError(t, (*patch.Only)(nil).Check())
	require.NoError(t, (&patch.Only{Zones: []string{"ap-northeast-1a"}}).Check())
	require.ErrorContains(t, (&patch.Only{}).Check(), "only: names nobody")
	require.ErrorContains(t, (&patch.Only{Instances: []string{""}}).Check(), "is no zone's name")
	require.ErrorContains(t, (&patch.Only{Instances: []string{"i-1 "}}).Check(), `"i-1 " is no zone's name`)
}

// A wave that took some is no plain success of the whole; one that left out what the plan excludes is.
func TestAWaveOfSomeIsNoPlainSuccess(t *testing.T) {
	left, only := []patch.Gap{{Instance: "i-02", Why: "why"}}, &patch.Only{Zones: []string{"a"}}
	require.Equal(t, patch.Succeeded, patch.Succeeded.JudgedWithout(nil, left))
	require.Equal(t, patch.Succeeded, patch.Succeeded.JudgedWithout(only, nil))
	require.Equal(t, patch.SucceededWithSkips, patch.Succeeded.JudgedWithout(only, left))
	require.Equal(t, patch.SucceededWithGaps, patch.SucceededWithGaps.JudgedWithout(only, left))
	require.Equal(t, patch.Failed, patch.Failed.JudgedWithout(only, left))

	many := []patch.Gap{{"i-1", "a"}, {"i-2", "b"}, {"i-3", "a"}, {"i-4", "a"}, {"i-5", "a"}}
	require.Equal(t, []string{"i-1, i-3, i-4 and 1 more left as it is: a", "i-2 left as it is: b"},
		patch.ToldLeftOut(many))
}
