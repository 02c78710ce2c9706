package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Nobody is told to mend, or to register, the instance that another wave has out: it may be patched by half.
func TestAPreviewBesideAWaveLeavesItsInstancesAlone(t *testing.T) {
	group := patch.Group{
		Account: patch.Account{Name: "production", ID: wavetest.Production}, Region: wavetest.Tokyo, AutoScalingGroup: "web",
	}
	out := func(locked bool) []string {
		scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
		if locked {
			scene.Locks[names.GroupLock(group)] = "wave-other"
		}
		scene.Production(func(g *world.ScalingGroup) {
			_, err := g.EnterStandby([]string{g.Members()[0].Instance.ID}, true)
			require.NoError(t, err)
		})
		openCalendar(scene, wavetest.Staging)
		return codes(previewOf(scene, ofWeb).Blockers)
	}
	require.Contains(t, out(false), string(patch.RefusedNotInService), "else it is in the way")
	beside := out(true)
	require.Contains(t, beside, "GroupLocked")
	for _, code := range []patch.RefusalCode{
		patch.RefusedCapacity, patch.RefusedNotInService, patch.RefusedUnhealthyBefore, patch.RefusedLastInZone,
	} {
		require.NotContains(t, beside, string(code))
	}
}
