package manifest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/patch"
)

var (
	curl = patch.PackageChange{Name: "curl.x86_64", From: "0:8.5.0-1", To: "0:8.5.0-2"}
	// several versions of it stay
	kernel = patch.PackageChange{Name: "kernel.x86_64", From: "0:6.1.1-1 0:6.1.2-1", To: "0:6.1.2-1 0:6.1.10-1"}
	old    = patch.PackageChange{Name: "old.noarch", From: "0:1-1"}
	lost   = patch.PackageChange{Name: "java.x86_64", From: "0:17-1 0:21-1", To: "0:21-1"} // of two versions one went
)

func TestChangesTellWhatIsLeftOnWhichMachines(t *testing.T) {
	untold := proven("i-5", al2023)
	untold.After = &patch.MachineFacts{OS: "amzn", Release: "2023", PackagesSHA256: "another"}
	same := proven("i-6", patch.MachineFacts{OS: "amzn", Release: "2023", PackagesSHA256: "before"})
	changes := manifest.ChangesOf("wave-1", []patch.InstanceDetails{
		proven("i-2", al2023, curl, kernel), proven("i-1", al2023, curl), proven("i-3", jammy, old),
		proven("i-4", al2023, curl), untold, same,
		{Instance: "i-7", Outcome: patch.Quarantined, Changes: []patch.PackageChange{curl}},
		{Instance: "i-8", Outcome: patch.AlreadyCompliant},
		{Instance: "i-9", Outcome: patch.Quarantined},
	}, map[string]patch.Outcome{
		"i-4":  patch.RolledBack, // after its saga
		"i-10": patch.Patched, "i-11": patch.NotStarted,
	})
	require.Equal(t, manifest.Changes{
		WaveID: "wave-1",
		Systems: []manifest.SystemChanges{
			{Name: "amzn 2023", Instances: []string{"i-1", "i-2", "i-6"}, Packages: []manifest.Change{
				{PackageChange: curl, Instances: []string{"i-1", "i-2"}}, {PackageChange: kernel, Instances: []string{"i-2"}},
			}},
			{Name: "ubuntu 22.04", Instances: []string{"i-3"}, Packages: []manifest.Change{
				{PackageChange: old, Instances: []string{"i-3"}},
			}},
		},
		NotCounted: manifest.NotCounted{
			Back: []string{"i-4: rolled back", "i-7: quarantined"}, Untold: []string{
				"i-10: patched, and the evidence has no document of it",
				"i-5: patched, and has not told which packages it holds",
				"i-9: quarantined, and has not told which packages it holds",
			},
		},
	}, changes)
}

func TestCompareTellsWhatTwoWavesLeftDifferently(t *testing.T) {
	newer := patch.PackageChange{Name: curl.Name, From: curl.From, To: "0:8.5.0-10"}
	one := manifest.ChangesOf("wave-1", []patch.InstanceDetails{
		proven("i-1", al2023, curl, kernel), proven("i-2", al2023, old), proven("i-3", jammy, old),
	}, nil)
	for _, c := range []struct {
		name  string
		other []patch.InstanceDetails
		want  []manifest.SystemDifference
	}{
		{"the same", []patch.InstanceDetails{proven("i-9", al2023, kernel, curl, old), proven("i-8", jammy, old)}, []manifest.SystemDifference{
			{Name: "amzn 2023", Instances: [2]int{2, 1}, Same: 3, Packages: []manifest.PackageDifference{}},
			{Name: "ubuntu 22.04", Instances: [2]int{1, 1}, Same: 1, Packages: []manifest.PackageDifference{}},
		}},
		{"newer versions were served, and one stayed", []patch.InstanceDetails{proven("i-9", al2023, newer, kernel)}, []manifest.SystemDifference{
			{Name: "amzn 2023", Instances: [2]int{2, 1}, Same: 1, Packages: []manifest.PackageDifference{
				{Name: curl.Name, Versions: [2][]string{{curl.To}, {newer.To}}},
				{Name: old.Name, Versions: [2][]string{{""}, nil}},
			}},
			{Name: "ubuntu 22.04", Instances: [2]int{1, 0}, Packages: []manifest.PackageDifference{
				{Name: old.Name, Versions: [2][]string{{""}, nil}},
			}},
		}},
		{"of two versions one went", []patch.InstanceDetails{proven("i-9", al2023, curl, kernel, old, lost), proven("i-7", jammy, old)}, []manifest.SystemDifference{
			{Name: "amzn 2023", Instances: [2]int{2, 1}, Same: 3, Packages: []manifest.PackageDifference{
				{Name: lost.Name, Versions: [2][]string{nil, {"0:21-1"}}},
			}},
			{Name: "ubuntu 22.04", Instances: [2]int{1, 1}, Same: 1, Packages: []manifest.PackageDifference{}},
		}},
		{"of machines that differ both versions count", []patch.InstanceDetails{
			proven("i-8", al2023, newer), proven("i-9", al2023, curl, kernel, old), proven("i-7", jammy, old),
		}, []manifest.SystemDifference{
			{Name: "amzn 2023", Instances: [2]int{2, 2}, Same: 2, Packages: []manifest.PackageDifference{
				{Name: curl.Name, Versions: [2][]string{{curl.To}, {newer.To, curl.To}}},
			}},
			{Name: "ubuntu 22.04", Instances: [2]int{1, 1}, Same: 1, Packages: []manifest.PackageDifference{}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			other := manifest.ChangesOf("wave-2", c.other, map[string]patch.Outcome{"i-99": patch.Patched})
			difference := manifest.Compare(one, other)
			require.Equal(t, [2]string{"wave-1", "wave-2"}, difference.Waves)
			require.Equal(t, c.want, difference.Systems)
			require.Empty(t, difference.NotCounted[0].Untold)
			require.Len(t, difference.NotCounted[1].Untold, 1, "who is not counted is named")
		})
	}
}
