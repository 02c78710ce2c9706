package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// viewOf is a view of an instance of the group; "" is of the group itself.
func viewOf(state patch.GroupState, instance string) patch.View {
	one := patch.Policy{MaxUnavailable: patch.Instances(1)}
	return patch.View{Group: webGroup, Policy: one, State: &state, Instance: instance}
}

func codesOf(refusals []*patch.Refusal) []patch.RefusalCode {
	codes := []patch.RefusalCode{}
	for _, refusal := range refusals {
		codes = append(codes, refusal.Code)
	}
	return codes
}

// What a level leaves out it leaves out for a reason that somebody wrote down, and no check is left out everywhere.
func TestTheTableIsComplete(t *testing.T) {
	for _, check := range patch.Checks() {
		require.NotEmpty(t, check.Levels(), check.When)
		require.NotEmpty(t, check.When, check.Code)
		require.NotEmpty(t, check.WhatToDo, check.When)
		require.NotNil(t, check.Refuses, check.When)
		require.Len(t, append(check.Levels(), keys(check.LeftOut)...), len(patch.Levels()), check.When)
		for level := range check.LeftOut {
			require.Contains(t, patch.Levels(), level, check.When)
		}
	}
}

func keys(of map[patch.Level]string) []patch.Level {
	var all []patch.Level
	for level := range of {
		all = append(all, level)
	}
	return all
}

// What has not been read refuses nothing and breaks nothing.
func TestNothingIsAskedOfWhatWasNotRead(t *testing.T) {
	for _, level := range patch.Levels() {
		require.Empty(t, patch.Refusals(level, patch.View{}), level)
		require.Empty(t, patch.Refusals(level, patch.View{Group: webGroup, Instance: "i-01"}), level)
	}
}

func TestPutBackHearsEveryRefusal(t *testing.T) {
	for _, c := range []struct {
		name     string
		state    patch.GroupState
		instance []patch.RefusalCode // before it is patched
		putBack  []patch.RefusalCode
	}{
		{"all is well", four(), nil, nil},
		{"its agent is silent", four(member(0, silent)), []patch.RefusalCode{patch.RefusedAgentOffline}, nil},
		{
			"it is ill: it takes nothing away", four(member(0, illTarget)),
			[]patch.RefusalCode{patch.RefusedUnhealthyBefore},
			nil,
		},
		{
			"its agent is silent, and another is out already", four(member(0, silent), member(1, illTarget)),
			[]patch.RefusalCode{patch.RefusedAgentOffline, patch.RefusedCapacity, patch.RefusedCapacity},
			[]patch.RefusalCode{patch.RefusedCapacity, patch.RefusedCapacity},
		},
		{
			"EC2 finds it illTarget, and another is out already: it is a healthy target still",
			four(member(0, func(m *patch.Member) { m.StatusOK = false }), lifecycle(1, patch.LifecycleStandby)),
			[]patch.RefusalCode{patch.RefusedUnhealthyBefore, patch.RefusedCapacity},
			[]patch.RefusalCode{patch.RefusedCapacity},
		},
		{
			"Auto Scaling finds it illTarget, but it is a healthy target, and another is missing there",
			four(member(0, func(m *patch.Member) { m.Health = "Unhealthy" }),
				member(1, func(m *patch.Member) { m.Targets = nil })),
			[]patch.RefusalCode{patch.RefusedUnhealthyBefore, patch.RefusedCapacity},
			[]patch.RefusalCode{patch.RefusedCapacity},
		},
		{
			"both are ill: the second takes nothing away either", four(member(0, illTarget), member(1, illTarget)),
			[]patch.RefusalCode{patch.RefusedUnhealthyBefore},
			nil,
		},
		{
			"it is illTarget, and desired is min: none may go on standby", four(sizes(4, 4, 6), member(0, illTarget)),
			[]patch.RefusalCode{patch.RefusedUnhealthyBefore, patch.RefusedCapacity},
			[]patch.RefusalCode{patch.RefusedCapacity},
		},
		{
			"somebody's refresh runs", four(member(0, illTarget), func(s *patch.GroupState) { s.RefreshRunning = true }),
			[]patch.RefusalCode{patch.RefusedRefreshRunning, patch.RefusedUnhealthyBefore},
			[]patch.RefusalCode{patch.RefusedRefreshRunning},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.ElementsMatch(t, c.instance, codesOf(patch.Refusals(patch.LevelInstance, viewOf(c.state, "i-01"))))
			require.ElementsMatch(t, c.putBack, codesOf(patch.Refusals(patch.LevelPutBack, viewOf(c.state, "i-01"))))
		})
	}
}

// What others do keeps an instance from being put back only where it would be in their way.
func TestPutBackAmongOthers(t *testing.T) {
	view := viewOf(four(), "i-01")
	view.Policy.Window = &patch.Window{Opens: noon, Cutoff: noon, Closes: noon}
	view.Policy.Restore, view.Frozen, view.Now = patch.RestoreRootVolume, "nobody knows whether it is frozen", noon
	view.Around = &patch.Interference{
		At: noon, Until: noon.Add(time.Hour), Calendars: []patch.Calendar{{Name: "release"}},
		StopAlarms: []patch.StopAlarm{{Name: "cpu", Action: "stop", Instance: "i-01"}},
		Patchers:   []patch.Patcher{{Name: "nightly", Instance: "i-01"}}, Deployments: []patch.Deployment{{ID: "d-1"}},
		GateAlarms: []patch.AlarmObservation{{Name: "5xx", State: "ALARM", Needs: minute}},
	}
	require.Empty(t, patch.Refusals(patch.LevelPutBack, view))
	require.Equal(t, []patch.RefusalCode{
		patch.RefusedOutsideWindow, patch.RefusedFrozen, patch.RefusedCalendar, patch.RefusedDeployment,
		patch.RefusedStopAlarm, patch.RefusedOtherPatcher, patch.RefusedAlarm,
	}, codesOf(patch.Refusals(patch.LevelInstance, view)))
	view.Around.Stacks = []string{"web (UPDATE_IN_PROGRESS)"}
	view.Around.Deployments = []patch.Deployment{{ID: "d-2", Instance: "i-01"}, {ID: "d-3", Instance: "i-02"}}
	view.Around.LockedRoots = []patch.LockedRoot{{Instance: "i-01", Why: "the key is Disabled"}}
	require.Equal(t, []patch.RefusalCode{patch.RefusedStack, patch.RefusedDeployment, patch.RefusedNoRestore},
		codesOf(patch.Refusals(patch.LevelPutBack, view)))
}

// Before a group is put back it is asked what it was asked before it was patched, of itself only.
func TestAGroupIsPutBack(t *testing.T) {
	require.Empty(t, patch.Refusals(patch.LevelPutBack, viewOf(four(member(0, illTarget), member(1, illTarget)), "")))
	view := viewOf(four(sizes(4, 4, 6), suspended("Launch")), "")
	view.Policy.Capacity = patch.CapacityDecrement
	require.Equal(t, []patch.RefusalCode{patch.RefusedProcessSuspended, patch.RefusedCapacity},
		codesOf(patch.Refusals(patch.LevelPutBack, view)))
}

func TestWhatIsAskedOfAPlan(t *testing.T) {
	window := &patch.Window{Opens: noon, Cutoff: noon.Add(time.Hour), Closes: noon.Add(time.Hour)}
	plan := patch.Plan{Name: "nightly", Window: window, Timing: patch.DefaultTiming()}
	policy := patch.PolicyOf(plan, patch.Stage{Name: "canary", Bake: 50 * minute})
	view := patch.View{Policy: patch.Policy{Plan: "nightly", Window: window}, Now: noon, Groups: patch.MostGroups}
	require.Empty(t, patch.Refusals(patch.LevelWave, view))
	view.Groups++
	requireRefusal(t, patch.First(patch.LevelWave, view), patch.RefusedTooMany, "nightly")
	require.Empty(t, patch.Refusals(patch.LevelGroup, view))
	view.Groups, view.Again = patch.MostGroups*2/3, patch.MostGroups*2/3
	require.Empty(t, patch.Refusals(patch.LevelWave, view))
	view.Again += 4
	refusal := patch.First(patch.LevelWave, view)
	requireRefusal(t, refusal, patch.RefusedTooMany, "nightly")
	require.Contains(t, refusal.What, "whose canaries, steps and soaks count as 335 more")
	view.Again = 0
	view.Groups, view.Frozen = 1, "everything is frozen"
	requireRefusal(t, patch.First(patch.LevelWave, view), patch.RefusedFrozen, "nightly")
	view.Now, view.Frozen = noon.Add(-time.Second), ""
	requireRefusal(t, patch.First(patch.LevelWave, view), patch.RefusedOutsideWindow, "nightly")
	view.Now, view.Policy.Blackouts = noon, patch.Blackouts{{From: noon, Until: noon.Add(time.Hour), Reason: "stocktaking"}}
	refusal = patch.First(patch.LevelWave, view)
	requireRefusal(t, refusal, patch.RefusedBlackout, "nightly")
	require.Contains(t, refusal.What, "(stocktaking)")
	require.Contains(t, refusal.WhatToDo, "once it is over, at "+noon.Add(time.Hour).Format(time.RFC3339))
	require.Equal(t, patch.RefusedBlackout, patch.TooLate(patch.LevelInstance, view).Code)
	require.Empty(t, patch.Refusals(patch.LevelPutBack, view), "putting back is allowed at any time")
	view.Now = noon.Add(time.Hour)
	require.NotContains(t, codesOf(patch.Refusals(patch.LevelWave, view)), patch.RefusedBlackout, "it is over")

	late := patch.View{Group: webGroup, Policy: policy, Now: noon}
	require.Nil(t, patch.First(patch.LevelInstance, late), "its draining counts, and nobody has read its group yet")
	state := four()
	for _, level := range []patch.Level{patch.LevelWave, patch.LevelGroup, patch.LevelInstance} {
		if level == patch.LevelInstance {
			late.State = &state
		}
		refusal := patch.First(level, late)
		requireRefusal(t, refusal, patch.RefusedWindowEnds, webGroup.String())
		require.Equal(t, level == patch.LevelWave, refusal.WhatToDo == "start the wave earlier in the window, or widen it")
		require.True(t, refusal.Code.Ends())
	}
	require.False(t, patch.RefusedCapacity.Ends())
}

func TestAMachineThatDoesNotAnswer(t *testing.T) {
	view := viewOf(four(), "i-01")
	view.Machine = &patch.MachineAnswer{Within: 15 * minute}
	refusal := patch.First(patch.LevelInstance, view)
	requireRefusal(t, refusal, patch.RefusedAgentOffline, "/i-01")
	require.Contains(t, refusal.What, "within 15m0s")
	require.Nil(t, patch.First(patch.LevelPutBack, view))
}

func TestWhoIsOut(t *testing.T) {
	ours := patch.Holdings{Out: []string{"i-02", "i-03", "i-77"}}
	state := four(lifecycle(1, patch.LifecycleStandby), member(3, illTarget))
	require.Equal(t, patch.OutOfService{Serving: []string{"i-01", "i-03"}, Ours: []string{"i-02"}, Ill: []string{"i-04"}},
		patch.Out(webGroup, state, ours), "who was returned serves, and who left for good is no one's")
	require.Equal(t, 5, patch.Out(webGroup, state, ours).Wanted(state, ours))
	ours.Surge = 1
	require.Equal(t, 4, patch.Out(webGroup, state, ours).Wanted(state, ours))

	state = four(untracked, member(1, func(m *patch.Member) { m.Targets = nil }), member(3, illTarget))
	require.Equal(
		t,
		patch.OutOfService{
			Serving: []string{"i-01", "i-03"},
			Ours:    []string{"i-02"},
			Ill:     []string{"i-04"},
			Gone:    []string{"i-77"},
		},
		patch.Out(tagsGroup, state, ours),
		"in the place of one that is gone nothing is launched",
	)
}

// Desired went down with one that somebody else put on standby: the group still has one less than it had.
func TestWhoSomebodyElsePutOnStandbyIsOut(t *testing.T) {
	away := func(from int) func(*patch.GroupState) {
		return member(0, func(m *patch.Member) { m.Lifecycle, m.StandbyFrom = patch.LifecycleStandby, from })
	}
	for _, c := range []struct {
		name  string
		state patch.GroupState
		holds patch.Holdings
		out   bool
		mode  patch.CapacityMode
	}{
		{"with decrement", four(sizes(2, 3, 6), away(4)), patch.Holdings{}, true, patch.CapacitySurge},
		{"replaced", four(sizes(2, 4, 6), away(0)), patch.Holdings{}, false, patch.CapacityDecrement},
		{"nobody knows", four(sizes(2, 3, 6), away(patch.StandbyFromUnknown)), patch.Holdings{}, true, patch.CapacitySurge},
		{"scaled out since", four(sizes(2, 5, 6), away(4)), patch.Holdings{}, false, patch.CapacityDecrement},
		{"ours", four(sizes(2, 3, 6), away(4)), patch.Holdings{Out: []string{"i-01"}}, false, ""},
		{"while ours was out, which is back", four(sizes(2, 3, 6), away(3)), patch.Holdings{}, true, patch.CapacitySurge},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.out, len(patch.Out(webGroup, c.state, c.holds).Missed) > 0)
			view := viewOf(c.state, "i-02")
			view.Holdings = c.holds
			if refusal := patch.First(patch.LevelInstance, view); c.out {
				requireRefusal(t, refusal, patch.RefusedCapacity, "/i-02")
				require.Contains(t, refusal.What, "i-01")
			}
			if c.mode != "" {
				strategy, refusal := patch.PlanCapacity(webGroup, c.state, patch.Stage{MaxUnavailable: patch.Instances(1)})
				require.Nil(t, refusal)
				require.Equal(t, c.mode, strategy.Mode, "one more is launched first where one is missed")
			}
		})
	}
}
