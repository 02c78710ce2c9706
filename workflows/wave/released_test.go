package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Who is back from quarantine holds what its root volume held, which could not be put back: a roll back of the wave
// that left it so is not green over it, and names it. One that is in quarantine still serves nobody, and is not
// named.
func TestARollBackNamesWhoIsBackFromQuarantine(t *testing.T) {
	for _, released := range []bool{true, false} {
		t.Run(map[bool]string{true: "released", false: "in quarantine"}[released], func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended, Fleet: func(s *world.Scenario) {
				s.Faults.World = append(s.Faults.World, world.WorldFault{
					Kind: world.FaultInstallFails, Account: "production",
				}, world.WorldFault{Kind: world.FaultRootReplaceFails, Account: "production", Times: -1})
			}})
			scene.Decide = []patch.Verb{patch.Abort}
			quarantined := ""
			var back *patch.WaveResult
			scene.Play(func(story wavetest.Story) {
				wave := story.Wave("wave-1")
				for _, instance := range wave.Stages[1].Groups[0].Instances {
					if instance.Outcome == patch.Quarantined {
						quarantined = instance.ID
					}
				}
				if released {
					scene.Production(func(group *world.ScalingGroup) {
						if err := group.Attach([]string{quarantined}); err != nil {
							t.Errorf("attach: %v", err)
						}
					})
				}
				var err error
				if back, err = story.RollBack("wave-1", false); err != nil {
					t.Errorf("the roll back: %v", err)
				}
			})
			require.NotEmpty(t, quarantined)
			if !released {
				require.Equal(t, patch.RolledBack, back.Outcome, "%+v", back)
				require.Empty(t, back.Stranded)
				return
			}
			require.Equal(t, patch.Failed, back.Outcome, "%+v", back)
			require.Len(t, back.Stranded, 1)
			require.Equal(t, "instance "+quarantined, back.Stranded[0].Resource)
			require.Contains(t, back.Reason, "instance "+quarantined+": it was quarantined, is back in its group")
			require.Contains(t, back.Stranded[0].State, "is back in its group, and holds what it held then")
		})
	}
}
