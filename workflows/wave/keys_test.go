package wave_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// A key whose policy lets a role use it only where EC2 asks (kms:ViaService), as EBS's own recipe has it, answers our
// dry run as one that nobody may use: nothing is refused for it, it is said of each instance, and in the plan.
func TestAKeyThatCannotBeTriedIsTold(t *testing.T) {
	for _, c := range []struct {
		name string
		key  world.Key
		told []string
	}{
		{"by EC2 only", world.Key{Via: "ec2"}, []string{webKey, "kms:GenerateDataKeyWithoutPlaintext", "kms:ViaService"}},
		{
			"by EC2 only, and not to be described",
			world.Key{Via: "ec2", Hidden: true},
			[]string{webKey, "kms:DescribeKey", "kms:ViaService"},
		},
		{"by nobody", world.Key{Denied: true}, []string{webKey, "kms:GenerateDataKeyWithoutPlaintext"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := c.key
			key.ARN, key.State, key.Manager = webKey, "Enabled", "CUSTOMER"
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: encrypted})
			scene.Production(func(g *world.ScalingGroup) { g.Region.PutKey(&key) })
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			for _, instance := range result.Stages[1].Groups[0].Instances {
				require.Len(t, instance.Notes, 1, "%+v", instance)
				for _, part := range c.told {
					require.Contains(t, instance.Notes[0], part)
				}
			}
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

func TestAPlanTellsWhichKeysCannotBeTried(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: encrypted})
	scene.Production(func(g *world.ScalingGroup) { g.Region.Key(webKey).Via = "ec2" })
	preview := previewOf(scene, workflows.PreviewRequest{Plan: "web"})
	require.Empty(t, preview.Blockers)
	require.Contains(t, strings.Join(preview.Notes, "\n"), "production/ap-northeast-1/web: the key "+webKey)
}

// What could not be tried serves all the same: a root is put back by a key that EC2 may use.
func TestARootIsPutBackByAKeyThatOnlyEC2MayUse(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch", Fleet: encrypted})
	scene.Production(func(g *world.ScalingGroup) { g.Region.Key(webKey).Via = "ec2" })
	scene.Decide = []patch.Verb{patch.RollBack}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	require.Contains(t, wavetest.Outcomes(result)["production"], patch.RolledBack)
	scene.RequireInvariants(result, wavetest.Except{})
}
