package world

type patching struct{}

func (r *Region) setUpPatching() {}

func (r *Region) buildPatching(RegionSpec) error { return nil }

// applicable lists the newest patch of each package that the disk lacks, among those allowed.
func (w *World) applicable(disk *Disk, allowed func(Patch) bool) []Patch {
	var found []Patch
	at := map[string]int{}
	for _, patch := range w.Scenario.Patches {
		if patch.OS != disk.os.Name || !allowed(patch) || !disk.lacks(patch) {
			continue
		}
		if n, seen := at[patch.ID]; seen {
			if newer(patch.Version, found[n].Version) {
				found[n] = patch
			}
			continue
		}
		at[patch.ID] = len(found)
		found = append(found, patch)
	}
	return found
}
