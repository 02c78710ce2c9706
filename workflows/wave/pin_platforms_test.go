package wave_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// withUbuntu gives production the group api on Ubuntu beside web, and staging, unless it is to have none, two of it.
func withUbuntu(staged bool) func(*world.Scenario) {
	return func(s *world.Scenario) {
		const system = "ubuntu-24.04"
		s.OperatingSystems = append(slices.Clone(s.OperatingSystems), world.OperatingSystem{
			Name: system, SSM: "UBUNTU", Platform: "Linux", PlatformName: "Ubuntu", PlatformVersion: "24.04",
			Product: "Ubuntu24.04", Release: "24.04", Kernel: "linux-image.amd64",
			Packages: map[string]string{"linux-image.amd64": "0:6.8-1", "curl.amd64": "0:8.5.0-1", "vim.amd64": "0:9.1-1"},
		})
		image := s.Images[slices.IndexFunc(s.Images, func(one world.ImageSpec) bool { return one.Name == "web-2.4" })]
		image.ID, image.Name, image.OS = "ami-0a1b2c3d4e5f60099", "api-1.0", system
		s.Images = append(slices.Clone(s.Images), image)
		s.Patches = slices.Clone(s.Patches)
		for id, version := range map[string]string{"curl.amd64": "0:8.5.0-2", "vim.amd64": "0:9.1-2"} {
			s.Patches = append(s.Patches, world.Patch{
				OS: system, ID: id, Version: version, Severity: "Important", Classification: "Security", AgeDays: 9,
			})
		}
		wavetest.TwoGroups(s)
		tags := map[string]string{"Role": "api", "PatchGroup": system}
		api := &s.Accounts[1].Regions[0].Groups[1]
		api.Image, api.Tags, api.Min, api.Desired, api.Max = image.Name, tags, 1, 2, 4
		staging := &s.Accounts[0].Regions[0]
		machines := staging.Instances[0]
		machines.Name, machines.Image, machines.Tags = "staging-api", image.Name, tags
		if staged {
			staging.Instances = append(slices.Clone(staging.Instances), machines)
		}
	}
}

// bothSystems is the plan for them.
func bothSystems(staged bool) func([]byte) []byte {
	const staging = "            tags: {Role: web}\n"
	const production = "            auto_scaling_group: web\n"
	beside := func(account, which string) string {
		return "          - account: " + account + "\n            region: ap-northeast-1\n            " + which +
			"\n            baseline: ubuntu-24.04\n"
	}
	pairs := []string{production, production + beside("production", "auto_scaling_group: api")}
	if staged {
		pairs = append(pairs, staging, staging+beside("staging", "tags: {Role: api}"))
	}
	return func(file []byte) []byte { return wavetest.Bound(wavetest.PlanWith(pairs...)(file)) }
}

// Each platform is bound to what staging proved on it, while the repositories of both move on; one on which staging has
// proved nothing is refused by name, and the other is patched all the same.
func TestEachPlatformGetsWhatStagingProvedOnIt(t *testing.T) {
	held := func(scene *wavetest.Scene, group, name string) (versions []string) {
		scene.Sim.Inspect(func(w *world.World) {
			found, err := w.Account(wavetest.Production).Region(wavetest.Tokyo).ScalingGroup(group)
			require.NoError(t, err)
			for _, member := range found.Members() {
				versions = append(versions, member.Instance.Disk().Version(name))
			}
		})
		return versions
	}
	for _, staged := range []bool{true, false} {
		t.Run(map[bool]string{true: "both", false: "one was not in staging"}[staged], func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: withUbuntu(staged), Config: bothSystems(staged),
			})
			scene.MakeLists()
			scene.Decide = slices.Repeat([]patch.Verb{patch.Skip}, 4)
			onceStagingIsDone(scene, func() {
				published(scene, "0:99.0-1")
				scene.Sim.Inspect(func(w *world.World) { wavetest.Publish(w, "curl.amd64", "0:8.5.0-9") })
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Empty(t, result.Stranded)
			web := slices.Repeat([]string{"0:8.11.1-4.amzn2023.0.3"}, 4)
			require.Equal(t, web, held(scene, "web", "curl-minimal.x86_64"))
			if staged {
				require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
				require.Equal(t, slices.Repeat([]string{"0:8.5.0-2"}, 2), held(scene, "api", "curl.amd64"))
				require.Equal(t, slices.Repeat([]string{"0:9.1-2"}, 2), held(scene, "api", "vim.amd64"))
				systems := []string{}
				for _, system := range result.Stages[1].Pinned.Systems {
					systems = append(systems, system.Name)
				}
				require.Equal(t, []string{"amzn 2023", "ubuntu 24.04"}, systems)
				return
			}
			require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
			require.Equal(t, slices.Repeat([]string{"0:8.5.0-1"}, 2), held(scene, "api", "curl.amd64"))
			for _, one := range result.Stages[1].Groups[1].Instances {
				require.Contains(t, one.Reason, string(patch.SystemNotProven)+": "+one.ID+": it runs ubuntu 24.04, on which staging "+
					"has proved nothing; it has on: amzn 2023")
			}
		})
	}
}
