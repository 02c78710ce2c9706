package group_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// An instance that somebody attaches while one more is launched for room is new to the group as well. It was launched
// before, is never taken for that one, and stays.
func TestWhoSomebodyAttachesWhileRoomIsMadeStays(t *testing.T) {
	full := withSpare(wavetest.Sized(4, 4, 6))
	for _, c := range []struct {
		name  string
		fleet func(*world.Scenario)
		want  patch.Outcome
	}{
		{"one more is launched", full, patch.Succeeded},
		{
			"none can be launched, and the wait for it is given up",
			wavetest.WithFaults(full, world.WorldFault{Kind: world.FaultNoCapacity, Group: "web", Times: -1}), patch.Aborted,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: c.fleet})
			scene.Decide = []patch.Verb{patch.Abort}
			spare := ""
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Account == wavetest.Production && call.Operation == "SetDesiredCapacity" && spare == "" {
					spare = "about to be attached"
					scene.Env.RegisterDelayedCallback(func() {
						scene.Production(func(group *world.ScalingGroup) {
							attachSpare(t, group, nil)
							for _, member := range group.Members() {
								if member.Instance.Tags["Name"] == "spare" {
									spare = member.Instance.ID
								}
							}
						})
					}, 0)
				}
				return awssim.Fault{}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.want, result.Outcome, "%s", result.Reason)
			scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(time.Hour)) })
			scene.Production(func(group *world.ScalingGroup) {
				require.NotNil(t, group.Member(spare), "%s was terminated as what was launched for room", spare)
				require.Equal(t, world.LifecycleInService, group.Member(spare).State)
			})
			for _, event := range scene.Effects("TerminateInstanceInAutoScalingGroup") {
				require.NotEqual(t, spare, event.Resource)
			}
		})
	}
}
