package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

func TestInspectAutoScalingGroup(t *testing.T) {
	f := newAttempts(t)
	state := f.inspect(production)
	require.Equal(t, 2, state.Min)
	require.Equal(t, 6, state.Max)
	require.Equal(t, 4, state.Desired)
	require.Empty(t, state.Suspended)
	require.Empty(t, state.Operator)
	require.True(t, state.FreeTags)
	require.False(t, state.RefreshRunning || state.Deleting || state.Counts != patch.CountsInstances || state.WarmPoolState != "")
	require.Len(t, state.TargetGroups, 1)
	require.True(t, state.TargetGroups[0].Attached)
	require.True(t, state.TargetGroups[0].CrossZone)
	require.Equal(t, "1m0s", state.TargetGroups[0].DeregistrationDelay.String())
	require.Len(t, state.Members, 4)
	for _, member := range state.Members {
		require.Equal(t, "running", member.State)
		require.True(t, member.StatusOK)
		require.True(t, member.AgentOnline)
		require.Equal(t, patch.Linux, member.Platform)
		require.Equal(t, patch.LifecycleInService, member.Lifecycle)
		require.Equal(t, "web", member.OwnerGroup)
		require.NotEmpty(t, member.RootVolumeID)
		require.True(t, member.FreeTags)
		require.Len(t, member.Targets, 1)
		require.Equal(t, patch.Target{
			TargetGroupARN: state.TargetGroups[0].ARN, ID: member.ID, Port: 80, Health: patch.TargetHealthy,
		}, member.Targets[0])
		require.True(t, member.Serving(true))
	}
	strategy, refusal := patch.PlanCapacity(
		production, state, patch.Stage{MaxUnavailable: patch.Instances(1), Capacity: patch.CapacityAuto},
	)
	require.Nil(t, refusal)
	require.Equal(t, patch.CapacityDecrement, strategy.Mode)
}

// AWS tells only in its scaling activities whether desired went down with one that was put on standby.
func TestInspectTellsOfStandbyWithDecrement(t *testing.T) {
	f := newAttempts(t)
	var shrunk, replaced string
	f.Inspect(func(w *world.World) {
		group, err := w.Account(production.Account.ID).Region(tokyo).ScalingGroup("web")
		require.NoError(t, err)
		shrunk, replaced = group.Members()[0].Instance.ID, group.Members()[1].Instance.ID
		_, err = group.EnterStandby([]string{shrunk}, true)
		require.NoError(t, err)
		_, err = group.EnterStandby([]string{replaced}, false)
		require.NoError(t, err)
	})
	from := func() map[string]int {
		known := map[string]int{}
		for _, member := range f.inspect(production).Members {
			if member.StandbyFrom > 0 {
				known[member.ID] = member.StandbyFrom
			}
		}
		return known
	}
	require.Equal(t, map[string]int{shrunk: 4}, from())

	everybody := map[string]int{shrunk: patch.StandbyFromUnknown, replaced: patch.StandbyFromUnknown}
	for _, fault := range []awssim.Fault{{Kind: awssim.FaultEmpty}, {Kind: awssim.FaultError, Code: "AccessDenied"}} {
		f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
			if call.Operation == "DescribeScalingActivities" {
				return fault
			}
			return awssim.Fault{}
		})
		require.Equal(t, everybody, from(), "what AWS does not tell is not taken for replaced")
	}
}

func TestInspectTaggedInstances(t *testing.T) {
	f := newAttempts(t)
	state := f.inspect(staging)
	require.Len(t, state.Members, 2)
	for _, member := range state.Members {
		require.Empty(t, member.Lifecycle)
		require.Empty(t, member.OwnerGroup)
		require.Len(t, member.Targets, 1)
	}
}

func TestInspectFindsMembersOfAnAutoScalingGroupByTheirTags(t *testing.T) {
	f := newAttempts(t)
	byTags := patch.Group{Account: production.Account, Region: tokyo, Tags: map[string]string{"Role": "web"}}
	state := f.inspect(byTags)
	require.Len(t, state.Members, 4)
	require.Equal(t, "web", state.Members[0].OwnerGroup)
	require.False(t, state.TargetGroups[0].Attached)
	_, refusal := patch.PlanCapacity(byTags, state, patch.Stage{MaxUnavailable: patch.Instances(1)})
	require.Equal(t, patch.RefusedGroupMember, refusal.Code)
}

func TestInspectRefuses(t *testing.T) {
	f := newAttempts(t)
	missing := production
	missing.AutoScalingGroup = "nowhere"
	unknown := production
	unknown.Account = patch.Account{Name: "other", ID: "000000000000"}
	for _, c := range []struct {
		name  string
		group patch.Group
		want  string
	}{
		{"no such group", missing, activities.ErrGroupNotFound},
		{"an account nobody configured", unknown, activities.ErrRejected},
		{"neither name nor tags", patch.Group{Account: production.Account, Region: tokyo}, activities.ErrInvalidInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, f.fails(f.InspectGroup, activities.InspectGroupInput{Group: c.group, Unseen: true}).Type())
		})
	}
	t.Run("nothing matches: an empty list, for the decision to refuse", func(t *testing.T) {
		nobody := patch.Group{Account: production.Account, Region: tokyo, Tags: map[string]string{"Role": "w*"}}
		require.Empty(t, f.inspect(nobody).Members)
	})
}
