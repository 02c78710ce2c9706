package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/patch"
)

// A plan, a stage or a group names a file, or takes whatever Systems Manager has.
func TestByWhatAPlanIsPatched(t *testing.T) {
	with := func(plan string) (*config.Config, error) {
		text := strings.Replace(string(config.Example()), "baseline: amazon-linux-2023", "baseline: "+plan, 1)
		return config.Parse("patchtide.yaml", []byte(text), nil)
	}
	for _, c := range []struct {
		name, plan string
		baseline   string
		platform   patch.Platform
		passes     int
		uses       int
		problem    string
	}{
		{
			name: "a file's name", plan: "amazon-linux-2023", baseline: "amazon-linux-2023", platform: patch.Linux,
			passes: 1, uses: 2,
		},
		{
			name: "the same at length", plan: "{name: amazon-linux-2023}", baseline: "amazon-linux-2023",
			platform: patch.Linux, passes: 1, uses: 2,
		},
		{name: "what there is", plan: "{adopt: true}", baseline: patch.Adopted, platform: patch.Linux, passes: 1},
		{
			name: "what there is on Windows", plan: "{adopt: true, platform: windows}", baseline: patch.AdoptedWindows,
			platform: patch.Windows, passes: 3,
		},
		{name: "an unknown file", plan: "amazon", problem: "baseline: there is no baseline"},
		{name: "both", plan: "{adopt: true, name: debian-12}", problem: "baseline.name: stands beside adopt"},
		{name: "neither", plan: "{adopt: false}", problem: "baseline: names no baseline"},
		{
			name: "a file's platform", plan: "{name: debian-12, platform: linux}",
			problem: "baseline.platform: is for adopt: true",
		},
		{name: "another platform", plan: "{adopt: true, platform: macos}", problem: "baseline.platform: "},
		{name: "its text as a name", plan: `"{adopt: true}"`, problem: "baseline: may not be a set of keys in quotes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			loaded, err := with(c.plan)
			if c.problem != "" {
				require.ErrorContains(t, err, "patchtide.yaml:")
				require.ErrorContains(t, err, c.problem)
				return
			}
			require.NoError(t, err)
			plan, err := loaded.Plan("web")
			require.NoError(t, err)
			require.Equal(t, c.baseline, plan.Baseline)
			require.Equal(t, c.platform, plan.Platform)
			require.Equal(t, c.passes, plan.Passes)
			require.Len(t, loaded.BaselineUses(), c.uses)
			_, err = loaded.Fingerprint()
			require.NoError(t, err)
		})
	}
}
