package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

const onWindows = "windows-server-2022"

// windowsInProduction makes Windows of production's machines, with an update that is seen once another took effect.
func windowsInProduction(s *world.Scenario) {
	s.OperatingSystems = append(s.OperatingSystems, world.OperatingSystem{
		Name: onWindows, SSM: "WINDOWS", Platform: "Windows", PlatformName: "Microsoft Windows Server 2022 Datacenter",
		PlatformVersion: "10.0.20348", Product: "WindowsServer2022", Kernel: "KB5040000",
		Packages: map[string]string{"KB5040000": "installed"},
	})
	windows := map[string]bool{}
	region := &s.Accounts[1].Regions[0]
	for g := range region.Groups {
		region.Groups[g].Tags["PatchGroup"] = onWindows
		windows[region.Groups[g].Image] = true
	}
	for i := range s.Images {
		if windows[s.Images[i].Name] {
			s.Images[i].OS = onWindows
		}
	}
	for id, after := range map[string]string{"KB5041111": "", "KB5043333": "KB5041111"} {
		s.Patches = append(s.Patches, world.Patch{
			OS: onWindows, ID: id, Version: "installed", Severity: "Critical", Classification: "SecurityUpdates", AgeDays: 9,
			After: after, Reboot: true,
		})
	}
}

var tiered = wavetest.PlanWith(
	"approval: {required: true, timeout: 24h}", "approval: {required: false}\n        baseline: windows-server-2022",
)

// One plan takes tiers of two systems in its order: each is registered, judged, installed and proven by its own
// baseline, and put back again as its platform is.
func TestTiersOfTwoSystems(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: windowsInProduction, Config: tiered})
	var result, putBack *patch.WaveResult
	var err error
	scene.Play(func(story wavetest.Story) {
		result = story.Wave("first")
		putBack, err = story.RollBack("first", true)
	})
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Len(t, result.Stages, 2)
	linux, windows := result.Stages[0].Groups[0], result.Stages[1].Groups[0]
	require.Empty(t, linux.Baseline)
	require.Equal(t, onWindows, windows.Baseline)
	for _, group := range []patch.GroupResult{linux, windows} {
		require.NotEmpty(t, group.Instances)
		for _, instance := range group.Instances {
			require.Equal(t, patch.Patched, instance.Outcome, instance.Reason)
			require.Positive(t, instance.MissingBefore)
			require.Zero(t, instance.MissingAfter)
		}
	}
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, putBack.Outcome, "%+v", putBack)
	scene.Production(func(group *world.ScalingGroup) {
		for _, member := range group.Members() {
			require.Empty(t, member.Instance.Disk().Version("KB5041111"), "it is as it was")
		}
	})
}

// A plan whose tiers have one baseline refuses what runs another system, and says where another is named.
func TestATierOfAnotherSystemIsRefused(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.Unattended, Fleet: func(s *world.Scenario) {
			windowsInProduction(s)
			s.Accounts[1].Regions[0].Groups[0].Tags["PatchGroup"] = "amazon-linux-2023"
		},
	})
	_, err := scene.Run(wavetest.WebWave)
	require.ErrorContains(t, err, "the plan's baseline patchtide-amazon-linux-2023 is for AMAZON_LINUX_2023")
	require.ErrorContains(t, err, "`baseline` of its group or stage")
	require.Empty(t, scene.Effects("EnterStandby"))
}

// What a plan shows beforehand is by each tier's own baseline.
func TestAPreviewOfTiers(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: windowsInProduction, Config: tiered})
	shown := previewOf(scene, workflows.PreviewRequest{Plan: "web"})
	require.Empty(t, shown.Stages[0].Groups[0].Baseline)
	require.Equal(t, onWindows, shown.Stages[1].Groups[0].Baseline)
	require.True(t, shown.CouldRun(), "%+v", shown.Blockers)
}
