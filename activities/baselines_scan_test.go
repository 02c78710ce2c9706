package activities_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// machine is what an agent reports of a system, and what its repositories offer.
type machine struct {
	baseline, name, version, product string
	patches                          []world.Patch
	missing                          []string
}

// offered are the kinds of patches by which rules differ, old and young, of a system whose notices say severities so.
func offered(kind, other, severe, mild string) []world.Patch {
	of := func(id, classification, severity string, age int) world.Patch {
		return world.Patch{ID: id, Version: "0:2.0-1", Classification: classification, Severity: severity, AgeDays: age}
	}
	return []world.Patch{
		of("severe.x86_64", kind, severe, 1), of("mild.x86_64", kind, mild, 8), of("young.x86_64", kind, mild, 6),
		of("fix.x86_64", other, mild, 30), of("silent.x86_64", "", "", 30),
	}
}

// updates are Windows' own, and one of Office, which no rule of ours is for.
func updates() []world.Patch {
	of := func(id, classification, severity string, age int) world.Patch {
		return world.Patch{ID: id, Version: "installed", Classification: classification, Severity: severity, AgeDays: age}
	}
	office := of("KB5002001", "SecurityUpdates", "Critical", 30)
	office.Family, office.Product = "Office", "Office 2019"
	return []world.Patch{
		of("KB5000001", "SecurityUpdates", "Critical", 1), of("KB5000002", "SecurityUpdates", "Important", 8),
		of("KB5000003", "SecurityUpdates", "Important", 6), of("KB5000004", "Drivers", "Unspecified", 30), office,
	}
}

func machines() (all []machine) {
	yum := []string{"fix.x86_64", "mild.x86_64", "severe.x86_64", "silent.x86_64"}
	for _, of := range [][4]string{
		{"amazon-linux-2", "Amazon Linux", "2", "AmazonLinux2.0"},
		{"amazon-linux-2023", "Amazon Linux", "2023", "AmazonLinux2023"},
		{"rhel-8", "Red Hat Enterprise Linux", "8.10", "RedhatEnterpriseLinux8.10"},
		{"rhel-9", "Red Hat Enterprise Linux", "9.4", "RedhatEnterpriseLinux9.4"},
		{"rocky-8", "Rocky Linux", "8.9", "RockyLinux8.9"},
		{"rocky-9", "Rocky Linux", "9.4", "RockyLinux9.4"},
		{"alma-8", "AlmaLinux", "8.9", "AlmaLinux8.9"},
		{"alma-9", "AlmaLinux", "9.4", "AlmaLinux9.4"},
	} {
		all = append(all, machine{of[0], of[1], of[2], of[3], offered("Security", "Bugfix", "Critical", "Medium"), yum})
	}
	for _, of := range [][4]string{
		{"oracle-8", "Oracle Linux Server", "8.9", "OracleLinux8.9"},
		{"oracle-9", "Oracle Linux Server", "9.4", "OracleLinux9.4"},
		{"sles-15", "SLES", "15.5", "Suse15.5"},
	} {
		all = append(all, machine{of[0], of[1], of[2], of[3], offered("Security", "Recommended", "Critical", "Moderate"), yum})
	}
	for _, of := range [][4]string{
		{"ubuntu-20.04", "Ubuntu", "20.04", "Ubuntu20.04"},
		{"ubuntu-22.04", "Ubuntu", "22.04", "Ubuntu22.04"},
		{"ubuntu-24.04", "Ubuntu", "24.04", "Ubuntu24.04"},
		{"debian-11", "Debian GNU/Linux", "11", "Debian11"},
		{"debian-12", "Debian GNU/Linux", "12", "Debian12"},
	} {
		all = append(all, machine{
			of[0], of[1], of[2], of[3], offered("Security", "Updates", "Required", "Optional"),
			[]string{"mild.x86_64", "severe.x86_64", "young.x86_64"}, // Systems Manager knows no delay there
		})
	}
	for _, year := range []string{"2016", "2019", "2022", "2025"} {
		all = append(all, machine{
			"windows-server-" + year, "Microsoft Windows Server " + year + " Datacenter", "10.0", "WindowsServer" + year, updates(),
			[]string{"KB5000001", "KB5000002"},
		})
	}
	return all
}

// onWindows is a fleet of Windows Server 2022, for whose machines there are updates.
func onWindows(t *testing.T, group string) *fleet {
	return newFleetOf(t, func(scenario *world.Scenario) {
		system := &scenario.OperatingSystems[0]
		system.SSM, system.Platform, system.Product = "WINDOWS", "Windows", "WindowsServer2022"
		system.PlatformName, system.PlatformVersion = "Microsoft Windows Server 2022 Datacenter", "10.0"
		system.Kernel, system.Packages = "", map[string]string{}
		scenario.Patches = updates()
		for i := range scenario.Patches {
			scenario.Patches[i].OS = system.Name
		}
		for i := range scenario.Accounts[0].Regions[0].Instances {
			scenario.Accounts[0].Regions[0].Instances[i].Tags["PatchGroup"] = group
		}
	})
}

// A rule of a team's own for Microsoft's applications finds what is due of them, and none of the system's.
func TestABaselineOfApplicationsIsScannedBy(t *testing.T) {
	f := onWindows(t, "office")
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "office.yaml"), []byte(`name: office
description: Office after a week.
operating_system: WINDOWS
patch_group: office
rules:
  - {name: office, patch_set: APPLICATION, product_families: [Office], products: ["Office 2019"], approve_after_days: 7}
`), 0o600))
	catalog, err := baselines.Open(folder)
	require.NoError(t, err)
	f.aws.Baselines = catalog
	registered := must[activities.RegisteredBaseline](
		f, f.aws.EnsureBaseline, activities.EnsureBaselineInput{Group: staging, Baseline: "office"},
	)
	scan := f.scan(f.Instances(staging.Account.ID)[:1], registered.BaselineID)[0]
	require.Empty(t, scan.Error)
	require.Equal(t, []string{"KB5002001"}, scan.Missing)
}

// Each baseline that comes with Patchtide finds on a machine of its system what it says: severe at once, the rest after
// a week, as far as Systems Manager can say so of the system.
func TestABaselineOfEachSystemIsScannedBy(t *testing.T) {
	tried := []string{}
	for _, m := range machines() {
		tried = append(tried, m.baseline)
		t.Run(m.baseline, func(t *testing.T) {
			wanted, err := baselines.Load(m.baseline)
			require.NoError(t, err)
			require.Equal(t, wanted.OperatingSystem, baselines.SystemOf(m.name, m.version))
			f := newFleetOf(t, func(scenario *world.Scenario) {
				system := &scenario.OperatingSystems[0]
				system.SSM, system.Product = string(wanted.OperatingSystem), m.product
				system.PlatformName, system.PlatformVersion = m.name, m.version
				system.Kernel, system.Packages, scenario.Patches = "", map[string]string{}, nil
				if wanted.Platform == patch.Windows {
					system.Platform = "Windows"
				}
				for _, offer := range m.patches {
					offer.OS = system.Name
					scenario.Patches = append(scenario.Patches, offer)
					if system.Platform == "Linux" {
						system.Packages[offer.ID] = "0:1.0-1"
					}
				}
				for i := range scenario.Accounts[0].Regions[0].Instances {
					scenario.Accounts[0].Regions[0].Instances[i].Tags["PatchGroup"] = wanted.PatchGroup
				}
			})
			registered := must[activities.RegisteredBaseline](
				f, f.aws.EnsureBaseline, activities.EnsureBaselineInput{Group: staging, Baseline: m.baseline},
			)
			scan := f.scan(f.Instances(staging.Account.ID)[:1], registered.BaselineID)[0]
			require.Empty(t, scan.Error)
			require.Equal(t, m.missing, scan.Missing)
			changes := f.Calls("UpdatePatchBaseline")
			must[activities.RegisteredBaseline](
				f, f.aws.EnsureBaseline, activities.EnsureBaselineInput{Group: staging, Baseline: m.baseline},
			)
			require.Equal(t, changes, f.Calls("UpdatePatchBaseline"), "what was made is as the file says")
		})
	}
	require.ElementsMatch(t, baselines.Names(), tried)
}
