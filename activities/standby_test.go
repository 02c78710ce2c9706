package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

func TestStandbyAndBack(t *testing.T) {
	f := newAttempts(t)
	before := f.inspect(production)
	member := before.Members[0]
	it := instance(production, member.ID)

	f.must(f.EnterStandby, activities.EnterStandbyInput{Instance: it}, nil)
	f.must(f.EnterStandby, activities.EnterStandbyInput{Instance: it}, nil) // as after a lost reply
	require.Equal(t, 1, f.Calls("EnterStandby"))
	out := activities.AwaitOutOfServiceInput{Instance: it, Targets: member.Targets, Pace: everyTen}
	require.Equal(t, activities.ErrNotReady, f.fails(f.AwaitOutOfService, out).Type(), "it drains for a minute")
	require.NoError(t, f.await(5*time.Minute, f.AwaitOutOfService, out, nil))
	during := f.inspect(production)
	standby, _ := during.Member(member.ID)
	require.Equal(t, patch.LifecycleStandby, standby.Lifecycle)
	require.Empty(t, standby.Targets)
	require.Equal(t, 3, during.Desired)
	require.Equal(t, activities.ErrNotReady, func() string {
		f.must(f.ExitStandby, activities.ExitStandbyInput{Instance: it, Pace: everyTen}, nil)
		return f.fails(f.EnterStandby, activities.EnterStandbyInput{Instance: it}).Type()
	}(), "an instance on its way in cannot go out")
	f.must(f.ExitStandby, activities.ExitStandbyInput{Instance: it, Pace: everyTen}, nil)
	require.Equal(t, 1, f.Calls("ExitStandby"))

	var returned activities.Returned
	require.NoError(
		t,
		f.await(
			10*time.Minute, f.AwaitInService,
			activities.AwaitInServiceInput{Instance: it, Before: member.Targets, Pace: everyTen}, &returned,
		),
	)
	require.Equal(t, patch.LifecycleInService, returned.Member.Lifecycle)
	require.True(t, returned.Member.Serving(true))
	require.WithinDuration(t, f.Clock(), returned.At, time.Second, "by AWS's clock")
	require.Equal(t, 4, f.inspect(production).Desired)
}

func TestExitStandbyLetsEnteringSettle(t *testing.T) {
	f := newAttempts(t)
	it := instance(production, f.inspect(production).Members[0].ID)
	f.must(f.EnterStandby, activities.EnterStandbyInput{Instance: it}, nil)
	exit := activities.ExitStandbyInput{Instance: it, Pace: everyTen}
	require.Equal(t, activities.ErrNotReady, f.fails(f.ExitStandby, exit).Type())
	require.Zero(t, f.Calls("ExitStandby"))
	require.NoError(t, f.await(5*time.Minute, f.ExitStandby, exit, nil))
}

func TestStandbyRefusals(t *testing.T) {
	t.Run("desired is min already", func(t *testing.T) {
		f := newAttempts(t)
		f.Change(func(_ *world.Region, group *world.ScalingGroup) { group.Min = 4 })
		require.Equal(
			t, activities.ErrRejected,
			f.fails(
				f.EnterStandby, activities.EnterStandbyInput{Instance: instance(production, f.inspect(production).Members[0].ID)},
			).Type(),
		)
	})
	t.Run("max leaves no room to come back", func(t *testing.T) {
		f := newAttempts(t)
		it := instance(production, f.inspect(production).Members[0].ID)
		f.must(f.EnterStandby, activities.EnterStandbyInput{Instance: it}, nil)
		f.Pass(5 * time.Minute)
		f.Change(func(_ *world.Region, group *world.ScalingGroup) { group.Max = 3 })
		exit := activities.ExitStandbyInput{Instance: it, Pace: everyTen}
		failed := f.fails(f.ExitStandby, exit)
		require.Equal(t, activities.ErrMaxReached, failed.Type())
		require.False(t, failed.NonRetryable())
		f.must(f.RaiseMax, activities.MaxInput{Group: production, MaxBefore: 3, By: 1}, nil)
		f.must(f.ExitStandby, exit, nil)
		require.Equal(
			t,
			activities.ErrRejected,
			f.fails(f.LowerMax, activities.MaxInput{Group: production, MaxBefore: 3, By: 1}).Type(),
			"desired is above what max was: Auto Scaling would choose a victim",
		)
	})
	t.Run("terminated in standby: the group still lists it, EC2 does not", func(t *testing.T) {
		f := newAttempts(t)
		it := instance(production, f.inspect(production).Members[0].ID)
		f.must(f.EnterStandby, activities.EnterStandbyInput{Instance: it}, nil)
		f.Pass(5 * time.Minute)
		f.Change(func(region *world.Region, _ *world.ScalingGroup) { region.Instance(it.ID).Terminate() })
		f.Pass(5 * time.Minute)
		require.Equal(
			t, activities.ErrGone, f.fails(f.ExitStandby, activities.ExitStandbyInput{Instance: it, Pace: everyTen}).Type(),
		)
		require.Equal(
			t, activities.ErrGone,
			f.fails(f.AwaitInService, activities.AwaitInServiceInput{Instance: it, Pace: everyTen}).Type(),
		)
		ghost, listed := f.inspect(production).Member(it.ID)
		require.True(t, listed)
		require.False(t, ghost.Present())
	})
	t.Run("instances chosen by tags have no standby", func(t *testing.T) {
		f := newAttempts(t)
		require.Equal(
			t, activities.ErrInvalidInput,
			f.fails(f.EnterStandby, activities.EnterStandbyInput{Instance: instance(staging, "i-0")}).Type(),
		)
	})
}

func TestTargetsOfTaggedInstances(t *testing.T) {
	f := newAttempts(t)
	member := f.inspect(staging).Members[0]
	it := instance(staging, member.ID)
	targets := activities.TargetsInput{Instance: it, Targets: member.Targets}
	f.must(f.DeregisterTargets, targets, nil)
	f.must(f.DeregisterTargets, targets, nil)
	require.Equal(t, 1, f.Calls("DeregisterTargets"), "draining is on its way out already")
	require.NoError(
		t,
		f.await(
			5*time.Minute, f.AwaitOutOfService,
			activities.AwaitOutOfServiceInput{Instance: it, Targets: member.Targets, Pace: everyTen}, nil,
		),
	)
	f.must(f.DeregisterTargets, targets, nil)
	f.must(f.RegisterTargets, targets, nil)
	f.must(f.RegisterTargets, targets, nil)
	require.Equal(t, 1, f.Calls("RegisterTargets"))
	var returned activities.Returned
	require.NoError(
		t,
		f.await(
			5*time.Minute, f.AwaitInService,
			activities.AwaitInServiceInput{Instance: it, Before: member.Targets, Pace: everyTen}, &returned,
		),
	)
	require.Equal(t, member.Targets, returned.Member.Targets)
}

func TestProcesses(t *testing.T) {
	f := newAttempts(t)
	f.Change(func(_ *world.Region, group *world.ScalingGroup) {
		group.Suspended["ReplaceUnhealthy"] = "somebody else"
	})
	ours := activities.ProcessesInput{Group: production, Processes: []string{"AZRebalance", "InstanceRefresh"}}
	for range 2 {
		f.must(f.SuspendProcesses, ours, nil)
		require.Equal(t, []string{"AZRebalance", "InstanceRefresh", "ReplaceUnhealthy"}, f.inspect(production).Suspended)
	}
	require.Equal(t, 1, f.Calls("SuspendProcesses"))
	for range 2 {
		f.must(f.ResumeProcesses, ours, nil)
		require.Equal(t, []string{"ReplaceUnhealthy"}, f.inspect(production).Suspended)
	}
	require.Equal(t, 1, f.Calls("ResumeProcesses"))
	for _, none := range [][]string{nil, {}, {""}} {
		require.Equal(
			t, activities.ErrInvalidInput,
			f.fails(f.SuspendProcesses, activities.ProcessesInput{Group: production, Processes: none}).Type(),
		)
		require.Equal(
			t, activities.ErrInvalidInput,
			f.fails(f.ResumeProcesses, activities.ProcessesInput{Group: production, Processes: none}).Type(),
		)
	}
	f.Change(func(region *world.Region, group *world.ScalingGroup) {
		require.NoError(t, region.DeleteScalingGroup(group.Name))
	})
	require.False(t, f.fails(f.ResumeProcesses, ours).NonRetryable(), "one look that does not show it proves nothing")
	f.Pass(time.Minute)
	f.must(f.ResumeProcesses, ours, nil)
	require.Equal(t, activities.ErrGroupNotFound, f.fails(f.SuspendProcesses, ours).Type())
}

func TestMarks(t *testing.T) {
	f := newAttempts(t)
	it := instance(production, f.inspect(production).Members[0].ID)
	ours := activities.Journal{WaveID: "wave-1", Record: "111122223333/ap-northeast-1/" + it.ID}
	theirs := activities.Journal{WaveID: "wave-2", Record: ours.Record}
	for range 2 {
		f.must(f.MarkInstance, activities.MarkInstanceInput{Instance: it, Journal: ours}, nil)
		f.must(f.MarkGroup, activities.MarkGroupInput{Group: production, Journal: ours}, nil)
	}
	require.Equal(t, 1, f.Calls("CreateTags"))
	require.Equal(t, 1, f.Calls("CreateOrUpdateTags"))
	require.Equal(
		t, activities.ErrOwnedByAnotherWave,
		f.fails(f.MarkInstance, activities.MarkInstanceInput{Instance: it, Journal: theirs}).Type(),
	)
	require.Equal(
		t, activities.ErrOwnedByAnotherWave,
		f.fails(f.MarkGroup, activities.MarkGroupInput{Group: production, Journal: theirs}).Type(),
	)
	f.must(f.UnmarkInstance, activities.MarkInstanceInput{Instance: it, Journal: theirs}, nil)
	f.must(f.UnmarkGroup, activities.MarkGroupInput{Group: production, Journal: theirs}, nil)
	require.Zero(t, f.Calls("DeleteTags"))
	for range 2 {
		f.must(f.UnmarkInstance, activities.MarkInstanceInput{Instance: it, Journal: ours}, nil)
		f.must(f.UnmarkGroup, activities.MarkGroupInput{Group: production, Journal: ours}, nil)
	}
	require.Equal(t, 2, f.Calls("DeleteTags"), "one of EC2, one of Auto Scaling")
}

func TestMarkHealthy(t *testing.T) {
	f := newAttempts(t)
	members := f.inspect(production).Members
	f.Change(func(_ *world.Region, group *world.ScalingGroup) {
		group.Suspended["ReplaceUnhealthy"] = "ours"
		group.Member(members[0].ID).Healthy = false
		group.Member(members[1].ID).Healthy = false
	})
	f.must(
		f.MarkHealthy, activities.MarkHealthyInput{Group: production, Instances: []string{members[0].ID, members[2].ID}}, nil,
	)
	require.Equal(t, 1, f.Calls("SetInstanceHealth"))
	state := f.inspect(production)
	require.Equal(t, "Healthy", state.Members[0].Health)
	require.Equal(t, "Unhealthy", state.Members[1].Health, "nobody proved it")
}

func TestDetachGivesTheCapacityBack(t *testing.T) {
	f := newAttempts(t)
	it := instance(production, f.inspect(production).Members[0].ID)
	f.must(f.EnterStandby, activities.EnterStandbyInput{Instance: it}, nil)
	f.Pass(5 * time.Minute)
	detach := activities.DetachInput{Instance: it, DesiredWanted: 4, WaveID: "wave-1"}
	f.must(f.Detach, detach, nil)
	f.must(f.Detach, detach, nil)
	f.Pass(10 * time.Minute)
	state := f.inspect(production)
	require.Equal(t, 4, state.Desired)
	require.Len(t, state.Members, 4)
	_, still := state.Member(it.ID)
	require.False(t, still)
	require.Equal(t, 1, f.Calls("DetachInstances"))
	require.Equal(t, 1, f.Calls("SetDesiredCapacity"))
}

// What others set while an instance was on its way out stands, and one more in its place. An attempt that finds it out
// already cannot tell whether that one has been given back, where desired is neither.
func TestDetachGivesOneBackOnTopOfWhatOthersSet(t *testing.T) {
	for _, c := range []struct {
		name    string
		desired int // as somebody sets it while it is on standby; 3 is as we left it
		already bool
		want    int
		result  activities.DetachResult
	}{
		{name: "nobody came between", desired: 3, want: 4},
		{name: "scaled out by one", desired: 4, want: 5},
		{name: "scaled out by two", desired: 5, want: 6},
		{name: "scaled in", desired: 2, want: 3},
		{name: "scaled to its max", desired: 6, want: 6, result: activities.DetachResult{NoRoom: true, Desired: 6}},
		{name: "out already and one short", desired: 3, already: true, want: 4},
		{name: "out already and whole", desired: 4, already: true, want: 4},
		{
			name: "out already and nobody can tell", desired: 5, already: true, want: 5,
			result: activities.DetachResult{Unclear: true, Desired: 5},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newAttempts(t)
			it := instance(production, f.inspect(production).Members[0].ID)
			f.must(f.EnterStandby, activities.EnterStandbyInput{Instance: it}, nil)
			f.Pass(5 * time.Minute)
			f.Change(func(_ *world.Region, group *world.ScalingGroup) {
				group.Min = 0
				if c.already {
					_, err := group.Detach([]string{it.ID}, false)
					require.NoError(t, err)
				}
				require.NoError(t, group.SetDesired(c.desired))
			})
			f.Pass(5 * time.Minute)
			var result activities.DetachResult
			f.must(f.Detach, activities.DetachInput{Instance: it, DesiredWanted: 4, WaveID: "wave-1"}, &result)
			require.Equal(t, c.result, result)
			require.Equal(t, c.want, f.inspect(production).Desired)
		})
	}
}

// Neither lost reply gives the group two in place of one.
func TestDetachGivesOneBackWhenRepliesAreLost(t *testing.T) {
	for lost, want := range map[string]activities.DetachResult{
		"DetachInstances": {},
		// Desired is as wanted, and nobody can tell by whom: somebody may have scaled out before the call that gives one
		// back.
		"SetDesiredCapacity": {Unclear: true, Desired: 4},
	} {
		t.Run(lost, func(t *testing.T) {
			f := newFleet(t)
			state := must[patch.GroupState](f, f.aws.InspectGroup, activities.InspectGroupInput{Group: production})
			it := instance(production, state.Members[0].ID)
			must[struct{}](f, f.aws.EnterStandby, activities.EnterStandbyInput{Instance: it, Pace: pace})
			f.Pass(5 * time.Minute)
			f.LoseFirst(lost)
			result := must[activities.DetachResult](
				f, f.aws.Detach, activities.DetachInput{Instance: it, DesiredWanted: 4, WaveID: "wave-1", Pace: pace},
			)
			require.Equal(t, want, result)
			require.Equal(t, []int{1, 1}, []int{f.Effects("DetachInstances"), f.Effects("SetDesiredCapacity")})
			require.Equal(
				t, 4, must[patch.GroupState](f, f.aws.InspectGroup, activities.InspectGroupInput{Group: production}).Desired,
			)
		})
	}
}
