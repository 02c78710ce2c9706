package instance_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// denies refuses an operation in an account for good, from its nth call on.
func denies(scene *wavetest.Scene, account, operation string, from int) {
	seen := 0
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Account != account || call.Operation != operation {
			return awssim.Fault{}
		}
		if seen++; seen < from {
			return awssim.Fault{}
		}
		return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Message: "the role lost it", Status: 403}
	})
}

func TestWhatAWaveStrandsKeepsItsMarkAndReconcileHealsIt(t *testing.T) {
	four := [3]int{2, 4, 6}
	full := [3]int{4, 4, 4}
	for _, c := range []struct {
		left      string // what the operator gave up on
		sized     [3]int
		account   string
		operation string
		from      int
		group     bool // an Auto Scaling group keeps its mark, too
		instance  bool
	}{
		{"standby", four, wavetest.Production, "ExitStandby", 1, true, true},
		{"suspended processes", four, wavetest.Production, "ResumeProcesses", 1, true, true},
		{"a surge instance", full, wavetest.Production, "TerminateInstanceInAutoScalingGroup", 1, true, false},
		{"raised max", full, wavetest.Production, "UpdateAutoScalingGroup", 2, true, false},
		{"deregistered targets", four, wavetest.Staging, "RegisterTargets", 1, false, true},
		{"the marks themselves", four, wavetest.Production, "DeleteTags", 1, true, true},
	} {
		t.Run(c.left, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.Sized(c.sized[0], c.sized[1], c.sized[2]),
			})
			denies(scene, c.account, c.operation, c.from)
			scene.Impatient = true
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.NotEmpty(t, result.Stranded)
			scene.Sim.SetInterceptor(nil)

			marked := scene.Marks()
			require.Equal(t, c.group, marked["web"] != "", "%v", marked)
			instances := slices.DeleteFunc(slices.Collect(maps.Keys(marked)), func(id string) bool {
				return !strings.HasPrefix(id, "i-")
			})
			require.Equal(t, c.instance, len(instances) > 0, "%v", marked)

			healed := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, healed.Failed, "%+v", result.Stranded)
			require.Empty(t, healed.Untrusted)
			require.Len(t, healed.Healed, len(marked))
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}

// Somebody scales the group to its max while an instance is out: max has to be raised for it to come back, and stays so
// until desired allows it. The second saga of the instance writes its record anew and must not forget what the first
// one raised.
func TestARetryRemembersTheMaxThatTheFirstTryRaised(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.FailsOnce(nil)})
	scene.Decide = []patch.Verb{patch.Retry}
	scene.WhenAtStep(patch.StepInstall, func(string) {
		scene.Production(func(g *world.ScalingGroup) { require.NoError(t, g.SetDesired(6)) })
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.NotZero(t, wavetest.CountInProduction(result, patch.Patched), "%v", wavetest.ProductionOutcomes(result))
	victim := result.Stages[1].Groups[0].Instances[0]
	require.Equal(t, patch.Patched, victim.Outcome)
	require.Len(t, victim.Stranded, 1, "%+v", victim)
	require.Contains(t, victim.Stranded[0].State, "max was raised from 6 to 7")
	marked := scene.Marks()
	require.Len(t, marked, 2, "%v", marked)
	require.NotEmpty(t, marked[victim.ID])

	left := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Failed
	require.NotEmpty(t, left, "desired stands at the raised max")
	require.Contains(t, left[0].State, "its max is still raised")
	scene.Production(func(g *world.ScalingGroup) { require.NoError(t, g.SetDesired(4)) })
	require.Empty(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Failed)
	require.Empty(t, scene.Marks())
	scene.Production(func(g *world.ScalingGroup) { require.Equal(t, 6, g.Max) })
}

// One that is in service and cannot be taken out to be put back is left as it is, and told: its root volume is not
// replaced under its traffic.
func TestWhatCannotBeTakenOutAgainIsNotRestored(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch", Config: wavetest.PlanWith()})
	scene.Decide, scene.Impatient = []patch.Verb{patch.Abort}, true
	denies(scene, wavetest.Production, "EnterStandby", 2)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	first := result.Stages[1].Groups[0].Instances[0]
	require.Equal(t, patch.Failed, first.Outcome, first.Reason)
	require.True(t, first.StillPatched)
	require.Contains(t, first.Stranded[0].WhatToDo, "could not be taken out")
	for _, event := range scene.Effects("CreateReplaceRootVolumeTask") {
		require.NotEqual(t, wavetest.Production, event.Account)
	}
	scene.Production(func(group *world.ScalingGroup) {
		require.Equal(t, world.LifecycleInService, group.Member(first.ID).State)
	})
	require.NotEmpty(t, scene.Marks())
}

// One that nothing can be done about any more, on the root volume of its image: what it is stranded with is told, and
// that it must not serve as it is.
func TestWhatIsStrandedOnAnImageIsToldToBeUnfit(t *testing.T) {
	scene := byImage(t, wavetest.WithFaults(nil, world.WorldFault{
		Kind: world.FaultAgentSilent, Account: "production", Group: "web", Times: 1,
	}))
	replaced := 0
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		switch call.Operation {
		case "CreateReplaceRootVolumeTask":
			replaced++
		case "DetachInstances", "ExitStandby":
		default:
			return awssim.Fault{}
		}
		if replaced < 2 {
			return awssim.Fault{}
		}
		return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Message: "the role lost it", Status: 403}
	})
	scene.Decide, scene.Impatient = []patch.Verb{patch.Abort}, true
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	first := result.Stages[1].Groups[0].Instances[0]
	require.Equal(t, patch.Failed, first.Outcome)
	require.Contains(t, first.Reason, "unfit to serve: restore not proven: replace the root volume")
	require.Len(t, first.Stranded, 2)
	for _, left := range first.Stranded {
		require.Regexp(t, `^undo of .* failed: Detach was given up \(attempt \d+\): .*the role lost it`, left.State)
	}
	require.Contains(t, first.Stranded[0].WhatToDo, "it must not serve as it is")

	scene.Sim.SetInterceptor(nil)
	healed := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Empty(t, healed.Failed)
	scene.RequireInvariants(nil, wavetest.Except{Newcomers: 1, Out: []string{first.ID}})
}
