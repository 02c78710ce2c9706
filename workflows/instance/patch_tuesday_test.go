package instance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Windows as it is on the second Tuesday of a month: before anything else a servicing stack update, then the month's
// cumulative one, which is listed once that one is there, and what builds on it, which is listed after its reboot only.
const (
	servicingStack = "KB5040001"
	cumulative     = "KB5041111"
	secondRound    = "KB5043333"
	thirdRound     = "KB5044444"
	definitions    = "KB2267602" // no hotfix: the list of those never has it
)

func windowsPatch(id, classification, after string) world.Patch {
	return world.Patch{
		OS: "windows-server-2022", ID: id, Version: "installed", Severity: "Critical", Classification: classification,
		AgeDays: 9, After: after,
	}
}

// patchTuesday makes Windows of every machine, with that month's patches.
func patchTuesday(patches ...world.Patch) func(*world.Scenario) {
	return func(s *world.Scenario) {
		s.OperatingSystems = append(s.OperatingSystems, world.OperatingSystem{
			Name: "windows-server-2022", SSM: "WINDOWS", Platform: "Windows",
			PlatformName: "Microsoft Windows Server 2022 Datacenter", PlatformVersion: "10.0.20348",
			Release: "Windows Server 2022 Datacenter",
			Product: "WindowsServer2022", Kernel: "KB5040000", Packages: map[string]string{"KB5040000": "installed"},
		})
		for i := range s.Images {
			s.Images[i].OS = "windows-server-2022"
		}
		s.Patches = patches
		for a := range s.Accounts {
			for r := range s.Accounts[a].Regions {
				region := &s.Accounts[a].Regions[r]
				for i := range region.Instances {
					region.Instances[i].Tags["PatchGroup"] = "windows-server-2022"
				}
				for g := range region.Groups {
					region.Groups[g].Tags["PatchGroup"] = "windows-server-2022"
				}
			}
		}
	}
}

// onWindows is production's plan for such a fleet.
func onWindows(pairs ...string) func([]byte) []byte {
	return wavetest.ProductionOnly(wavetest.PlanWith(append([]string{
		"baseline: amazon-linux-2023", "baseline: windows-server-2022",
		"approval: {required: true, timeout: 24h}", "approval: {required: false}",
	}, pairs...)...))
}

// What a reboot brings to light is due as well: passes go on until the scan finds nothing, and what is left after the
// last of them fails the instance, which is put back.
func TestPatchTuesday(t *testing.T) {
	stack := windowsPatch(servicingStack, "SecurityUpdates", "")
	month := windowsPatch(cumulative, "SecurityUpdates", servicingStack)
	month.Reboot = true
	second := windowsPatch(secondRound, "SecurityUpdates", cumulative)
	third := windowsPatch(thirdRound, "Updates", secondRound)
	second.Reboot, third.Reboot = true, true
	defender := windowsPatch(definitions, "DefinitionUpdates", "")
	defender.Unlisted = true
	for _, c := range []struct {
		name    string
		patches []world.Patch
		plan    []string
		want    patch.Outcome
		has     []string
		says    string
	}{
		{
			"a servicing stack first, and what is seen after the reboot",
			[]world.Patch{stack, month, second},
			nil,
			patch.Patched,
			[]string{servicingStack, cumulative, secondRound},
			"",
		},
		{
			"more rounds than passes",
			[]world.Patch{stack, month, second, third},
			nil,
			patch.RolledBack, nil, "still missing after 3 passes: [" + thirdRound + "]",
		},
		{
			"as many passes as rounds",
			[]world.Patch{stack, month, second, third},
			[]string{"backup: snapshot", "backup: snapshot\n    passes: 4"},
			patch.Patched,
			[]string{servicingStack, cumulative, secondRound, thirdRound},
			"",
		},
		{
			"one pass, and a second round",
			[]world.Patch{month, second, stack},
			[]string{"backup: snapshot", "backup: snapshot\n    passes: 1"},
			patch.RolledBack, nil, "still missing after 1 pass: [" + cumulative + "]",
		},
		{"definitions alone", []world.Patch{defender}, nil, patch.Patched, []string{definitions}, ""},
		{
			"definitions among others",
			[]world.Patch{stack, month, defender},
			nil, patch.Patched,
			[]string{servicingStack, cumulative, definitions},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: patchTuesday(c.patches...), Config: onWindows(c.plan...),
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			first := result.Stages[0].Groups[0].Instances[0]
			require.Equal(t, c.want, first.Outcome, "%s %v", first.Reason, first.Notes)
			require.Contains(t, first.Reason, c.says)
			scene.Production(func(group *world.ScalingGroup) {
				var has []string
				for _, p := range group.Region.Instance(first.ID).Disk().Packages() {
					if p.Name != "KB5040000" {
						has = append(has, p.Name)
					}
				}
				require.ElementsMatch(t, c.has, has, "what the machine has")
			})
			if c.want == patch.Patched {
				require.Equal(t, patch.Succeeded, result.Outcome)
				require.Zero(t, first.MissingAfter)
			}
		})
	}
}

// Windows that is rebooted only where its registry says so is so after each pass that brought what needs it.
func TestWindowsIsRebootedWhereItSaysSo(t *testing.T) {
	month, second := windowsPatch(cumulative, "SecurityUpdates", ""), windowsPatch(secondRound, "SecurityUpdates", cumulative)
	month.Reboot = true
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: patchTuesday(month, second),
		Config: onWindows("backup: snapshot", "backup: snapshot\n    reboot: if_required"),
	})
	boots := map[string]int{}
	scene.Sim.Inspect(func(w *world.World) {
		w.OnChange(func(c world.Change) {
			if c.What == "booted" {
				boots[c.ID]++
			}
		})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.NotEmpty(t, boots)
	for id, count := range boots {
		require.Equal(t, 1, count, id+": the second pass needs none")
	}
	for _, instance := range result.Stages[0].Groups[0].Instances {
		require.Equal(t, patch.Patched, instance.Outcome, instance.Reason)
	}
	require.Empty(t, scene.Untrue(result))
}
