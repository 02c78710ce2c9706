package workflows_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// A sweep that sees nothing would pass for ever: each kind of harm, done by hand after a good wave, must be seen.
func TestSweepSeesHarm(t *testing.T) {
	for name, harm := range map[string]struct {
		do   func(t *testing.T, group *world.ScalingGroup)
		says string
	}{
		"standby": {func(t *testing.T, group *world.ScalingGroup) {
			_, err := group.EnterStandby([]string{group.Members()[0].Instance.ID}, true)
			require.NoError(t, err)
		}, "is Standby"},
		"suspended process": {func(_ *testing.T, group *world.ScalingGroup) {
			group.Suspended["AZRebalance"] = "by hand"
		}, "suspended are"},
		"raised max": {func(_ *testing.T, group *world.ScalingGroup) { group.Max++ }, "min, max, desired"},
		"journal's tag": {func(_ *testing.T, group *world.ScalingGroup) {
			group.Members()[0].Instance.Tags["patchtide:journal"] = "left"
		}, "journal's tag"},
	} {
		t.Run(name, func(t *testing.T) {
			b := sweepBench(t, "decrement")
			before := b.before()
			result, err := b.run(workflows.WaveRequest{Plan: "web"})
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome)
			require.Empty(t, b.violations(before, nil, nil))
			b.sim.Inspect(func(w *world.World) {
				group, err := w.Account(accountProduction).Region(tokyoRegion).ScalingGroup("web")
				require.NoError(t, err)
				harm.do(t, group)
			})
			require.Contains(t, strings.Join(b.violations(before, nil, nil), "\n"), harm.says)
		})
	}
}
