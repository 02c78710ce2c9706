package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

func memberIDs(state patch.GroupState) []string {
	var ids []string
	for _, member := range state.Members {
		ids = append(ids, member.ID)
	}
	return ids
}

// lacksOnce has the next answer about groups lack a member.
func (f *attempts) lacksOnce() {
	lacks := true
	f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation != "DescribeAutoScalingGroups" || !lacks {
			return awssim.Fault{}
		}
		lacks = false
		return awssim.Fault{Kind: awssim.FaultUnlisted}
	})
}

// believes drops where something is lacking, which one look does not prove.
func (f *attempts) believes(drop activities.TerminateSurgeInstanceInput) {
	f.t.Helper()
	require.Equal(f.t, aws.Passing, f.fails(f.TerminateSurgeInstance, drop).Type())
	f.Pass(time.Minute)
	f.must(f.TerminateSurgeInstance, drop, nil)
}

// Who took the surge instance for gone by one answer would lower desired, and Auto Scaling would choose a victim.
func TestASurgeInstanceThatIsNotListedOnceIsStillDropped(t *testing.T) {
	f := newAttempts(t)
	f.Change(func(_ *world.Region, group *world.ScalingGroup) { group.Min, group.Max = 4, 5 })
	before := f.inspect(production)
	f.must(f.RaiseDesired, activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 5}, nil)
	var surge activities.SurgeInstances
	require.NoError(t, f.await(30*time.Minute, f.AwaitSurge, activities.AwaitSurgeInput{
		Group: production, Known: memberIDs(before), By: 1, Pace: everyTen,
	}, &surge))
	f.lacksOnce()
	drop := activities.TerminateSurgeInstanceInput{Group: production, ID: surge.IDs[0], DesiredBefore: 4, By: 1}
	resized := f.Calls("SetDesiredCapacity")
	_, err := f.do(nil, f.TerminateSurgeInstance, drop, nil)
	require.ErrorContains(t, err, "does not list "+surge.IDs[0])
	require.Equal(t, resized, f.Calls("SetDesiredCapacity"))
	f.must(f.TerminateSurgeInstance, drop, nil)
	f.Pass(20 * time.Minute)
	require.Equal(t, memberIDs(before), memberIDs(f.inspect(production)))
}

// Where nobody learnt the ids there is none whose absence could be doubted, but that one is lacking can be.
func TestNothingIsLoweredByOneAnswerThatLacksAMember(t *testing.T) {
	f := newAttempts(t)
	f.Change(func(_ *world.Region, group *world.ScalingGroup) { group.Min, group.Max = 4, 5 })
	f.must(f.RaiseDesired, activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 5}, nil)
	f.Pass(10 * time.Minute)
	during := memberIDs(f.inspect(production))
	require.Len(t, during, 5)
	f.lacksOnce()
	resized := f.Calls("SetDesiredCapacity")
	drop := activities.TerminateSurgeInstanceInput{Group: production, DesiredBefore: 4, By: 1}
	failed := f.fails(f.TerminateSurgeInstance, drop)
	require.Equal(t, aws.Passing, failed.Type())
	require.Contains(t, failed.Message(), "does not list each of the 5 instances")
	require.Equal(t, activities.ErrRejected, f.fails(f.TerminateSurgeInstance, drop).Type())
	f.Pass(20 * time.Minute)
	require.Equal(t, resized, f.Calls("SetDesiredCapacity"))
	require.Equal(t, during, memberIDs(f.inspect(production)))
}

func TestSurgeAndBack(t *testing.T) {
	f := newAttempts(t)
	f.Change(func(_ *world.Region, group *world.ScalingGroup) { group.Min, group.Max = 4, 4 })
	before := f.inspect(production)
	raise := activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 4, RaiseMax: 1}
	f.must(f.RaiseDesired, raise, nil)
	_, err := f.do(sentBefore, f.RaiseDesired, raise, nil) // as after a lost reply
	require.NoError(t, err)
	var surge activities.SurgeInstances
	require.NoError(
		t,
		f.await(
			30*time.Minute, f.AwaitSurge,
			activities.AwaitSurgeInput{Group: production, Known: memberIDs(before), By: 1, Pace: everyTen}, &surge,
		),
	)
	during := f.inspect(production)
	require.Equal(t, []int{5, 5}, []int{during.Desired, during.Max})
	member, found := during.Member(surge.IDs[0])
	require.True(t, found)
	require.True(t, member.Serving(true))
	require.Len(t, member.Targets, 1)

	for range 2 {
		f.must(
			f.TerminateSurgeInstance,
			activities.TerminateSurgeInstanceInput{Group: production, ID: surge.IDs[0], DesiredBefore: 4, By: 1},
			nil,
		)
		f.must(f.LowerMax, activities.MaxInput{Group: production, MaxBefore: 4, By: 1}, nil)
	}
	f.Pass(20 * time.Minute)
	after := f.inspect(production)
	require.Equal(t, memberIDs(before), memberIDs(after))
	require.Equal(t, []int{4, 4}, []int{after.Desired, after.Max})
	require.Equal(t, 1, f.Calls("TerminateInstanceInAutoScalingGroup"))
	require.Equal(t, 2, f.Calls("UpdateAutoScalingGroup"), "max and desired raised at once; max lowered")
	require.Zero(t, f.Calls("SetDesiredCapacity"))
}

func TestDropSurgeWithoutAnID(t *testing.T) {
	drop := activities.TerminateSurgeInstanceInput{Group: production, DesiredBefore: 4, By: 1}
	t.Run("nothing was raised", func(t *testing.T) {
		f := newAttempts(t)
		f.must(f.TerminateSurgeInstance, drop, nil)
		require.Zero(t, f.Calls("SetDesiredCapacity"))
	})
	t.Run("one was launched: Auto Scaling would choose which of them goes", func(t *testing.T) {
		f := newAttempts(t)
		f.must(f.RaiseDesired, activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 6}, nil)
		f.Pass(10 * time.Minute)
		require.Equal(t, activities.ErrRejected, f.fails(f.TerminateSurgeInstance, drop).Type())
		f.Pass(10 * time.Minute)
		require.Len(t, memberIDs(f.inspect(production)), 5)
	})
	t.Run("none could be launched", func(t *testing.T) {
		f := newAttempts(t, world.WorldFault{Kind: world.FaultNoCapacity, Times: -1})
		f.must(f.RaiseDesired, activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 6}, nil)
		f.Pass(3 * time.Minute)
		f.believes(drop)
		require.Equal(t, 4, f.inspect(production).Desired)
	})
	t.Run("three were raised, and none could be launched", func(t *testing.T) {
		f := newAttempts(t, world.WorldFault{Kind: world.FaultNoCapacity, Times: -1})
		f.Change(func(_ *world.Region, group *world.ScalingGroup) { group.Max = 9 })
		f.must(f.RaiseDesired, activities.RaiseInput{Group: production, DesiredBefore: 4, By: 3, MaxBefore: 9}, nil)
		three := drop
		three.By = 3
		f.believes(three)
		for range 2 {
			f.must(f.TerminateSurgeInstance, three, nil)
		}
		require.Equal(t, 4, f.inspect(production).Desired)
	})
	t.Run("three were to be raised, and somebody raised two", func(t *testing.T) {
		f := newAttempts(t, world.WorldFault{Kind: world.FaultNoCapacity, Times: -1})
		f.Change(func(_ *world.Region, group *world.ScalingGroup) { group.Desired = 6 })
		three := drop
		three.By = 3
		require.Contains(t, f.fails(f.TerminateSurgeInstance, three).Message(), "somebody changed desired from 7 to 6")
		require.Equal(t, 6, f.inspect(production).Desired)
	})
	t.Run("the group is gone", func(t *testing.T) {
		f := newAttempts(t)
		f.Change(func(region *world.Region, group *world.ScalingGroup) {
			require.NoError(t, region.DeleteScalingGroup(group.Name))
		})
		f.believes(drop)
		f.must(f.LowerMax, activities.MaxInput{Group: production, MaxBefore: 6, By: 1}, nil)
	})
}

func TestSomebodyElsesNumbersAreLeftAlone(t *testing.T) {
	f := newAttempts(t)
	f.Change(func(_ *world.Region, group *world.ScalingGroup) { group.Max = 10 })
	f.must(f.LowerMax, activities.MaxInput{Group: production, MaxBefore: 6, By: 1}, nil)
	f.must(f.RaiseMax, activities.MaxInput{Group: production, MaxBefore: 6, By: 1}, nil)
	require.Equal(t, 10, f.inspect(production).Max)
	failed := f.fails(f.RaiseDesired, activities.RaiseInput{Group: production, DesiredBefore: 2, By: 1, MaxBefore: 10})
	require.Equal(t, activities.ErrRejected, failed.Type())
	require.Contains(t, failed.Message(), "from 2 to 4")
	require.Equal(
		t, activities.ErrRejected, f.fails(f.RaiseMax, activities.MaxInput{Group: production, MaxBefore: 12, By: 1}).Type(),
	)
	require.Zero(t, f.Calls("UpdateAutoScalingGroup"))
	require.Zero(t, f.Calls("SetDesiredCapacity"))
}
