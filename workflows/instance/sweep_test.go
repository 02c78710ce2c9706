package instance_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// withOthersTargetGroups gives every region target groups of others.
func withOthersTargetGroups(many int) func(*world.Scenario) {
	return func(s *world.Scenario) {
		for a := range s.Accounts {
			for r := range s.Accounts[a].Regions {
				region := &s.Accounts[a].Regions[r]
				for n := range many {
					target := region.TargetGroups[0]
					target.Name, target.LoadBalancer = fmt.Sprintf("other-%d", n), ""
					region.TargetGroups = append(region.TargetGroups, target)
				}
			}
		}
	}
}

// Hundreds of target groups of others are looked through before a group begins, and not for each instance again, be it
// patched or put back.
func TestOthersTargetGroupsAreLookedThroughOncePerGroup(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []world.WorldFault
		want   patch.Outcome
		sweeps float64
	}{
		{"all are patched", nil, patch.Succeeded, 2}, // before the wave, and before the group
		{"all are put back, one of them by its own undo", []world.WorldFault{
			{Kind: world.FaultInstallFails, Account: "production", Nth: 3},
		}, patch.RolledBack, 3}, // and before the group is put back
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := func(others int) (health, all int) {
				scene := wavetest.New(t, wavetest.Options{
					Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended),
					Fleet: wavetest.WithFaults(withOthersTargetGroups(others), c.faults...),
				})
				scene.Decide = []patch.Verb{patch.RollBack}
				var mu sync.Mutex
				scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
					mu.Lock()
					defer mu.Unlock()
					all++
					if call.Operation == "DescribeTargetHealth" {
						health++
					}
					return awssim.Fault{}
				})
				result, err := scene.Run(wavetest.WebWave)
				require.NoError(t, err)
				require.Equal(t, c.want, result.Outcome, "%s", result.Reason)
				return health, all
			}
			const others = 40
			without, base := calls(0)
			with, all := calls(others)
			t.Logf("calls: %d (%d of target health) without, %d (%d) with %d target groups of others",
				base, without, all, with, others)
			require.LessOrEqual(t, float64(with-without)/others, c.sweeps)
			if c.faults == nil {
				require.Less(t, base/4, 450, "AWS calls an instance of four, what its group and the wave cost counted in")
			}
		})
	}
}
