package manifest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// Changes are what a wave changed on its machines, as they are left.
type Changes struct {
	WaveID  string          `json:"wave_id"`
	Systems []SystemChanges `json:"systems"` // by name
	NotCounted
}

// NotCounted is what changes do not tell of, for people.
type NotCounted struct {
	// Back are instances that were changed and do not hold it any more, and why: "i-1: rolled back".
	Back []string `json:"back"`
	// Untold are those that hold, or may hold, what nobody knows.
	Untold []string `json:"untold"`
	// Unsure are sentences about what is not known of the wave itself.
	Unsure []string `json:"unsure,omitempty"`
}

// SystemChanges are those of the machines of one system.
type SystemChanges struct {
	Name      string   `json:"name"`      // see NameOf
	Instances []string `json:"instances"` // sorted
	Packages  []Change `json:"packages"`  // by name, then versions
}

// Change is one change of a package, and on which machines it was made.
type Change struct {
	patch.PackageChange
	Instances []string `json:"instances"` // sorted
}

// ChangesOf sorts what a wave's machines told by their systems. ended is how instances stand by the wave's own
// document, or by that of its roll back, which knows what was put back after its saga.
func ChangesOf(waveID string, machines []patch.InstanceDetails, ended map[string]patch.Outcome) Changes {
	found := Changes{
		WaveID: waveID, Systems: []SystemChanges{}, NotCounted: NotCounted{Back: []string{}, Untold: []string{}},
	}
	systems := map[string]map[patch.PackageChange][]string{}
	members := map[string][]string{}
	left := maps.Clone(ended)
	for _, d := range machines {
		outcome := cmp.Or(ended[d.Instance], d.Outcome)
		delete(left, d.Instance)
		switch {
		case !outcome.LeftPatched() && len(d.Changes) > 0:
			found.Back = append(found.Back, d.Instance+": "+outcome.Words())
			continue
		case outcome == patch.Quarantined && d.After == nil:
			found.Untold = append(found.Untold, d.Instance+": quarantined, and has not told which packages it holds")
			continue
		case !outcome.LeftPatched():
			continue
		case !tellsPackages(d):
			found.Untold = append(found.Untold, d.Instance+": patched, and has not told which packages it holds")
			continue
		}
		name := NameOf(*d.After)
		if systems[name] == nil {
			systems[name] = map[patch.PackageChange][]string{}
		}
		members[name] = append(members[name], d.Instance)
		for _, change := range d.Changes {
			systems[name][change] = append(systems[name][change], d.Instance)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(systems)) {
		system := SystemChanges{Name: name, Instances: slices.Sorted(slices.Values(members[name])), Packages: []Change{}}
		for change, on := range systems[name] {
			system.Packages = append(system.Packages, Change{change, slices.Sorted(slices.Values(on))})
		}
		slices.SortFunc(system.Packages, func(a, b Change) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
		})
		found.Systems = append(found.Systems, system)
	}
	for id, outcome := range left {
		if outcome.LeftPatched() {
			found.Untold = append(found.Untold, id+": patched, and the evidence has no document of it")
		}
	}
	slices.Sort(found.Back)
	slices.Sort(found.Untold)
	return found
}

// Difference is what two waves did differently.
type Difference struct {
	Waves   [2]string          `json:"waves"`
	Systems []SystemDifference `json:"systems"` // by name, those on which at least one of them changed something
	// NotCounted is what is not told of each.
	NotCounted [2]NotCounted `json:"not_counted"`
}

// SystemDifference is that of the machines of one system.
type SystemDifference struct {
	Name      string              `json:"name"`
	Instances [2]int              `json:"instances"` // how many of each wave are counted
	Same      int                 `json:"same"`      // packages that both left in the same versions
	Packages  []PackageDifference `json:"packages"`  // by name
}

// PackageDifference is a package in the versions that each wave has left: none where it did not change it.
type PackageDifference struct {
	Name     string      `json:"name"`
	Versions [2][]string `json:"versions"` // sorted; "" where it was removed
}

// Compare tells which packages two waves left in different versions, or only one of them changed.
func Compare(one, other Changes) Difference {
	found := Difference{
		Waves: [2]string{one.WaveID, other.WaveID}, Systems: []SystemDifference{},
		NotCounted: [2]NotCounted{one.NotCounted, other.NotCounted},
	}
	both := [2]map[string]SystemChanges{bySystem(one), bySystem(other)}
	all := slices.Concat(slices.Collect(maps.Keys(both[0])), slices.Collect(maps.Keys(both[1])))
	slices.Sort(all)
	for _, name := range slices.Compact(all) {
		system := SystemDifference{Name: name, Packages: []PackageDifference{}}
		var left [2]map[string][]string
		for i := range both {
			system.Instances[i] = len(both[i][name].Instances)
			left[i] = both[i][name].versions()
		}
		packages := slices.Concat(slices.Collect(maps.Keys(left[0])), slices.Collect(maps.Keys(left[1])))
		slices.Sort(packages)
		for _, of := range slices.Compact(packages) {
			if slices.Equal(left[0][of], left[1][of]) {
				system.Same++
				continue
			}
			system.Packages = append(system.Packages, PackageDifference{of, [2][]string{left[0][of], left[1][of]}})
		}
		found.Systems = append(found.Systems, system)
	}
	return found
}

func bySystem(of Changes) map[string]SystemChanges {
	systems := map[string]SystemChanges{}
	for _, system := range of.Systems {
		systems[system.Name] = system
	}
	return systems
}

// versions are those that each package was brought to; of one that only lost some of several those that stayed, and ""
// where it went.
func (s SystemChanges) versions() map[string][]string {
	versions := map[string][]string{}
	for _, change := range s.Packages {
		came := change.Arrived()
		if len(came) == 0 {
			came = strings.Fields(change.To)
		}
		if len(came) == 0 {
			came = []string{""}
		}
		versions[change.Name] = append(versions[change.Name], came...)
	}
	for name, of := range versions {
		slices.Sort(of)
		versions[name] = slices.Compact(of)
	}
	return versions
}
