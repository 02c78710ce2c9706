package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// laggingFleet has an Auto Scaling whose describe calls are five seconds behind, and a production group of those
// numbers.
func laggingFleet(t *testing.T, lowest, desired, most int, faults ...world.WorldFault) *fleet {
	t.Helper()
	return newFleetOf(t, func(loaded *world.Scenario) {
		loaded.Faults.World = append(loaded.Faults.World, faults...)
		loaded.Durations.ScalingLag = world.Duration(5 * time.Second)
		group := &loaded.Accounts[1].Regions[0].Groups[0]
		group.Min, group.Desired, group.Max = lowest, desired, most
	})
}

// Each act ends only once AWS shows its effect, so that the one that follows at once does not take the state before it
// for the truth; and nothing is sent twice meanwhile.
func TestAnActEndsOnceItsEffectIsShown(t *testing.T) {
	inspect := func(f *fleet) patch.GroupState {
		return must[patch.GroupState](f, f.aws.InspectGroup, activities.InspectGroupInput{Group: production})
	}
	t.Run("a surge, raised and given back", func(t *testing.T) {
		f := laggingFleet(t, 4, 4, 4)
		before := inspect(f)
		must[activities.Raised](
			f, f.aws.RaiseDesired,
			activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 4, RaiseMax: 1, Pace: pace},
		)
		during := inspect(f)
		require.Equal(t, []int{5, 5}, []int{during.Desired, during.Max})
		surge := must[activities.SurgeInstances](
			f, f.aws.AwaitSurge, activities.AwaitSurgeInput{Group: production, Known: memberIDs(before), By: 1, Pace: pace},
		)
		must[struct{}](
			f, f.aws.TerminateSurgeInstance,
			activities.TerminateSurgeInstanceInput{Group: production, ID: surge.IDs[0], DesiredBefore: 4, By: 1, Pace: pace},
		)
		must[struct{}](f, f.aws.LowerMax, activities.MaxInput{Group: production, MaxBefore: 4, By: 1, Pace: pace})
		after := inspect(f)
		require.Equal(t, []int{4, 4}, []int{after.Desired, after.Max})
		require.Equal(
			t, []int{0, 2, 1},
			[]int{
				f.Effects("SetDesiredCapacity"), f.Effects("UpdateAutoScalingGroup"),
				f.Effects("TerminateInstanceInAutoScalingGroup"),
			},
		)
	})
	t.Run("a raise that nothing was launched for", func(t *testing.T) {
		f := laggingFleet(t, 4, 4, 6, world.WorldFault{Kind: world.FaultNoCapacity, Times: -1})
		must[activities.Raised](
			f, f.aws.RaiseDesired, activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 6, Pace: pace},
		)
		must[struct{}](
			f, f.aws.TerminateSurgeInstance,
			activities.TerminateSurgeInstanceInput{Group: production, DesiredBefore: 4, By: 1, Pace: pace},
		)
		require.Equal(t, 4, inspect(f).Desired)
	})
	t.Run("standby and back", func(t *testing.T) {
		f := laggingFleet(t, 2, 4, 6)
		it := instance(production, inspect(f).Members[0].ID)
		must[struct{}](f, f.aws.EnterStandby, activities.EnterStandbyInput{Instance: it, Pace: pace})
		must[struct{}](f, f.aws.ExitStandby, activities.ExitStandbyInput{Instance: it, Pace: pace})
		require.Equal(t, []int{1, 1}, []int{f.Effects("EnterStandby"), f.Effects("ExitStandby")})
		f.Pass(10 * time.Minute)
		member, _ := inspect(f).Member(it.ID)
		require.Equal(t, patch.LifecycleInService, member.Lifecycle)
	})
	t.Run("processes", func(t *testing.T) {
		f := laggingFleet(t, 2, 4, 6)
		processes := activities.ProcessesInput{Group: production, Processes: []string{"AZRebalance"}, Pace: pace}
		for range 2 {
			must[struct{}](f, f.aws.SuspendProcesses, processes)
			require.Equal(t, processes.Processes, inspect(f).Suspended)
			must[struct{}](f, f.aws.ResumeProcesses, processes)
			require.Empty(t, inspect(f).Suspended)
		}
		require.Equal(t, 2, f.Effects("ResumeProcesses"))
	})
	t.Run("a group's mark", func(t *testing.T) {
		f := laggingFleet(t, 2, 4, 6)
		mark := activities.MarkGroupInput{
			Group: production, Journal: activities.Journal{WaveID: "wave-1", Record: "there"}, Pace: pace,
		}
		must[struct{}](f, f.aws.MarkGroup, mark)
		must[struct{}](f, f.aws.UnmarkGroup, mark)
		must[struct{}](f, f.aws.MarkGroup, mark)
		require.Equal(t, []int{2, 1}, []int{f.Effects("CreateOrUpdateTags"), f.Effects("DeleteTags")})
		f.Inspect(func(w *world.World) {
			group, err := w.Account(production.Account.ID).Region(tokyo).ScalingGroup("web")
			require.NoError(t, err)
			require.Equal(t, names.TagJournal, group.Tags[len(group.Tags)-1].Key)
		})
	})
	t.Run("out of the group, in again, and out", func(t *testing.T) {
		f := laggingFleet(t, 2, 4, 6)
		it := instance(production, inspect(f).Members[0].ID)
		must[struct{}](f, f.aws.EnterStandby, activities.EnterStandbyInput{Instance: it, Pace: pace})
		must[struct{}](f, f.aws.AwaitOutOfService, activities.AwaitOutOfServiceInput{Instance: it, Pace: pace})
		must[struct{}](f, f.aws.Detach, activities.DetachInput{Instance: it, DesiredWanted: 4, WaveID: "wave-1", Pace: pace})
		f.Pass(10 * time.Minute)
		require.Equal(t, 4, inspect(f).Desired, "another takes its place")
		must[struct{}](f, f.aws.Attach, activities.AttachInput{Instance: it, DesiredBefore: 4, Pace: pace})
		require.Equal(t, 5, inspect(f).Desired)
		f.Pass(10 * time.Minute)
		must[struct{}](
			f, f.aws.Detach,
			activities.DetachInput{Instance: it, DesiredWanted: 4, WaveID: "wave-1", Decrement: true, Pace: pace},
		)
		f.Pass(time.Minute)
		state := inspect(f)
		_, listed := state.Member(it.ID)
		require.False(t, listed)
		require.Equal(t, 4, state.Desired)
		require.Equal(
			t, []int{2, 1, 1},
			[]int{f.Effects("DetachInstances"), f.Effects("AttachInstances"), f.Effects("SetDesiredCapacity")},
		)
	})
	t.Run("an instance gives way to a released one", func(t *testing.T) {
		f := laggingFleet(t, 2, 4, 4)
		it := instance(production, inspect(f).Members[0].ID)
		must[struct{}](
			f, f.aws.TerminateReplacement, activities.TerminateReplacementInput{Instance: it, DesiredBefore: 4, Pace: pace},
		)
		require.Equal(t, 3, inspect(f).Desired)
		require.Equal(t, 1, f.Effects("TerminateInstanceInAutoScalingGroup"))
	})
}

// An effect that somebody takes back before it is shown is not waited for for ever.
func TestAnEffectThatSomebodyTakesBackIsNotWaitedForForEver(t *testing.T) {
	f := laggingFleet(t, 2, 4, 6)
	var aws *world.World
	f.Inspect(func(w *world.World) { aws = w })
	group, err := aws.Account(production.Account.ID).Region(tokyo).ScalingGroup("web")
	require.NoError(t, err)
	f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "SuspendProcesses" {
			aws.After(time.Second, func() { _ = group.Resume([]string{"AZRebalance"}) })
		}
		return awssim.Fault{}
	})
	began := f.Clock()
	must[struct{}](
		f, f.aws.SuspendProcesses,
		activities.ProcessesInput{Group: production, Processes: []string{"AZRebalance"}, Pace: pace},
	)
	require.InDelta(t, pace.ReadLag.D(), f.Clock().Sub(began), float64(10*time.Second))
	require.Equal(t, 1, f.Effects("SuspendProcesses"), "theirs is not fought")
}
