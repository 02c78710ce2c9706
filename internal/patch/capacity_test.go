package patch_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

var (
	webGroup = patch.Group{
		Account: patch.Account{Name: "production", ID: "111122223333"}, Region: "ap-northeast-1", AutoScalingGroup: "web",
	}
	tagsGroup = patch.Group{
		Account: patch.Account{Name: "staging", ID: "222233334444"}, Region: "ap-northeast-1",
		Tags: map[string]string{"Role": "web"},
	}
)

const targetGroup = "arn:aws:elasticloadbalancing:ap-northeast-1:111122223333:targetgroup/web/0123"

// well is a member in service about which nothing is wrong; i is its number.
func well(i int, zone string) patch.Member {
	id := fmt.Sprintf("i-%02d", i)
	return patch.Member{
		ID: id, Zone: zone, State: "running", StatusOK: true, Lifecycle: patch.LifecycleInService, Health: "Healthy",
		AgentOnline:  true,
		RootVolumeID: "vol-" + id, FreeTags: true,
		Targets: []patch.Target{{TargetGroupARN: targetGroup, ID: id, Port: 80, Health: patch.TargetHealthy}},
	}
}

// four members in two zones, as the demo's production.
func four(change ...func(*patch.GroupState)) patch.GroupState {
	state := patch.GroupState{
		Min: 2, Max: 6, Desired: 4, FreeTags: true,
		Members:      []patch.Member{well(1, "a"), well(2, "c"), well(3, "a"), well(4, "c")},
		TargetGroups: []patch.TargetGroup{{ARN: targetGroup, Name: "web", Attached: true, CrossZone: true}},
	}
	for _, f := range change {
		f(&state)
	}
	return state
}

func sizes(lowest, desired, most int) func(*patch.GroupState) {
	return func(s *patch.GroupState) { s.Min, s.Desired, s.Max = lowest, desired, most }
}

func TestPlanCapacity(t *testing.T) {
	decrement := patch.Strategy{Mode: patch.CapacityDecrement, AtOnce: 1}
	surge := patch.Strategy{Mode: patch.CapacitySurge, AtOnce: 1}
	raised := patch.Strategy{Mode: patch.CapacitySurge, AtOnce: 1, RaiseMax: 1}
	two := patch.Strategy{Mode: patch.CapacityDecrement, AtOnce: 2}
	for _, c := range []struct {
		name     string
		group    patch.Group
		state    patch.GroupState
		capacity patch.CapacityMode
		most     patch.Share // max_unavailable; 0 is 1
		want     patch.Strategy
		refused  patch.RefusalCode
	}{
		{name: "auto: room above min", state: four(), capacity: patch.CapacityAuto, want: decrement},
		{name: "auto: min = desired", state: four(sizes(4, 4, 6)), capacity: patch.CapacityAuto, want: surge},
		{name: "auto: min = desired = max", state: four(sizes(4, 4, 4)), capacity: patch.CapacityAuto, want: raised},
		{name: "silent: as auto", state: four(sizes(4, 4, 4)), want: raised},
		{name: "auto: exactly one above min", state: four(sizes(3, 4, 4)), capacity: patch.CapacityAuto, want: decrement},
		{
			name: "auto: max_unavailable reaches below min", state: four(sizes(3, 4, 6)), capacity: patch.CapacityAuto,
			most: patch.Instances(2), want: decrement,
		},
		{name: "auto: two at once", state: four(), capacity: patch.CapacityAuto, most: patch.Instances(2), want: two},
		{name: "auto: half of them", state: four(), capacity: patch.CapacityAuto, most: patch.Percent(50), want: two},
		{
			name: "auto: a percentage of less than one", state: four(), capacity: patch.CapacityAuto, most: patch.Percent(10),
			want: decrement,
		},
		{
			name: "auto: all of them, of which min keeps two", state: four(), capacity: patch.CapacityAuto,
			most: patch.Percent(100), want: two,
		},
		{
			name: "decrement: fewer than asked", state: four(sizes(3, 4, 6)), capacity: patch.CapacityDecrement,
			most: patch.Instances(3), want: decrement,
		},
		{
			name: "surge: by as many as may be out", state: four(), capacity: patch.CapacitySurge, most: patch.Instances(3),
			want: patch.Strategy{Mode: patch.CapacitySurge, AtOnce: 3, RaiseMax: 1},
		},
		{
			name: "auto: surge by two, where min allows none", state: four(sizes(4, 4, 8)), most: patch.Percent(50),
			want: patch.Strategy{Mode: patch.CapacitySurge, AtOnce: 2},
		},
		{
			name: "auto: no surge where min allows one", state: four(sizes(3, 4, 4)), most: patch.Percent(100), want: decrement,
		},
		{
			name: "surge: no more than there are", state: four(), capacity: patch.CapacitySurge, most: patch.Instances(9),
			want: patch.Strategy{Mode: patch.CapacitySurge, AtOnce: 4, RaiseMax: 2},
		},
		{
			name: "tags: two at once", group: tagsGroup, most: patch.Percent(50), want: patch.Strategy{AtOnce: 2},
			state: patch.GroupState{Members: []patch.Member{well(1, "a"), well(2, "a"), well(3, "a"), well(4, "a")}},
		},
		{name: "auto: min is 0 and one instance", state: four(sizes(0, 1, 1)), capacity: patch.CapacityAuto, want: decrement},
		{name: "decrement: room", state: four(), capacity: patch.CapacityDecrement, want: decrement},
		{
			name: "decrement: none", state: four(sizes(4, 4, 6)), capacity: patch.CapacityDecrement,
			refused: patch.RefusedCapacity,
		},
		{name: "surge: asked for", state: four(), capacity: patch.CapacitySurge, want: surge},
		{name: "surge: at max", state: four(sizes(2, 6, 6)), capacity: patch.CapacitySurge, want: raised},
		{
			name: "surge: desired above max, as AWS may show in passing", state: four(sizes(2, 7, 6)),
			capacity: patch.CapacitySurge, want: patch.Strategy{Mode: patch.CapacitySurge, AtOnce: 1, RaiseMax: 2},
		},
		{
			name: "surge: from a warm pool that is stopped", state: four(func(s *patch.GroupState) { s.WarmPoolState = "Stopped" }),
			capacity: patch.CapacitySurge, want: surge,
		},
		{
			name: "surge: from a warm pool that runs", capacity: patch.CapacitySurge, refused: patch.RefusedCapacity,
			state: four(func(s *patch.GroupState) { s.WarmPoolState = patch.WarmPoolRunning }),
		},
		{
			name: "auto: beside a warm pool that runs", capacity: patch.CapacityAuto, want: decrement,
			state: four(func(s *patch.GroupState) { s.WarmPoolState = patch.WarmPoolRunning }),
		},
		{name: "no members", state: four(func(s *patch.GroupState) { s.Members = nil }), refused: patch.RefusedNoInstances},
		{name: "tags: no members", group: tagsGroup, refused: patch.RefusedNoInstances},
		{
			name: "tags: no room to make", group: tagsGroup, want: patch.Strategy{AtOnce: 1},
			state: patch.GroupState{Members: []patch.Member{well(1, "a")}},
		},
		{
			name: "tags: a member of an Auto Scaling group", group: tagsGroup,
			state:   patch.GroupState{Members: []patch.Member{well(1, "a"), {ID: "i-02", OwnerGroup: "web"}}},
			refused: patch.RefusedGroupMember,
		},
		{name: "being deleted", state: four(func(s *patch.GroupState) { s.Deleting = true }), refused: patch.RefusedDeletion},
		{
			name: "operated by EKS", state: four(func(s *patch.GroupState) { s.Operator = "EKS" }),
			refused: patch.RefusedOperated,
		},
		{
			name: "refresh running", state: four(func(s *patch.GroupState) { s.RefreshRunning = true }),
			refused: patch.RefusedRefreshRunning,
		},
		{name: "no tag slot", state: four(func(s *patch.GroupState) { s.FreeTags = false }), refused: patch.RefusedTagSlot},
		{name: "Launch suspended", state: four(suspended("Launch")), refused: patch.RefusedProcessSuspended},
		{name: "Terminate suspended", state: four(suspended("Terminate")), refused: patch.RefusedProcessSuspended},
		{
			name: "AddToLoadBalancer suspended", state: four(suspended("AddToLoadBalancer")),
			refused: patch.RefusedProcessSuspended,
		},
		{
			name: "HealthCheck suspended", state: four(suspended("AZRebalance", "HealthCheck")),
			refused: patch.RefusedProcessSuspended,
		},
		{
			name: "others suspended",
			state: four(
				suspended("AZRebalance", "ScheduledActions", "AlarmNotification", "InstanceRefresh", "ReplaceUnhealthy"),
			),
			want: decrement,
		},
		{
			name: "a member in a state nobody knows", state: four(lifecycle(2, "Levitating")),
			refused: patch.RefusedUnknownState,
		},
		{name: "a member waiting on a hook", state: four(lifecycle(2, "Pending:Wait")), want: decrement},
		{name: "a warmed member", state: four(lifecycle(2, "Warmed:Stopped")), want: decrement},
	} {
		t.Run(c.name, func(t *testing.T) {
			group := c.group
			if group.Region == "" {
				group = webGroup
			}
			got, refusal := patch.PlanCapacity(group, c.state, patch.Stage{
				Capacity: c.capacity, MaxUnavailable: c.most,
			})
			if c.refused != "" {
				requireRefusal(t, refusal, c.refused, group.String())
				return
			}
			require.Nil(t, refusal)
			require.Equal(t, c.want, got)
		})
	}
}

func suspended(processes ...string) func(*patch.GroupState) {
	return func(s *patch.GroupState) { s.Suspended = processes }
}

func lifecycle(i int, state string) func(*patch.GroupState) {
	return func(s *patch.GroupState) { s.Members[i].Lifecycle = state }
}

func member(i int, change func(*patch.Member)) func(*patch.GroupState) {
	return func(s *patch.GroupState) { change(&s.Members[i]) }
}

// requireRefusal: a refusal names what, where and what to do.
func requireRefusal(t *testing.T, refusal *patch.Refusal, code patch.RefusalCode, where string) {
	t.Helper()
	require.NotNil(t, refusal)
	require.Equal(t, code, refusal.Code, refusal.Error())
	require.Contains(t, refusal.Where, where)
	require.NotEmpty(t, refusal.What)
	require.NotEmpty(t, refusal.WhatToDo)
}
