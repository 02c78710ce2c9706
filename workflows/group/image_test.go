package group_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What a group launches next undoes the wave where its image lacks what was installed: that is told, and not what
// nobody knows.
func TestAnImageThatIsStaleIsTold(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*wavetest.Scene)
		fleet   func(*world.Scenario)
		denied  bool
		says    string
		outcome patch.Outcome
	}{
		{"the template still has their image", nil, nil, false, "image stale: what it launches next comes from ami-", patch.Succeeded},
		{
			"a mixed group's template", nil, wavetest.Weighted(1, 4, 6, 1), false,
			"image stale: what it launches next comes from ami-", patch.Succeeded,
		},
		{
			"the group has been given another image",
			func(scene *wavetest.Scene) {
				scene.Production(func(group *world.ScalingGroup) {
					template := group.Template
					version := template.Versions[len(template.Versions)-1]
					version.Image = "ami-0123456789abcdef0"
					template.Versions = append(template.Versions, version)
					template.Default = len(template.Versions)
					group.TemplateVersion = "$Default"
				})
			}, nil, false, "", patch.Succeeded,
		},
		{
			"it may not be read", nil, nil, true,
			"whether what it launches next lacks these patches is not known: ", patch.Succeeded,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := inOrder(4, "")
			if c.fleet != nil {
				options.Fleet = c.fleet
			}
			scene := wavetest.New(t, options)
			if c.change != nil {
				c.change(scene)
			}
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if c.denied && call.Operation == "DescribeLaunchTemplateVersions" {
					return awssim.Fault{Kind: awssim.FaultError, Code: "UnauthorizedOperation", Message: "not authorized"}
				}
				return awssim.Fault{}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.outcome, result.Outcome, reasons(result))
			status, answers := scene.Status()
			require.True(t, answers)
			said := status.Stages[0].Groups[0].StaleImage
			if c.says == "" {
				require.Empty(t, said)
			} else {
				require.Contains(t, said, c.says)
			}
		})
	}
}
