package manifest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// Manifest is what a wave's stages have proved so far, and on which machines.
type Manifest struct {
	Plan    string   `json:"plan"`
	WaveID  string   `json:"wave_id"`
	Systems []System `json:"systems"` // by name
	Proofs  []Proof  `json:"proofs"`  // by instance
	// Stages are those that proved it. Who let the bound stage begin came later: that stands in the document of the wave,
	// which names this one by its hash.
	Stages []patch.ProvenStage `json:"stages,omitempty"`
	// Waiting are packages of earlier manifests that no machine asked was found to hold, or that are blocked, by system.
	// They bind nothing; the next wave asks for them again.
	Waiting []System `json:"waiting,omitempty"`
	// Carries is the plan's manifest before, of which it carries what its proofs still hold; nil: none.
	Carries *patch.ManifestRef `json:"carries,omitempty"`
	// NotProofs are instances of those stages that prove nothing, and why: "i-1: its list of packages was cut off".
	NotProofs []string `json:"not_proofs,omitempty"`
	// NotCarried is why something of earlier waves is not carried on: "wave-web-1: its stage staging was rolled back".
	NotCarried []string `json:"not_carried,omitempty"`
}

// System is what was proved on one system: packages of another do not fit.
type System struct {
	Name     string    `json:"name"`              // see NameOf
	Release  string    `json:"release,omitempty"` // the newest that one of its machines runs since: 2023.6.20241010
	Packages []Package `json:"packages"`          // by name, then version
	Removed  []string  `json:"removed,omitempty"` // packages that went with it: "name.arch"
}

// Package is one that was installed or updated.
type Package struct {
	Name    string   `json:"name"`              // name.arch; of Windows the id of an update: KB5031234
	Version string   `json:"version"`           // epoch:version-release; of dpkg 0:version where it has no epoch
	From    []string `json:"from"`              // versions that machines had before, sorted; "" where one had none
	WaveID  string   `json:"wave_id,omitempty"` // the earlier wave that it is carried from; "": this one installed it
}

// Proof is a machine that runs what the manifest tells, in service and found healthy.
type Proof struct {
	Instance string `json:"instance"`
	Group    string `json:"group"` // account/region/name
	System   string `json:"system"`
	BootID   string `json:"boot_id"`
}

// New makes the manifest of machines that were patched and proven. Where two of one system have installed different
// versions of a package, as by repositories that moved on between them, the newer one counts: both are proven.
//
// Of an earlier manifest of the plan it carries what machines of these stages were found to hold still.
func New(plan, waveID string, machines []patch.InstanceDetails, earlier *Earlier) Manifest {
	made := Manifest{Plan: plan, WaveID: waveID}
	systems := map[string]*system{}
	for _, d := range machines {
		if !d.Outcome.LeftPatched() { // it died, or was put back: what it got is what it may have died of
			made.NotProofs = append(made.NotProofs, d.Instance+": "+d.Outcome.Words())
			continue
		}
		if !tellsPackages(d) {
			made.NotProofs = append(made.NotProofs, d.Instance+": it has not told which packages it holds")
			continue
		}
		name := NameOf(*d.After)
		systemIn(systems, name).add(d)
		made.Proofs = append(made.Proofs, Proof{
			Instance: d.Instance, Group: d.Group, System: name, BootID: d.After.BootID,
		})
	}
	if earlier != nil {
		made.carry(systems, *earlier)
		made.wait(systems, *earlier)
	}
	for _, name := range slices.Sorted(maps.Keys(systems)) {
		made.Systems = append(made.Systems, systems[name].told(name))
	}
	slices.SortFunc(made.Proofs, func(a, b Proof) int { return cmp.Compare(a.Instance, b.Instance) })
	slices.Sort(made.NotProofs)
	return made
}

// tellsPackages reports whether a machine has told which packages it holds: of one whose list was cut off only the hash
// is known.
func tellsPackages(d patch.InstanceDetails) bool {
	return d.Before != nil && d.After != nil &&
		(len(d.Changes) > 0 || d.Before.PackagesSHA256 == d.After.PackagesSHA256)
}

// system is one that is being made.
type system struct {
	kind     kind
	release  string
	packages map[string]Package
	removed  map[string]bool
}

func systemIn(systems map[string]*system, name string) *system {
	of := systems[name]
	if of == nil {
		of = &system{kind: System{Name: name}.kind(), packages: map[string]Package{}, removed: map[string]bool{}}
		systems[name] = of
	}
	return of
}

func (s *system) add(d patch.InstanceDetails) {
	if s.kind.compare(s.release, d.After.Release) < 0 {
		s.release = d.After.Release
	}
	for _, change := range d.Changes {
		if change.To == "" {
			s.removed[change.Name] = true
		}
		for _, version := range change.Arrived() {
			s.proved(change.Name, version, strings.Fields(change.From))
		}
	}
}

func (s *system) proved(name, version string, before []string) {
	known, was := s.packages[name]
	if !was || s.kind.compare(known.Version, version) < 0 {
		known.Name, known.Version = name, version
	}
	if len(before) == 0 {
		before = []string{""}
	}
	known.From = slices.Compact(slices.Sorted(slices.Values(append(known.From, before...))))
	s.packages[name] = known
}

func (s *system) told(name string) System {
	told := System{Name: name, Release: s.release, Removed: slices.Sorted(maps.Keys(s.removed))}
	for _, of := range slices.Sorted(maps.Keys(s.packages)) {
		told.Packages = append(told.Packages, s.packages[of])
	}
	return told
}

// Of is what was proved on a machine's system; nil: nothing was.
func (m Manifest) Of(machine patch.MachineFacts) *System {
	return m.Named(NameOf(machine))
}
