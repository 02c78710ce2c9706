package instance_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

func TestWithoutRestoreAFailedInstanceIsQuarantined(t *testing.T) {
	for _, c := range []struct {
		name string
		old  []string // of the plan
	}{
		{"restore none", []string{"restore: root_volume", "restore: none"}},
		{"no backup at all", []string{"backup: snapshot", "backup: none", "restore: root_volume", "restore: none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.FailsOnce(nil), Config: wavetest.PlanWith(c.old...),
			})
			scene.Decide = []patch.Verb{patch.Skip}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, 1, wavetest.CountInProduction(result, patch.Quarantined), "%v", wavetest.ProductionOutcomes(result))
			victim := result.Stages[1].Groups[0].Instances[0].ID
			// Its group launches another in its place, which the wave patches too.
			scene.RequireInvariants(result, wavetest.Except{Newcomers: 1, Out: []string{victim}})
			scene.Sim.Inspect(func(w *world.World) {
				require.Equal(t, world.Running, w.Account(wavetest.Production).Region(wavetest.Tokyo).Instance(victim).State,
					"kept for forensics")
			})
		})
	}
}

func TestRestoreReplaceLaunchesAnother(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.FailsOnce(nil),
		Config: wavetest.ProductionOnly(wavetest.PlanWith("backup: snapshot", "backup: none", "restore: root_volume",
			"restore: replace")),
	})
	scene.Decide = []patch.Verb{patch.Skip}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
	victim := result.Stages[0].Groups[0].Instances[0]
	require.Equal(t, patch.RolledBack, victim.Outcome)
	scene.RequireInvariants(result, wavetest.Except{Newcomers: 1, Out: []string{victim.ID}})
	require.Empty(t, scene.Effects("CreateSnapshot"), "backup: none")
	scene.Sim.Inspect(func(w *world.World) {
		instance := w.Account(wavetest.Production).Region(wavetest.Tokyo).Instance(victim.ID)
		require.True(t, instance == nil || instance.State == world.Terminated)
	})
}

// What the wave itself has replaced is not there to be tried again, and stays told as rolled back; the one in its place
// is patched.
func TestARetryLeavesWhatWasReplaced(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.FailsOnce(nil),
		Config: wavetest.ProductionOnly(wavetest.PlanWith("backup: snapshot", "backup: none", "restore: root_volume",
			"restore: replace")),
	})
	scene.Decide = []patch.Verb{patch.Retry}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
	require.Equal(t, []patch.Outcome{
		patch.RolledBack, patch.Patched, patch.Patched, patch.Patched, patch.Patched,
	}, wavetest.ProductionOutcomes(result))
	victim := result.Stages[0].Groups[0].Instances[0]
	require.True(t, victim.Replaced)
	scene.RequireInvariants(result, wavetest.Except{Newcomers: 1, Out: []string{victim.ID}})
}

func TestARestoreThatFailsQuarantines(t *testing.T) {
	for _, kind := range []string{world.FaultSnapshotFails, world.FaultRootReplaceFails, world.FaultRootReplaceDetaches} {
		t.Run(kind, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.WithFaults(wavetest.FailsOnce(nil), world.WorldFault{
					Kind: kind, Account: "production",
				}),
			})
			scene.Decide = []patch.Verb{patch.Abort}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			victim := result.Stages[1].Groups[0].Instances[0]
			require.Equal(t, patch.Quarantined, victim.Outcome, "%+v", victim)
			require.NotEmpty(t, victim.Notes)
			scene.RequireInvariants(result, wavetest.Except{Newcomers: 1, Out: []string{victim.ID}})
		})
	}
}

func TestAnInstanceOfATagGroupThatCannotBeRestoredStaysDeregistered(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.WithFaults(nil,
		world.WorldFault{Kind: world.FaultInstallFails, Account: "staging"}, world.WorldFault{
			Kind: world.FaultRootReplaceFails, Account: "staging",
		})})
	scene.Decide = []patch.Verb{patch.Abort}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	victim := result.Stages[0].Groups[0].Instances[0]
	require.Equal(t, patch.Quarantined, victim.Outcome, "%+v", victim)
	scene.RequireInvariants(result, wavetest.Except{Out: []string{victim.ID}})
}

// After a roll back the last that Systems Manager knew is of the volume that was there before, which misses nothing: it
// looks again, so that whoever reads patch states is told the truth.
func TestWhatWasPutBackIsScannedAgain(t *testing.T) {
	alarm := func(scene *wavetest.Scene) {
		scene.WhenAtStep(patch.StepBake, func(string) {
			scene.Production(func(group *world.ScalingGroup) {
				require.NoError(scene.T, group.Region.SetAlarm("web-5xx", "ALARM", "by the test"))
			})
		})
	}
	for _, c := range []struct {
		name  string
		fleet func(*world.Scenario)
		after func(*wavetest.Scene)
	}{
		{"the install failed half-way", wavetest.FailsOnce(nil), nil},
		{"patched, and an alarm rang", nil, alarm},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: c.fleet, Config: wavetest.ProductionOnly(wavetest.Unattended),
			})
			scene.Decide = []patch.Verb{patch.Abort}
			if c.after != nil {
				c.after(scene)
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			victim := result.Stages[0].Groups[0].Instances[0]
			require.Equal(t, patch.RolledBack, victim.Outcome, victim.Reason)
			require.Equal(t, 6, victim.MissingAfter)
			scene.Production(func(group *world.ScalingGroup) {
				state := group.Region.PatchState(victim.ID)
				require.Equal(t, 6, state.Count("Missing"), "what Systems Manager knows of it")
				root := group.Region.Volume(group.Region.Instance(victim.ID).RootVolume)
				require.True(t, state.End.After(root.Created), "scanned since its root is there")
			})
		})
	}
}

// A restore waits for its snapshot for as long as that takes. Its group may replace what is ill meanwhile, and that is
// suspended again before the root volume is replaced, unless somebody else has suspended it.
func TestAGroupReplacesTheIllWhileASnapshotIsWaitedFor(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Fleet: wavetest.FailsOnce(func(s *world.Scenario) {
			s.Durations.Snapshot = world.Duration(3 * time.Hour)
		}),
	})
	scene.Decide = []patch.Verb{patch.Skip}
	during := []string{"never asked"}
	scene.WhenAtStep(patch.StepRestore, func(string) {
		scene.Env.RegisterDelayedCallback(func() {
			scene.Production(func(g *world.ScalingGroup) {
				during = slices.Sorted(maps.Keys(g.Suspended))
				require.NoError(t, g.Suspend([]string{"Terminate"})) // by somebody else
			})
		}, time.Hour)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, []string{"AZRebalance", "InstanceRefresh"}, during, "an hour into the wait")
	require.Equal(t, 1, wavetest.CountInProduction(result, patch.RolledBack), "%v", wavetest.ProductionOutcomes(result))
	last := awssim.Event{}
	for _, event := range scene.Sim.Events() {
		switch event.Operation {
		case "SuspendProcesses", "ResumeProcesses":
			last = event
		case "CreateReplaceRootVolumeTask":
			require.Equal(t, "SuspendProcesses", last.Operation, "when its root volume is replaced")
			require.Contains(t, string(last.Arguments), "ReplaceUnhealthy")
		}
	}
	scene.Production(func(g *world.ScalingGroup) {
		require.Equal(t, []string{"Terminate"}, slices.Sorted(maps.Keys(g.Suspended)), "theirs stays, ours goes")
	})
}
