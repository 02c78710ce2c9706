package wavetest

import (
	"slices"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// Publish has the repositories serve a newer version of a package from now on, beside the one that they serve. It runs
// under the simulator's lock.
func Publish(w *world.World, id, version string) {
	newer := w.Scenario.Patches[slices.IndexFunc(w.Scenario.Patches, func(p world.Patch) bool { return p.ID == id })]
	newer.Version, newer.Title = version, ""
	w.Scenario.Patches = append(slices.Clip(w.Scenario.Patches), newer)
}

// Drop has the repositories serve no version of a package any more. It runs under the simulator's lock.
func Drop(w *world.World, id string) {
	w.Scenario.Patches = slices.DeleteFunc(slices.Clone(w.Scenario.Patches), func(served world.Patch) bool {
		return served.ID == id
	})
}

// Supersede has the repositories serve a newer version of a package from now on, and those before no more. It runs
// under the simulator's lock.
func Supersede(w *world.World, id, version string) {
	Publish(w, id, version)
	w.Scenario.Patches = slices.DeleteFunc(slices.Clone(w.Scenario.Patches), func(served world.Patch) bool {
		return served.ID == id && served.Version != version
	})
}
