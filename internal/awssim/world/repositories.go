package world

import (
	"cmp"
	"slices"
	"strings"
)

// serves reports whether the repositories that the disk's system is set up with serve a patch: Amazon Linux 2023 locks
// them to a release.
func (d *Disk) serves(p Patch) bool {
	locked := d.releasever != "" && d.releasever != "latest"
	return p.OS == d.os.Name && (!locked || p.Since == "" || !newer(p.Since, d.releasever))
}

// systemRelease is the package that is the release of Amazon Linux 2023 (its guide, "Using Deterministic upgrades
// through versioned repositories").
const systemRelease = "system-release.noarch"

// release is the one that the machine runs: that of the package, or else its system's.
func (d *Disk) release() string {
	_, version, _ := strings.Cut(d.Version(systemRelease), ":")
	version, _, _ = strings.Cut(version, "-")
	return cmp.Or(version, d.os.Release)
}

// hides reports whether a patch is not seen because its package is locked: by yum, whose plugins Systems Manager loads,
// and not by dnf, whose list of what is available regards no lock (patch_yum and patch_dnf of AWS-RunPatchBaseline).
func (d *Disk) hides(p Patch) bool {
	return d.manager() == "yum" && slices.Contains(d.locks, p.ID)
}

// Lock keeps a package in the version that the machine has: a version lock, or a hold. Unlock takes it off.
func (i *Instance) Lock(id string) { i.Disk().locks = append(i.Disk().locks, id) }

// Unlock takes a package's locks off.
func (i *Instance) Unlock(id string) {
	i.Disk().locks = slices.DeleteFunc(i.Disk().locks, func(locked string) bool { return locked == id })
}

// LockRelease has the machine's repositories be those of a release: a line in /etc/dnf/vars/releasever.
func (i *Instance) LockRelease(release string) { i.Disk().releasever = release }

// newest is the newest version of a package that the disk's repositories serve; nil: they serve none.
func (w *World) newest(disk *Disk, id string) *Patch {
	var found *Patch
	for n, p := range w.Scenario.Patches {
		if p.ID == id && disk.serves(p) && (found == nil || newer(p.Version, found.Version)) {
			found = &w.Scenario.Patches[n]
		}
	}
	return found
}

// required are the packages that a patch brings beside those that come anyway; lacking: one that no repository serves.
func (w *World) required(disk *Disk, p Patch, coming []Patch) (brings []Patch, lacking string) {
	for _, id := range p.Requires {
		comes := func(other Patch) bool { return other.ID == id }
		if disk.Version(id) != "" || slices.ContainsFunc(coming, comes) || slices.ContainsFunc(brings, comes) {
			continue
		}
		dependency := w.newest(disk, id)
		if dependency == nil {
			return nil, id
		}
		more, lacks := w.required(disk, *dependency, slices.Concat(coming, brings, []Patch{*dependency}))
		if lacks != "" {
			return nil, lacks
		}
		brings = append(append(brings, *dependency), more...)
	}
	return brings, ""
}

// resolve is what a run installs of what it is to install, with what that requires, and what it leaves: what is locked,
// and what requires a package that cannot be had. Where an override list names what is required in another version, yum
// and apt do not install what needs it; dnf does (yum_package_requirement, apt's change checks, patch_dnf).
func (run *patchRun) resolve(due []Patch) (installs, left []Patch) {
	w, disk := run.instance.Region.World, run.instance.Disk()
	for _, p := range due {
		brings, lacking := w.required(disk, p, slices.Concat(due, installs))
		if slices.Contains(disk.locks, p.ID) || lacking != "" || slices.ContainsFunc(brings, run.namesAnother) {
			left = append(left, p)
			continue
		}
		installs = append(append(installs, p), brings...)
	}
	return installs, left
}

// namesAnother reports whether the override list names a package in another version than this one, where that counts.
func (run *patchRun) namesAnother(p Patch) bool {
	disk := run.instance.Disk()
	if !slices.Contains([]string{"yum", "apt"}, disk.manager()) {
		return false
	}
	os, named := disk.os, false
	for _, entry := range run.override {
		if entry.matches(os, p) {
			return false
		}
		named = named || overrideEntry{ID: entry.ID}.matches(os, p)
	}
	return named
}
