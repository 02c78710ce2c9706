package group_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// inOrder is production alone, with more keys of its stage.
func inOrder(members int, keys string, faults ...world.WorldFault) wavetest.Options {
	return wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithFaults(wavetest.Sized(2, members, members), faults...),
		Config: wavetest.ProductionOnly(wavetest.PlanWith(
			"        max_unavailable: 1\n", "        max_unavailable: 1\n"+keys)),
	}
}

// taken are the instances of a stage's groups that were changed, in the order in which they were.
func taken(result *patch.WaveResult, stage int) (all []patch.InstanceResult) {
	for _, group := range result.Stages[stage].Groups {
		for _, instance := range group.Instances {
			if !instance.Started.IsZero() {
				all = append(all, instance)
			}
		}
	}
	slices.SortFunc(all, func(a, b patch.InstanceResult) int { return a.Started.Compare(b.Started) })
	return all
}

// A group is taken one zone after the other, and left alone between two: with nobody out, and nothing of ours left.
func TestZonesSoak(t *testing.T) {
	for _, c := range []struct {
		name    string
		options wavetest.Options
		most    int                   // out at once; 0: one
		change  func(*wavetest.Scene) // once it soaks
	}{
		{"one at a time", inOrder(4, "        order: zone\n        zone_soak: 30m\n"), 0, nil},
		{
			"several at once", inOrder(6, "        order: zone\n        zone_soak: 30m\n"), 3, nil,
		},
		{"histories that begin anew", inOrder(4, "        order: zone\n        zone_soak: 30m\n"), 0, nil},
		{
			"a pause in a soak ends nothing", inOrder(4, "        order: zone\n        zone_soak: 30m\n"), 0,
			func(scene *wavetest.Scene) {
				scene.Tell(patch.Pause, "")
				scene.Env.RegisterDelayedCallback(func() { scene.Tell(patch.Resume, "") }, time.Minute)
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.most > 0 {
				c.options = atOnce(6, "3")
				c.options.Config = wavetest.ProductionOnly(wavetest.PlanWith(
					"max_unavailable: 1\n", "max_unavailable: 3\n        order: zone\n        zone_soak: 30m\n"))
			}
			scene := wavetest.New(t, c.options)
			said, left := "", map[string]string{}
			scene.When(func(status patch.WaveStatus) bool { return status.Waits() != "" }, func(status patch.WaveStatus) {
				said, left = status.Waits(), scene.Marks()
				if c.change != nil {
					c.change(scene)
				}
			})
			request := wavetest.WebWave
			if c.name == "histories that begin anew" {
				request.ContinueAfter = 1
			}
			result, err := scene.Run(request)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
			require.Contains(t, said, "is patched and watched: zone ")
			require.Empty(t, left, "nothing of ours is on the group or its instances")
			all := taken(result, 0)
			var zones []string
			scene.Production(func(group *world.ScalingGroup) {
				for _, one := range all {
					zones = append(zones, group.Region.Instance(one.ID).Zone)
				}
			})
			require.True(t, slices.IsSorted(zones), "%v", zones)
			require.Len(t, slices.Compact(slices.Clone(zones)), 2, "the group has two zones")
			last := time.Time{}
			for i, one := range all {
				if i > 0 && zones[i] != zones[i-1] {
					require.GreaterOrEqual(t, one.Started.Sub(last), 30*time.Minute)
				} else if i > 0 {
					require.Less(t, one.Started.Sub(last), 30*time.Minute)
				}
				last = slices.MaxFunc([]time.Time{last, one.Ended}, time.Time.Compare)
			}
			scene.RequireInvariants(result, wavetest.Except{MaxUnavailable: c.most})
			scene.RequireVersions(result)
		})
	}
}

// The most exposed goes first, by what the wave's own scan has found, which is more than anybody knew when it began.
func TestTheMostExposedGoesFirst(t *testing.T) {
	scene := wavetest.New(t, inOrder(4, "        order: exposure\n"))
	var want []string
	// The last by its id has everything missing, the first the least: by id they would go the other way.
	byHand := [][]string{
		{"openssl.x86_64", "openssl-libs.x86_64", "kernel.x86_64"},
		{"openssl.x86_64", "openssl-libs.x86_64"},
		{"openssl.x86_64"},
		nil,
	}
	scene.Sim.Inspect(func(w *world.World) {
		members := scene.WebIn(w).Members()
		slices.SortFunc(members, func(a, b *world.Member) int { return strings.Compare(a.Instance.ID, b.Instance.ID) })
		for i, member := range members {
			for _, id := range byHand[i] {
				w.InstallByHand(member.Instance, id)
			}
			want = append(want, member.Instance.ID)
		}
		slices.Reverse(want)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
	var order []string
	for _, instance := range taken(result, 0) {
		order = append(order, instance.ID)
	}
	require.Equal(t, want, order)
}

// An order that nobody can tell is none: the group is held with nothing touched, and goes on once it can be told.
func TestAnExposureThatCannotBeReadHolds(t *testing.T) {
	scene := wavetest.New(t, inOrder(4, "        order: exposure\n"))
	denied, touched := true, -1
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if denied && call.Operation == "DescribeInstancePatches" {
			return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDeniedException", Message: "not authorized"}
		}
		return awssim.Fault{}
	})
	why := ""
	scene.When(wavetest.InState(patch.StateOnHold), func(status patch.WaveStatus) {
		denied, why, touched = false, status.Awaiting, len(scene.Marks())
		scene.MustTake(patch.Retry, wavetest.Because("it may read them again"))
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Contains(t, why, "not authorized")
	require.Zero(t, touched)
	require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
}
