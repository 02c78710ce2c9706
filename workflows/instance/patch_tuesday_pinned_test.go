package instance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Windows is bound to what staging proved by the ids of updates: production gets those, in as many passes as they take,
// and none that was published since. One that it is not offered does not apply to it.
func TestWindowsIsBoundToWhatStagingProved(t *testing.T) {
	const later = "KB5049999"
	month := windowsPatch(cumulative, "SecurityUpdates", servicingStack)
	month.Reboot = true
	patches := []world.Patch{
		windowsPatch(servicingStack, "SecurityUpdates", ""), month,
		windowsPatch(secondRound, "SecurityUpdates", cumulative),
	}
	for _, c := range []struct {
		name  string
		moves func(*world.World) // between staging and production
		has   []string
		says  string
	}{
		{name: "all of it", has: []string{servicingStack, cumulative, secondRound}},
		{
			name: "another was published", has: []string{servicingStack, cumulative, secondRound}, says: "not in this wave",
			moves: func(w *world.World) {
				w.Scenario.Patches = append(slices.Clone(w.Scenario.Patches), windowsPatch(later, "SecurityUpdates", ""))
			},
		},
		{
			name: "one is not offered there", has: []string{servicingStack, cumulative},
			moves: func(w *world.World) { wavetest.Drop(w, secondRound) },
			says:  "staging has got what is not offered there, for it does not apply or was withdrawn: " + secondRound,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: patchTuesday(patches...), Config: func(file []byte) []byte {
					return wavetest.PlanWith("baseline: amazon-linux-2023", "baseline: windows-server-2022")(wavetest.Bound(file))
				},
			})
			scene.MakeLists()
			moved := false
			scene.When(func(status patch.WaveStatus) bool {
				return status.State == patch.StateAwaitingApproval && !moved
			}, func(patch.WaveStatus) {
				moved = true
				if c.moves != nil {
					scene.Sim.Inspect(c.moves)
				}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.NotNil(t, result.Stages[1].Pinned)
			for _, one := range result.Stages[1].Groups[0].Instances {
				require.Equal(t, patch.Patched, one.Outcome, "%+v", one)
				require.Contains(t, strings.Join(one.Notes, "\n"), c.says)
				require.Equal(t, strings.Contains(c.says, "not offered"), strings.Contains(strings.Join(one.Notes, "\n"), "not offered"))
				scene.Sim.Inspect(func(w *world.World) {
					disk := scene.WebIn(w).Region.Instance(one.ID).Disk()
					for _, id := range []string{servicingStack, cumulative, secondRound, later} {
						require.Equal(t, slices.Contains(c.has, id), disk.Version(id) != "", id)
					}
				})
			}
			changes := changesOf(t, scene, result)
			require.Empty(t, changes.Untold)
			require.Len(t, changes.Systems, 1)
			require.Equal(t, "Windows Server 2022 Datacenter", changes.Systems[0].Name)
			require.Len(t, changes.Systems[0].Instances, 6)
			onAll := []string{}
			for _, change := range changes.Systems[0].Packages {
				if len(change.Instances) == 6 {
					require.Empty(t, change.From)
					onAll = append(onAll, change.Name)
				}
			}
			require.ElementsMatch(t, c.has, onAll)
		})
	}
}

// changesOf is what a wave changed, by its evidence: what `patchtide wave diff` shows.
func changesOf(t *testing.T, scene *wavetest.Scene, result *patch.WaveResult) manifest.Changes {
	t.Helper()
	ended, ids := map[string]patch.Outcome{}, []string{}
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			for _, one := range group.Instances {
				ended[one.ID], ids = one.Outcome, append(ids, one.ID)
			}
		}
	}
	machines, err := evidence.ReadInstances[patch.InstanceDetails](
		t.Context(), scene.Store.GetInstance, result.WaveID, ids,
	)
	require.NoError(t, err)
	return manifest.ChangesOf(result.WaveID, machines, ended)
}
