package instance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// A target group that is gone is not an instance that is gone: whoever was registered in it comes back to the others,
// patched or as it was, and is judged by what there is now.
func TestTargetGroupsChangeWhileAnInstanceIsOut(t *testing.T) {
	attached := func(name string) func(*testing.T, *world.ScalingGroup) []*world.TargetGroup {
		return func(t *testing.T, group *world.ScalingGroup) []*world.TargetGroup {
			return []*world.TargetGroup{targetGroup(t, group.Region, name)}
		}
	}
	web, other := attached("web"), attached("other")
	for _, c := range []struct {
		name   string
		byHand bool // every member was registered in "other" before
		do     func(*testing.T, *world.ScalingGroup)
		note   string
	}{
		{"one of its own is deleted", true, func(t *testing.T, group *world.ScalingGroup) {
			other(t, group)[0].LoadBalancer = "" // its listener goes first
			require.NoError(t, group.Region.DeleteTargetGroup(other(t, group)[0].ARN))
		}, "was deleted meanwhile"},
		{"the attached one is swapped", false, func(t *testing.T, group *world.ScalingGroup) {
			require.NoError(t, group.DetachTargetGroups(web(t, group)))
			group.AttachTargetGroups(other(t, group))
		}, "was detached from the group meanwhile"},
		{"the attached one is detached", true, func(t *testing.T, group *world.ScalingGroup) {
			require.NoError(t, group.DetachTargetGroups(web(t, group)))
		}, "was detached from the group meanwhile"},
	} {
		for _, scenario := range []string{"healthy", "bad-patch"} {
			t.Run(c.name+"/"+scenario, func(t *testing.T) {
				scene := wavetest.New(t, wavetest.Options{Scenario: scenario, Fleet: withElsewhere(nil)})
				scene.Decide = []patch.Verb{patch.Abort}
				if c.byHand {
					scene.Production(func(group *world.ScalingGroup) {
						for _, member := range group.Members() {
							require.NoError(t, other(t, group)[0].Register(member.Instance, 80))
						}
						group.Region.World.Advance(group.Region.World.Now().Add(10 * time.Minute))
					})
				}
				it := ""
				scene.WhenAtStep(patch.StepInstall, func(instance string) {
					it = instance
					scene.Production(func(group *world.ScalingGroup) { c.do(t, group) })
				})
				result, err := scene.Run(wavetest.WebWave)
				require.NoError(t, err)
				require.NotEmpty(t, it)
				require.Empty(t, result.Stranded)
				first := result.Stages[1].Groups[0].Instances[0]
				want := patch.Patched
				if scenario != "healthy" {
					want = patch.RolledBack
				}
				require.Equal(t, want, first.Outcome, "%s: %s", first.ID, first.Reason)
				require.Contains(t, strings.Join(first.Notes, "\n"), c.note)
				scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(time.Hour)) })
				scene.Production(func(group *world.ScalingGroup) {
					for _, member := range group.Members() {
						require.Equal(t, world.LifecycleInService, member.State, member.Instance.ID)
					}
				})
			})
		}
	}
}

// So it is for instances that are chosen by tags: of two target groups one is deleted while an instance is out, and it
// comes back to the other.
func TestOneOfTwoTargetGroupsOfATagGroupIsDeleted(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []world.WorldFault
		want   patch.Outcome
	}{
		{"it is patched", nil, patch.Patched},
		{"it is put back", []world.WorldFault{{Kind: world.FaultInstallFails, Account: "staging"}}, patch.RolledBack},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.WithFaults(withElsewhereIn(0, nil), c.faults...),
			})
			scene.Decide = []patch.Verb{patch.Abort}
			staging := func(do func(*world.Region)) {
				scene.Sim.Inspect(func(w *world.World) { do(w.Account(wavetest.Staging).Region(wavetest.Tokyo)) })
			}
			staging(func(region *world.Region) {
				for _, instance := range region.Instances() {
					require.NoError(t, targetGroup(t, region, "other").Register(instance, 80))
				}
				region.World.Advance(region.World.Now().Add(10 * time.Minute))
			})
			deleted, kept := false, 0
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Account == wavetest.Staging && call.Operation == "StartAutomationExecution" && !deleted {
					deleted = true
					scene.Env.RegisterDelayedCallback(func() {
						staging(func(region *world.Region) {
							other := targetGroup(t, region, "other")
							other.LoadBalancer = "" // its listener goes first
							require.NoError(t, region.DeleteTargetGroup(other.ARN))
						})
					}, 0)
				}
				return awssim.Fault{}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			first := result.Stages[0].Groups[0].Instances[0]
			require.True(t, deleted)
			require.Equal(t, c.want, first.Outcome, "%s", first.Reason)
			require.Contains(t, strings.Join(first.Notes, "\n"), "was deleted meanwhile")
			require.Empty(t, result.Stranded)
			staging(func(region *world.Region) {
				for _, group := range region.TargetGroups() {
					if group.Find(first.ID, group.Port) != nil {
						kept++
					}
				}
			})
			require.Equal(t, 1, kept, "it is registered in the one that is left")
		})
	}
}
