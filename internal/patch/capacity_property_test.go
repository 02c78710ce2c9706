package patch_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/patch"
)

// drawState draws a group whose members may be in any state, with numbers that AWS would allow.
func drawState(t *rapid.T) patch.GroupState {
	state := patch.GroupState{FreeTags: true, Min: rapid.IntRange(0, 4).Draw(t, "min")}
	state.Desired = state.Min + rapid.IntRange(0, 4).Draw(t, "desired over min")
	state.Max = state.Desired + rapid.IntRange(0, 3).Draw(t, "max over desired")
	cross := rapid.Bool().Draw(t, "cross-zone")
	for _, name := range []string{"web", "api"} {
		state.TargetGroups = append(state.TargetGroups, patch.TargetGroup{ARN: name, Name: name, CrossZone: cross})
	}
	state.Suspended = rapid.SliceOfN(rapid.SampledFrom([]string{"Launch", "AZRebalance", "HealthCheck"}), 0, 1).Draw(
		t,
		"suspended",
	)
	for i := range rapid.IntRange(0, 8).Draw(t, "members") {
		state.Members = append(state.Members, drawMember(t, fmt.Sprintf("i-%02d", i)))
	}
	return state
}

// drawCalm draws a group that has nothing wrong and room for one more to go out. Half the draws begin here, so that a
// short run lets some go out, too.
func drawCalm(t *rapid.T) patch.GroupState {
	state := patch.GroupState{FreeTags: true, Min: rapid.IntRange(0, 4).Draw(t, "min")}
	state.Desired = state.Min + rapid.IntRange(1, 4).Draw(t, "desired over min")
	state.Max = state.Desired
	state.TargetGroups = []patch.TargetGroup{{ARN: "web", Name: "web", CrossZone: true}}
	for i := range state.Desired {
		id := fmt.Sprintf("i-%02d", i)
		state.Members = append(state.Members, patch.Member{
			ID: id, Zone: "a", FreeTags: true, StatusOK: true, Health: "Healthy", State: "running",
			Lifecycle: "InService", AgentOnline: true,
			Targets: []patch.Target{{TargetGroupARN: "web", ID: id, Port: 80, Health: patch.TargetHealthy}},
		})
	}
	return state
}

func drawMember(t *rapid.T, id string) patch.Member {
	m := patch.Member{
		ID:       id,
		Zone:     rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "zone"),
		FreeTags: true,
		StatusOK: true,
		Health:   "Healthy",
		State: rapid.SampledFrom([]string{"running", "running", "running", "running", "stopped", "terminated", ""}).Draw(
			t,
			"state",
		),
		Lifecycle: rapid.SampledFrom(
			[]string{"InService", "InService", "InService", "InService", "Standby", "EnteringStandby", "Pending", "Terminating"},
		).Draw(t, "lifecycle"),
		AgentOnline: rapid.SampledFrom([]bool{true, true, true, false}).Draw(t, "agent"),
	}
	for _, name := range rapid.SampledFrom([][]string{{"web"}, {"web", "api"}, {}}).Draw(t, "targets") {
		health := rapid.SampledFrom(
			[]patch.TargetHealth{
				patch.TargetHealthy,
				patch.TargetHealthy,
				patch.TargetHealthy,
				patch.TargetUnhealthy,
				patch.TargetUnused,
				patch.TargetDraining,
			},
		).Draw(t, "health")
		m.Targets = append(m.Targets, patch.Target{TargetGroupARN: name, ID: id, Port: 80, Health: health})
	}
	return m
}

func drawGroup(t *rapid.T) patch.Group {
	if rapid.Bool().Draw(t, "auto scaling") {
		return webGroup
	}
	return tagsGroup
}

// Whatever a group looks like: where one more may go out, what is left keeps every promise about capacity.
func TestPropertyWhatMayGoOutLeavesEnough(t *testing.T) {
	allowed := 0
	rapid.Check(t, func(t *rapid.T) {
		group, state := drawGroup(t), drawCalm(t)
		if rapid.Bool().Draw(t, "in trouble") {
			state = drawState(t)
		}
		stage := patch.Stage{MaxUnavailable: drawShare(t)}
		ours := patch.Holdings{Surge: rapid.IntRange(0, 3).Draw(t, "surge")}
		for _, m := range state.Members {
			if rapid.SampledFrom([]bool{false, false, true}).Draw(t, "ours") {
				ours.Out = append(ours.Out, m.ID)
			}
		}
		if len(state.Members) == 0 {
			return
		}
		chosen := rapid.SampledFrom(state.Members).Draw(t, "chosen")
		policy := patch.PolicyOf(patch.Plan{}, stage)
		view := patch.View{Group: group, Policy: policy, State: &state, Holdings: ours, Instance: chosen.ID}
		if refusal := patch.First(patch.LevelInstance, view); refusal != nil {
			require.NotEmpty(t, refusal.What)
			require.NotEmpty(t, refusal.WhatToDo)
			require.Contains(t, refusal.Where, group.String())
			return
		}
		allowed++
		require.True(
			t,
			chosen.Present() && chosen.AgentOnline && chosen.Serving(group.IsAutoScaling()),
			"%+v may go out",
			chosen,
		)
		left, standby := 0, 0
		for _, m := range state.Members {
			if m.ID == chosen.ID {
				continue
			}
			outOfTags := !group.IsAutoScaling() && slices.Contains(ours.Out, m.ID) && len(m.Targets) == 0
			if m.Serving(group.IsAutoScaling()) && !outOfTags {
				left++
			}
			if slices.Contains(ours.Out, m.ID) &&
				(m.Lifecycle == patch.LifecycleStandby || m.Lifecycle == patch.LifecycleEnteringStandby) {
				standby++
			}
		}
		if !group.IsAutoScaling() {
			require.GreaterOrEqual(t, left, len(state.Members)-stage.MaxUnavailable.AtLeastOne(len(state.Members)))
			return
		}
		require.GreaterOrEqual(t, left, state.Min, "fewer than min would serve")
		require.GreaterOrEqual(t, state.Desired-1, state.Min, "standby would take desired below min")
		wanted := state.Desired + standby - ours.Surge
		require.GreaterOrEqual(t, left, wanted-stage.MaxUnavailable.AtLeastOne(wanted))
		require.NotContains(t, state.Suspended, "Launch")
		require.NotContains(t, state.Suspended, "HealthCheck")
		requireZoneServed(t, state, chosen)
	})
	require.Positive(t, allowed, "nothing was ever allowed, so nothing was looked at")
}

func drawShare(t *rapid.T) patch.Share {
	if rapid.Bool().Draw(t, "percent") {
		return patch.Percent(rapid.IntRange(1, 100).Draw(t, "max unavailable"))
	}
	return patch.Instances(rapid.IntRange(1, 3).Draw(t, "max unavailable"))
}

// requireZoneServed: with cross-zone balancing off, a zone that had a healthy target still has one.
func requireZoneServed(t require.TestingT, state patch.GroupState, chosen patch.Member) {
	if state.TargetGroups[0].CrossZone {
		return
	}
	for _, target := range chosen.Targets {
		if target.Health != patch.TargetHealthy {
			continue
		}
		served := slices.ContainsFunc(state.Members, func(m patch.Member) bool {
			return m.ID != chosen.ID && m.Zone == chosen.Zone && slices.ContainsFunc(m.Targets, func(other patch.Target) bool {
				return other.TargetGroupARN == target.TargetGroupARN && other.Health == patch.TargetHealthy
			})
		})
		require.True(t, served, "zone %s would have no healthy target in %s", chosen.Zone, target.TargetGroupARN)
	}
}

// However a group's numbers stand: the strategy never takes desired below min, and surge raises max only where it must.
func TestPropertyStrategyFitsTheNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := drawState(t)
		stage := patch.Stage{
			MaxUnavailable: drawShare(t),
			Capacity: rapid.SampledFrom(
				[]patch.CapacityMode{"", patch.CapacityAuto, patch.CapacityDecrement, patch.CapacitySurge},
			).Draw(t, "capacity"),
		}
		strategy, refusal := patch.PlanCapacity(webGroup, state, stage)
		if refusal != nil {
			require.Equal(t, patch.Strategy{}, strategy)
			return
		}
		switch strategy.Mode {
		case patch.CapacityDecrement:
			require.GreaterOrEqual(t, state.Desired-strategy.AtOnce, state.Min)
			require.Positive(t, strategy.AtOnce)
			require.LessOrEqual(t, strategy.AtOnce, stage.MaxUnavailable.AtLeastOne(len(state.Members)+state.Desired))
			require.Zero(t, strategy.RaiseMax)
			require.NotEqual(t, patch.CapacitySurge, stage.Capacity)
		case patch.CapacitySurge:
			require.NotEqual(t, patch.CapacityDecrement, stage.Capacity)
			require.Equal(t, max(state.Desired+strategy.AtOnce-state.Max, 0), strategy.RaiseMax)
			require.Positive(t, strategy.AtOnce)
			require.LessOrEqual(t, strategy.AtOnce, stage.MaxUnavailable.AtLeastOne(len(state.Members)+state.Desired))
			fewer := strategy.For(1, state)
			require.Equal(t, 1, fewer.AtOnce)
			require.Equal(t, max(state.Desired+1-state.Max, 0), fewer.RaiseMax)
		default:
			require.Fail(t, "a group without a strategy")
		}
	})
}

// A window lets an instance begin at a time exactly when that time is in it, and says why not.
func TestPropertyWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opens := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(
			time.Duration(rapid.IntRange(0, 1000).Draw(t, "opens")) * time.Minute,
		)
		window := &patch.Window{
			Opens:  opens,
			Cutoff: opens.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "open for")) * time.Minute),
		}
		at := opens.Add(time.Duration(rapid.IntRange(-400, 700).Draw(t, "at")) * time.Minute)
		open, why := window.Open(at)
		require.Equal(t, !at.Before(window.Opens) && at.Before(window.Cutoff), open)
		require.Equal(t, open, why == "")
		none, _ := (*patch.Window)(nil).Open(at)
		require.True(t, none)
	})
}

var everyOutcome = []patch.Outcome{
	patch.Patched,
	patch.AlreadyCompliant,
	patch.RolledBack,
	patch.Skipped,
	patch.Quarantined,
	patch.Gone,
	patch.Failed,
	patch.NotStarted,
}

// A group's outcome does not depend on the order of its instances, is success only where every instance ended well, and
// is never better for one more failure.
func TestPropertyOutcome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var instances []patch.InstanceResult
		for _, outcome := range rapid.SliceOfN(rapid.SampledFrom(everyOutcome), 1, 8).Draw(t, "outcomes") {
			instances = append(instances, patch.InstanceResult{Outcome: outcome})
		}
		outcome := patch.GroupOutcome(instances)
		require.Equal(t, outcome, patch.GroupOutcome(rapid.Permutation(instances).Draw(t, "in another order")))
		well := !slices.ContainsFunc(instances, func(r patch.InstanceResult) bool {
			return r.Outcome != patch.Patched && r.Outcome != patch.AlreadyCompliant && r.Outcome != patch.Gone
		})
		require.Equal(t, well, outcome == patch.Succeeded)
		require.Equal(
			t,
			patch.Failed,
			patch.GroupOutcome(append(instances, patch.InstanceResult{Outcome: patch.Quarantined})),
		)
	})
}

// A stage's or wave's outcome does not depend on the order of its parts, and success needs every part that was reached.
func TestPropertyCombinedOutcome(t *testing.T) {
	every := []patch.Outcome{
		patch.Succeeded,
		patch.SucceededWithSkips,
		patch.RolledBack,
		patch.Failed,
		patch.Aborted,
		patch.NotStarted,
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom(every), 0, 6).Draw(t, "parts")
		outcome := patch.CombinedOutcome(parts)
		require.Equal(t, outcome, patch.CombinedOutcome(rapid.Permutation(parts).Draw(t, "in another order")))
		if outcome == patch.Succeeded {
			for _, part := range parts {
				require.Contains(t, []patch.Outcome{patch.Succeeded, patch.NotStarted}, part)
			}
		}
		if slices.Contains(parts, patch.Failed) {
			require.Equal(t, patch.Failed, outcome)
		}
	})
}

// Whatever a group looks like: one that is put back hears all that one that is patched hears, but for the two that may
// be why it is put back. Where it may go, it took nothing away, or enough is left.
func TestPropertyPutBackTakesNoMoreThanPatching(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		group, state := drawGroup(t), drawState(t)
		if len(state.Members) == 0 {
			return
		}
		most := drawShare(t)
		chosen := rapid.SampledFrom(state.Members).Draw(t, "chosen")
		view := patch.View{Group: group, Policy: patch.Policy{MaxUnavailable: most}, State: &state, Instance: chosen.ID}
		mayIgnore := func(r *patch.Refusal) bool {
			return r.Code == patch.RefusedAgentOffline || r.Code == patch.RefusedUnhealthyBefore
		}
		refusals := patch.Refusals(patch.LevelPutBack, view)
		require.ElementsMatch(t, slices.DeleteFunc(patch.Refusals(patch.LevelInstance, view), mayIgnore), refusals)
		serving := patch.Out(group, state, patch.Holdings{}).Serving
		if len(refusals) > 0 || !slices.Contains(serving, chosen.ID) {
			return
		}
		left := len(serving) - 1
		wanted := len(state.Members)
		if group.IsAutoScaling() {
			wanted = state.Desired
			require.GreaterOrEqual(t, left, state.Min)
		}
		require.GreaterOrEqual(t, left, wanted-most.AtLeastOne(wanted))
	})
}
