package group_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Whoever joins a group while its wave runs is patched in it, or named: a wave that says succeeded left no member of
// its groups, as they are at its end, without what was due.
func TestWhoeverJoinsIsPatchedOrNamed(t *testing.T) {
	for _, c := range []struct {
		name    string
		fleet   func(*world.Scenario)
		do      func(t *testing.T, group *world.ScalingGroup, it *world.Instance) // when the first instance installs
		want    patch.Outcome
		members int // at the end, all of them patched but the gaps
		gap     string
	}{
		{
			"somebody scales out", nil, func(t *testing.T, group *world.ScalingGroup, _ *world.Instance) {
				require.NoError(t, group.SetDesired(group.Desired+1))
			}, patch.Succeeded, 5, "",
		},
		{
			"another is launched in the place of one that somebody terminated", nil,
			func(_ *testing.T, group *world.ScalingGroup, it *world.Instance) {
				at := slices.IndexFunc(group.Members(), func(m *world.Member) bool { return m.Instance != it })
				group.Members()[at].Instance.Terminate()
			}, patch.Succeeded, 4, "",
		},
		{
			"one is launched whose hook is never answered", wavetest.Sized(0, 1, 3),
			func(t *testing.T, group *world.ScalingGroup, _ *world.Instance) {
				require.NoError(t, group.PutHook(world.Hook{
					Name: "never", Transition: "autoscaling:EC2_INSTANCE_LAUNCHING", Heartbeat: 2 * time.Hour, Default: "CONTINUE",
				}))
				require.NoError(t, group.SetDesired(group.Desired+1))
			}, patch.SucceededWithGaps, 3, "is still Pending:Wait",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: c.fleet})
			scene.WhenAtStep(patch.StepInstall, func(instance string) {
				scene.Production(func(group *world.ScalingGroup) { c.do(t, group, group.Region.Instance(instance)) })
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.want, result.Outcome, result.Reason)
			production := result.Stages[1].Groups[0]
			require.Equal(t, c.want, production.Outcome)
			scene.Production(func(group *world.ScalingGroup) {
				require.Len(t, group.Members(), c.members)
				patched := group.Region.Instance(production.Instances[0].ID).Disk().PackageList()
				for _, member := range group.Members() {
					id := member.Instance.ID
					named := slices.ContainsFunc(production.Gaps, func(gap patch.Gap) bool { return gap.Instance == id })
					at := slices.IndexFunc(production.Instances, func(i patch.InstanceResult) bool { return i.ID == id })
					require.NotEqual(t, named, at >= 0, "%s is patched or named", id)
					if !named {
						require.Equal(t, patch.Patched, production.Instances[at].Outcome, id)
						require.Equal(t, patched, member.Instance.Disk().PackageList(), id)
					}
				}
			})
			if c.gap == "" {
				require.Empty(t, production.Gaps)
				return
			}
			require.NotEmpty(t, production.Gaps)
			for _, gap := range production.Gaps {
				require.Contains(t, gap.Why, c.gap)
			}
			require.Contains(t, result.Reason, c.gap)
		})
	}
}
