package wave_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Last night's wave ended before production: tonight staging has nothing to install, and production gets what last
// night's staging proved, as long as a machine of it holds that.
func TestProductionGetsWhatAnEarlierWaveProved(t *testing.T) {
	const curl, old, proved, newer = "curl-minimal.x86_64", "0:8.11.1-4.amzn2023.0.1", "0:8.11.1-4.amzn2023.0.3", "0:99.0-1"
	for _, c := range []struct {
		name    string
		between func(*testing.T, *wavetest.Scene) // the two waves
		second  string                            // id of the second
		moves   bool                              // a newer version is published once tonight's staging is done
		packed  int                               // packages that production is bound to
		carried int
		curl    string
		unbound string // why production was not begun
		told    string // by the manifest
		alone   bool   // the second wave takes one instance of production only
	}{
		{name: "all of it", packed: 6, carried: 6, curl: proved},
		{name: "by a wave of one in production", packed: 6, carried: 6, curl: proved, alone: true},
		{name: "repositories move on", moves: true, packed: 6, carried: 6, curl: proved},
		{
			name: "a newer version came in between", packed: 6, carried: 5, curl: newer,
			between: func(_ *testing.T, s *wavetest.Scene) { published(s, newer) },
		},
		{
			name: "one of it was blocked", packed: 5, carried: 5, curl: old, told: "blocked: " + curl,
			between: func(t *testing.T, s *wavetest.Scene) {
				t.Helper()
				_, err := s.Control.BlockPatches(t.Context(), activities.BlockPatchesInput{Patches: []patch.BlockedPatch{{
					Name: curl, Version: proved, Platform: patch.Linux, Actor: "you", Reason: "it breaks us", Since: s.Env.Now(),
				}}})
				require.NoError(t, err)
			},
		},
		{
			name: "staging does not hold it, nor lack it", curl: old,
			unbound: "the stages before have proved nothing, neither in this wave nor in an earlier one of the plan",
			between: func(_ *testing.T, s *wavetest.Scene) {
				s.Sim.Inspect(func(w *world.World) {
					w.Scenario.Patches = slices.Clone(w.Scenario.Patches)
					for i, p := range w.Scenario.Patches {
						w.Scenario.Patches[i].Version += ".1"
						for _, instance := range w.Account(wavetest.Staging).Region(wavetest.Tokyo).Instances() {
							w.InstallByHand(instance, p.ID)
						}
					}
				})
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, pinned("healthy", nil))
			scene.MakeLists()
			named := func(id string) {
				scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id, TaskQueue: names.TaskQueue})
			}
			first := names.ScheduledWave("web", scene.Env.Now())
			named(first)
			scene.Silent = true
			scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) {
				scene.MustTake(patch.Reject, wavetest.Because("not tonight"))
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome)
			require.Equal(t, first, result.Stages[1].Pinned.WaveID)
			require.Empty(t, scene.Effects("EnterStandby"))
			if c.between != nil {
				c.between(t, scene)
			}
			scene.Again(scene.Env.Now().Add(24 * time.Hour))
			second := names.ScheduledWave("web", scene.Env.Now())
			named(second)
			request, taken := wavetest.WebWave, ""
			if c.alone {
				scene.Production(func(g *world.ScalingGroup) { taken = g.Members()[0].Instance.ID })
				request.Only = &patch.Only{Instances: []string{taken}}
			}
			var told patch.Case
			scene.When(func(status patch.WaveStatus) bool {
				return status.State == patch.StateAwaitingApproval && status.Case != nil && !status.Case.Reading
			}, func(status patch.WaveStatus) {
				told = *status.Case
				if c.moves {
					published(scene, newer)
				}
				scene.MustTake(patch.Approve, wavetest.Because("go"))
			})
			result, err = scene.Run(request)
			require.NoError(t, err)
			require.Empty(t, result.Stranded)
			scene.Production(func(g *world.ScalingGroup) {
				for _, member := range g.Members() {
					if c.alone && member.Instance.ID != taken {
						require.Equal(t, old, member.Instance.Disk().Version(curl))
						continue
					}
					require.Equal(t, c.curl, member.Instance.Disk().Version(curl))
				}
			})
			if c.unbound != "" {
				require.Contains(t, result.Reason, c.unbound)
				require.Empty(t, scene.Effects("EnterStandby"))
				return
			}
			bound := result.Stages[1].Pinned
			require.Equal(t, second, bound.WaveID)
			require.Equal(t, first, bound.Carries.WaveID)
			require.Equal(t, 2, bound.Proofs)
			require.Equal(t, []int{c.packed, c.carried}, []int{bound.Systems[0].Packages, bound.Systems[0].Carried})
			document, err := scene.Store.GetManifest(t.Context(), second, bound.SHA256)
			require.NoError(t, err)
			var made manifest.Manifest
			require.NoError(t, json.Unmarshal(document, &made))
			for _, one := range made.Systems[0].Packages {
				require.Equal(t, map[bool]string{true: "", false: first}[one.Version == newer], one.WaveID, "%+v", one)
			}
			require.Contains(t, strings.Join(made.NotCarried, "\n"), c.told)
			require.True(t, told.Due.Compared, "%v", told.Unknown)
			require.Empty(t, told.Due.Unseen, "what binds it is in this wave, whichever wave installed it")
		})
	}
}
