package instance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Whoever gets requests by its IPv6 address is drained there before it is touched, and serves there again afterwards.
func TestATargetByItsIPv6AddressIsDrained(t *testing.T) {
	for _, scenario := range []string{"healthy", "bad-patch"} {
		t.Run(scenario, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: scenario, Fleet: withAddresses(world.TargetGroupSpec{
				AddressType: "ipv6",
			})})
			scene.Decide = []patch.Verb{patch.Abort}
			registerByHand(t, scene)
			serving := map[string]string{}
			scene.WhenAtStep(patch.StepInstall, func(instance string) {
				scene.Production(func(group *world.ScalingGroup) {
					serving[instance] = "none"
					if target := addresses(t, group).Find(group.Region.Instance(instance).IPv6, 0); target != nil {
						serving[instance] = target.State
					}
				})
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Empty(t, result.Stranded)
			require.NotEmpty(t, serving)
			for instance, state := range serving {
				require.Equal(t, "none", state, "%s is patched while it is a target by its IPv6 address", instance)
			}
			scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(time.Hour)) })
			scene.Production(func(group *world.ScalingGroup) {
				for _, member := range group.Members() {
					target := addresses(t, group).Find(member.Instance.IPv6, 0)
					require.NotNil(t, target, member.Instance.ID)
					require.Equal(t, world.TargetHealthy, target.State, member.Instance.ID)
				}
			})
		})
	}
}

// A target of a peered network's group may be the instance, or another machine of that address: refused by name.
func TestATargetOfAPeeredNetworkIsRefused(t *testing.T) {
	for _, addressType := range []string{"ipv4", "ipv6"} {
		t.Run(addressType, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: withAddresses(world.TargetGroupSpec{
				AddressType: addressType, Peered: true,
			})})
			registerByHand(t, scene)
			_, err := scene.Run(wavetest.WebWave)
			require.ErrorContains(t, err, string(patch.RefusedBalancer))
			require.ErrorContains(t, err, "is a target of another network's group")
			require.Empty(t, scene.Effects("EnterStandby"))
			require.Empty(t, scene.Effects("DeregisterTargets"))
		})
	}
}

// withAddresses gives production's instances an IPv6 address, and adds a target group of addresses as told.
func withAddresses(like world.TargetGroupSpec) func(*world.Scenario) {
	return func(s *world.Scenario) {
		region := &s.Accounts[1].Regions[0]
		added := region.TargetGroups[0]
		added.Name, added.LoadBalancer, added.TargetType = "addresses", "other", "ip"
		added.AddressType, added.Peered = like.AddressType, like.Peered
		region.DualStack, region.TargetGroups = true, append(region.TargetGroups, added)
	}
}

func addresses(t *testing.T, group *world.ScalingGroup) *world.TargetGroup {
	return targetGroup(t, group.Region, "addresses")
}

func registerByHand(t *testing.T, scene *wavetest.Scene) {
	scene.Production(func(group *world.ScalingGroup) {
		for _, member := range group.Members() {
			require.NoError(t, addresses(t, group).Register(member.Instance, 0))
		}
		group.Region.World.Advance(group.Region.World.Now().Add(10 * time.Minute))
	})
}
