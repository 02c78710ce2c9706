package manifest

import (
	"slices"

	"github.com/patchtide/patchtide/internal/patch"
)

// Earlier is a manifest that an earlier wave of the plan made, and what machines of this wave's stages hold of it now.
type Earlier struct {
	Ref      patch.ManifestRef
	Manifest Manifest
	Held     []patch.CarriedProof
}

// Holds says which entries of the system a machine holds at exactly that version, by their places in Packages, and
// which of those that went are not there, by their places in Removed.
func (s System) Holds(machine Machine) (packages, removed []int) {
	for i, one := range s.Packages {
		if slices.Contains(machine[one.Name], one.Version) {
			packages = append(packages, i)
		}
	}
	for i, name := range s.Removed {
		if len(machine[name]) == 0 {
			removed = append(removed, i)
		}
	}
	return packages, removed
}

// Named is the system of a name; nil: nothing was proved on it.
func (m Manifest) Named(name string) *System {
	at := slices.IndexFunc(m.Systems, func(s System) bool { return s.Name == name })
	if at < 0 {
		return nil
	}
	return &m.Systems[at]
}

// carry adds what is held still. What this wave has installed in a newer version binds in that one. Of Windows nothing
// is carried beside updates of this wave: one that they have replaced is offered to nobody, and a machine that was
// never offered it would lack it for ever.
func (m *Manifest) carry(systems map[string]*system, earlier Earlier) {
	m.Carries = &earlier.Ref
	replaced := map[string]bool{}
	for name, of := range systems {
		replaced[name] = of.kind == kindWindows && len(of.packages) > 0
	}
	for _, proof := range earlier.Held {
		of := earlier.Manifest.Carriable(proof.System)
		if of == nil || len(proof.Packages) == 0 || replaced[proof.System] {
			continue
		}
		into := systemIn(systems, of.Name)
		if into.kind.compare(into.release, proof.Release) < 0 {
			into.release = proof.Release
		}
		for _, at := range proof.Packages {
			if at >= 0 && at < len(of.Packages) {
				into.carries(of.Packages[at], earlier.Ref.WaveID)
			}
		}
		for _, at := range proof.Removed {
			if at >= 0 && at < len(of.Removed) {
				into.removed[of.Removed[at]] = true
			}
		}
		if !slices.ContainsFunc(m.Proofs, func(p Proof) bool { return p.Instance == proof.Instance }) {
			m.Proofs = append(m.Proofs, Proof{
				Instance: proof.Instance, Group: proof.Group, System: of.Name, BootID: proof.BootID,
			})
		}
	}
}

// Carriable is what a later wave may carry of a system: what was proved and what waits, in that order; nil: neither.
func (m Manifest) Carriable(name string) *System {
	of := m.Named(name)
	at := slices.IndexFunc(m.Waiting, func(s System) bool { return s.Name == name })
	switch {
	case at < 0:
		return of
	case of == nil:
		return &m.Waiting[at]
	}
	both := *of
	both.Packages = slices.Concat(of.Packages, m.Waiting[at].Packages)
	return &both
}

// wait keeps of the earlier manifest what is not carried now, and of which nothing newer was proved.
func (m *Manifest) wait(systems map[string]*system, earlier Earlier) {
	var names []string
	for _, of := range slices.Concat(earlier.Manifest.Systems, earlier.Manifest.Waiting) {
		names = append(names, of.Name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		waits := System{Name: name}
		for _, one := range earlier.Manifest.Carriable(name).Packages {
			if of := systems[name]; of != nil && of.has(one) {
				continue
			}
			if one.WaveID == "" {
				one.WaveID = earlier.Ref.WaveID
			}
			waits.Packages = append(waits.Packages, one)
		}
		if len(waits.Packages) > 0 {
			m.Waiting = append(m.Waiting, waits)
		}
	}
}

// has reports whether a package is proved in that version or a newer one.
func (s *system) has(one Package) bool {
	known, is := s.packages[one.Name]
	return is && s.kind.compare(known.Version, one.Version) >= 0
}

// carries adds one that an earlier wave proved. One that was carried by that wave keeps whose it was.
func (s *system) carries(one Package, wave string) {
	if s.has(one) {
		return
	}
	if one.WaveID == "" {
		one.WaveID = wave
	}
	s.packages[one.Name] = one
}

// Carried counts what is carried from earlier waves.
func (s System) Carried() (count int) {
	for _, one := range s.Packages {
		if one.WaveID != "" {
			count++
		}
	}
	return count
}
