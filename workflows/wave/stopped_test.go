package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// withStopped is a scene in which staging alone is patched, starts whoever is stopped, and its first machine is.
func withStopped(t *testing.T, many int, faults ...world.WorldFault) (scene *wavetest.Scene, id string) {
	scene = wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.StagingOnly(wavetest.StartsStopped), Fleet: wavetest.Untargeted(many, faults...),
	})
	staged(scene, func(instances []*world.Instance) {
		id = instances[0].ID
		require.NoError(t, instances[0].Stop())
	})
	return scene, id
}

// machine looks at a machine of staging's.
func machine(scene *wavetest.Scene, id string, look func(*world.Instance)) {
	staged(scene, func(instances []*world.Instance) {
		for _, instance := range instances {
			if instance.ID == id {
				look(instance)
			}
		}
	})
}

// stateOf is EC2's state of a machine of staging's, and how many patches it lacks but for the one that is too young.
func stateOf(scene *wavetest.Scene, id string) (state string, behind int) {
	machine(scene, id, func(i *world.Instance) { state, behind = string(i.State), i.BehindBy()-1 })
	return state, behind
}

// of is what became of a machine of staging's.
func of(t *testing.T, result *patch.WaveResult, id string) patch.InstanceResult {
	for _, instance := range result.Stages[0].Groups[0].Instances {
		if instance.ID == id {
			return instance
		}
	}
	require.Fail(t, "nobody told of it", "%s: %+v", id, result.Stages[0])
	return patch.InstanceResult{}
}

// played is a wave an hour after its machine was stopped.
func played(scene *wavetest.Scene) (result *patch.WaveResult) {
	scene.Play(func(story wavetest.Story) {
		story.Later(time.Hour)
		result = story.Wave("first")
	})
	return result
}

// Whoever is stopped gets its patches with the others, serves nobody meanwhile, and takes nobody's room.
func TestWhoIsStoppedIsStartedPatchedAndStoppedAgain(t *testing.T) {
	for _, many := range []int{1, 3} {
		scene, id := withStopped(t, many)
		result := played(scene)
		require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
		group := result.Stages[0].Groups[0]
		require.Len(t, group.Instances, many)
		require.Empty(t, group.Gaps)
		for i, is := range group.Instances {
			require.Equal(t, patch.Patched, is.Outcome, "%+v", is)
			require.Equal(t, is.ID == id, is.WasStopped)
			require.Equal(t, is.ID == id, i == many-1, "it comes last")
		}
		state, behind := stateOf(scene, id)
		require.Equal(t, "stopped", state)
		require.Zero(t, behind)
		require.Len(t, scene.Effects("StartInstances"), 1)
		require.Len(t, scene.Effects("StopInstances"), 1)
		require.Empty(t, scene.Marks())
	}
}

// Whatever goes wrong, it ends stopped: on the new version, proven, or on the old one.
func TestWhoWasStoppedEndsStopped(t *testing.T) {
	fault := func(operation string, nth int, fault awssim.Fault) func(*wavetest.Scene, string) {
		return func(scene *wavetest.Scene, _ string) {
			seen := 0
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Account != wavetest.Staging || call.Operation != operation {
					return awssim.Fault{}
				}
				if seen++; seen != nth {
					return awssim.Fault{}
				}
				return fault
			})
		}
	}
	for _, c := range []struct {
		name    string
		faults  []world.WorldFault
		do      func(*wavetest.Scene, string)
		outcome patch.Outcome
	}{
		{
			"the reply to its start is lost", nil, fault("StartInstances", 1, awssim.Fault{Kind: awssim.FaultLostReply}),
			patch.Patched,
		},
		{
			"the reply to its stop is lost", nil, fault("StopInstances", 1, awssim.Fault{Kind: awssim.FaultLostReply}),
			patch.Patched,
		},
		{"its start is throttled", nil, fault("StartInstances", 1, awssim.Fault{Kind: awssim.FaultThrottle}), patch.Patched},
		{
			"there is no capacity for a while",
			[]world.WorldFault{{Kind: world.FaultNoCapacity, Account: "staging", Times: 5}},
			nil, patch.Patched,
		},
		{
			"there is no capacity",
			[]world.WorldFault{{Kind: world.FaultNoCapacity, Account: "staging", Times: -1}},
			nil,
			patch.Skipped,
		},
		{
			"its install fails",
			[]world.WorldFault{{Kind: world.FaultInstallFails, Account: "staging"}},
			nil,
			patch.RolledBack,
		},
		{
			"its agent stays silent",
			[]world.WorldFault{{Kind: world.FaultAgentSilent, Account: "staging"}},
			nil,
			patch.RolledBack,
		},
		{"its restore fails, too", []world.WorldFault{
			{Kind: world.FaultInstallFails, Account: "staging"}, {Kind: world.FaultRootReplaceFails, Account: "staging"},
		}, nil, patch.Quarantined},
		{"somebody stops it in its install", nil, func(scene *wavetest.Scene, id string) {
			scene.AtCall(wavetest.Staging, "StartAutomationExecution", 1, func() {
				scene.Env.RegisterDelayedCallback(func() {
					machine(scene, id, func(i *world.Instance) { _ = i.Stop() })
				}, 30*time.Second)
			})
		}, patch.RolledBack},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene, id := withStopped(t, 1, c.faults...)
			scene.Decide = []patch.Verb{patch.Skip}
			if c.do != nil {
				c.do(scene, id)
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			is := of(t, result, id)
			require.Equal(t, c.outcome, is.Outcome, "%+v", is)
			state, behind := stateOf(scene, id)
			require.Equal(t, "stopped", state)
			require.Equal(t, c.outcome == patch.Patched, behind == 0, "behind by %d", behind)
			require.Empty(t, result.Stranded)
			if c.outcome != patch.Quarantined {
				require.Empty(t, scene.Marks())
			}
		})
	}
}

// Beside others that are out it takes nobody's room, nor they its.
func TestWhoIsStoppedIsPatchedBesideOthers(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: func(s *world.Scenario) { s.Accounts[0].Regions[0].Instances[0].Count = 4 },
		Config: wavetest.StagingOnly(wavetest.PlanWith(
			"        bake: 10m\n", "        bake: 10m\n        stopped: start_and_stop\n        max_unavailable: 2\n")),
	})
	id, most := "", 0
	staged(scene, func(instances []*world.Instance) {
		id = instances[0].ID
		for _, group := range instances[0].Region.TargetGroups() {
			require.NoError(t, group.Deregister(id, 80))
		}
		require.NoError(t, instances[0].Stop())
	})
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Account == wavetest.Staging && call.Operation == "StartAutomationExecution" {
			scene.Env.RegisterDelayedCallback(func() {
				staged(scene, func(instances []*world.Instance) {
					out := 0
					for _, instance := range instances {
						serves := false
						for _, group := range instance.Region.TargetGroups() {
							serves = serves || group.Find(instance.ID, 80) != nil
						}
						if !serves && instance.ID != id {
							out++
						}
					}
					most = max(most, out)
				})
			}, 0)
		}
		return awssim.Fault{}
	})
	result := played(scene)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, 2, most, "so many at once, and no more")
	require.True(t, of(t, result, id).WasStopped)
	state, _ := stateOf(scene, id)
	require.Equal(t, "stopped", state)
}
