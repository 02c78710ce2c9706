package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// weighed is a fleet whose production group counts weights: three of 4 each are the desired 12.
func weighed(t *testing.T, doubts ...world.Doubt) *attempts {
	t.Helper()
	f := newFleetOf(t, func(s *world.Scenario) {
		s.Doubts = doubts
		for a := range s.Accounts {
			for r := range s.Accounts[a].Regions {
				for g := range s.Accounts[a].Regions[r].Groups {
					group := &s.Accounts[a].Regions[r].Groups[g]
					group.Min, group.Desired, group.Max = 4, 12, 14
					group.Mixed = []world.Override{{Type: "m7i.xlarge", Weight: 4}}
				}
			}
		}
	})
	return &attempts{fleet: f, AWS: f.aws}
}

// AWS's numbers go down and up by the weight, each once, also where replies are lost.
func TestAWeightGoesOutAndComesBack(t *testing.T) {
	f := weighed(t)
	before := f.inspect(production)
	require.Equal(t, patch.CountsWeights, before.Counts)
	require.Len(t, before.Members, 3)
	require.Equal(t, 4, before.Members[0].Weight)
	it := instance(production, before.Members[0].ID)
	f.LoseFirst("EnterStandby", "ExitStandby", "DetachInstances", "SetDesiredCapacity")
	type none = struct{}
	must[none](f.fleet, f.aws.EnterStandby, activities.EnterStandbyInput{Instance: it, Weight: 4, Pace: pace})
	f.Pass(5 * time.Minute)
	during := f.inspect(production)
	require.Equal(t, 8, during.Desired)
	out, _ := during.Member(it.ID)
	require.Equal(t, []int{12, 4}, []int{out.StandbyFrom, out.Weight})

	// Others take some of the room: max is reached though desired is below it.
	f.Change(func(_ *world.Region, group *world.ScalingGroup) { require.NoError(t, group.SetDesired(11)) })
	exit := activities.ExitStandbyInput{Instance: it, Pace: everyTen}
	require.Equal(t, activities.ErrMaxReached, f.fails(f.ExitStandby, exit).Type())
	f.must(f.RaiseMax, activities.MaxInput{Group: production, MaxBefore: 14, By: 1}, nil)
	must[none](f.fleet, f.aws.ExitStandby, activities.ExitStandbyInput{Instance: it, Pace: pace})
	f.Pass(10 * time.Minute)
	require.Equal(t, 15, f.inspect(production).Desired)
}

// One that leaves for good gives its weight back, and no more where a reply is lost; where max leaves no room for all
// of it, nothing is given back.
func TestAWeightThatLeavesIsGivenBack(t *testing.T) {
	for _, c := range []struct {
		name string
		most int
		want activities.DetachResult
		left int
	}{
		{"there is room", 14, activities.DetachResult{}, 12},
		{"there is room for a part", 11, activities.DetachResult{NoRoom: true, Desired: 8}, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := weighed(t)
			it := instance(production, f.inspect(production).Members[0].ID)
			f.must(f.EnterStandby, activities.EnterStandbyInput{Instance: it, Weight: 4}, nil)
			f.Pass(5 * time.Minute)
			f.Change(func(_ *world.Region, group *world.ScalingGroup) { group.Max = c.most })
			f.LoseFirst("DetachInstances")
			require.Equal(t, c.want, must[activities.DetachResult](f.fleet, f.aws.Detach, activities.DetachInput{
				Instance: it, DesiredWanted: 12, Weight: 4, Pace: pace,
			}))
			require.Equal(t, c.left, f.inspect(production).Desired)
		})
	}
}

func TestStandbyByWeightIsRefused(t *testing.T) {
	t.Run("desired would fall below min", func(t *testing.T) {
		f := weighed(t)
		it := instance(production, f.inspect(production).Members[0].ID)
		f.Change(func(_ *world.Region, group *world.ScalingGroup) { group.Min = 9 })
		require.Equal(
			t, activities.ErrRejected, f.fails(f.EnterStandby, activities.EnterStandbyInput{Instance: it, Weight: 4}).Type(),
		)
	})
	t.Run("AWS counts instances", func(t *testing.T) {
		f := weighed(t, world.DoubtStandbyCountsInstances)
		it := instance(production, f.inspect(production).Members[0].ID)
		enter := activities.EnterStandbyInput{Instance: it, Weight: 4}
		for range 2 { // also as after a lost reply
			failed := f.fails(f.EnterStandby, enter)
			require.Equal(t, activities.ErrCountedOtherwise, failed.Type())
			require.True(t, failed.NonRetryable())
			require.Contains(t, failed.Message(), "from 12 to 11, and it weighs 4")
		}
		require.Equal(t, 1, f.Calls("EnterStandby"))
		enter.Weight = 0
		f.must(f.EnterStandby, enter, nil)
	})
}
