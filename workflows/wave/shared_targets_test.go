package wave_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Groups that share a target group are one service, named or not: the second begins when the first has ended.
func TestGroupsThatShareATargetGroupGoOneByOne(t *testing.T) {
	for _, c := range []struct {
		name   string
		shared bool
	}{{"one target group", true}, {"a target group each", false}} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy",
				Fleet: func(s *world.Scenario) {
					for a := range s.Accounts {
						for r := range s.Accounts[a].Regions {
							region := &s.Accounts[a].Regions[r]
							if len(region.Groups) == 0 {
								continue
							}
							second := region.Groups[0]
							second.Name = "api"
							if !c.shared {
								targets := region.TargetGroups[0]
								targets.Name, targets.LoadBalancer = "api", "api"
								region.TargetGroups = append(region.TargetGroups, targets)
								second.TargetGroups = []string{"api"}
							}
							region.Groups = append(region.Groups, second)
						}
					}
				},
				Config: wavetest.ProductionOnly(wavetest.PlanWith("        service: web\n", "        max_parallel_groups: 2\n",
					"            auto_scaling_group: web\n",
					"            "+wavetest.WebAndAPI)),
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, 8, wavetest.CountInProduction(result, patch.Patched))
			var turns []string
			for _, event := range scene.Effects("EnterStandby") {
				group := "web"
				if strings.Contains(string(event.Arguments), `"api"`) {
					group = "api"
				}
				if len(turns) == 0 || turns[len(turns)-1] != group {
					turns = append(turns, group)
				}
			}
			if c.shared {
				require.Len(t, turns, 2, "%v", turns)
			} else {
				require.Greater(t, len(turns), 2, "they may go side by side: %v", turns)
			}
		})
	}
}
