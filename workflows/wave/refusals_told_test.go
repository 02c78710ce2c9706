package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What is not judged is said.
func TestTargetsThatAreNotJudgedAreTold(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: func(s *world.Scenario) {
		for a := range s.Accounts {
			for r := range s.Accounts[a].Regions {
				region := &s.Accounts[a].Regions[r]
				for g := range region.Groups {
					region.TargetGroups = append(region.TargetGroups, world.TargetGroupSpec{Name: "blue", Port: 81})
					region.Groups[g].TargetGroups = append(region.Groups[g].TargetGroups, "blue")
				}
			}
		}
	}})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	for _, instance := range result.Stages[1].Groups[0].Instances {
		require.Len(t, instance.Notes, 1, "%+v", instance)
		require.Contains(t, instance.Notes[0], "unused")
	}
}

// A zone's last healthy target is not taken while its load balancer does not balance across zones.
func TestTheLastOfItsZoneIsNotTaken(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: func(s *world.Scenario) {
		wavetest.Sized(1, 2, 6)(s)
		for a := range s.Accounts {
			for r := range s.Accounts[a].Regions {
				for g := range s.Accounts[a].Regions[r].TargetGroups {
					if len(s.Accounts[a].Regions[r].Groups) > 0 {
						s.Accounts[a].Regions[r].TargetGroups[g].CrossZone = "false"
					}
				}
			}
		}
	}})
	scene.Decide = []patch.Verb{patch.Abort}
	reasons := ""
	scene.OnHold = func(status patch.WaveStatus) { reasons = status.Awaiting }
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome)
	require.Contains(t, reasons, "LastHealthyInZone")
	require.Empty(t, scene.Effects("EnterStandby"))
}

// Silence means no nowhere: what acts on the instances by a document that nobody can read is told, in the plan and with
// each instance.
func TestADocumentThatCannotBeReadIsTold(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.Production(func(g *world.ScalingGroup) {
		g.Region.AddAssociation(world.AssociationsSpec{
			Name: "night", Document: "arn:aws:ssm:ap-northeast-1:444455556666:document/Shared-Night", Schedule: "rate(1 day)",
		})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	for _, instance := range result.Stages[1].Groups[0].Instances {
		require.Len(t, instance.Notes, 1, "%+v", instance)
		require.Contains(t, instance.Notes[0], "the association night")
		require.Contains(t, instance.Notes[0], "whether that installs patches is not known")
	}
}
