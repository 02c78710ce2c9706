package manifest

import (
	"slices"
	"strings"
)

// Machine is a list of packages as a machine tells it, lines "name.arch epoch:version-release", by name.
type Machine map[string][]string

// Read reads the lines of a list.
func Read(lines []string) Machine {
	machine := Machine{}
	for _, line := range lines {
		if fields := strings.Fields(line); len(fields) > 1 { // what follows is a state of dpkg
			machine[fields[0]] = append(machine[fields[0]], fields[1])
		}
	}
	return machine
}

// Due are the packages of the manifest that a machine holds in an older version, and Ahead those that it holds in a
// newer one, which nobody takes back. What it does not hold at all is not its own to get: it comes only with what needs
// it.
type Due struct {
	Due   []Package
	Ahead []string // "name.arch 0:2-1, proven is 0:1-1"
}

// Due says what a machine lacks of what was proved on its system.
func (s System) Due(machine Machine) Due {
	var found Due
	kind := s.kind()
	for _, one := range s.Packages {
		held := machine[one.Name]
		switch {
		case slices.Contains(held, one.Version):
		case kind == kindWindows:
			found.Due = append(found.Due, one)
		case len(held) == 0:
		default:
			newest := slices.MaxFunc(held, kind.compare)
			if kind.compare(newest, one.Version) > 0 {
				found.Ahead = append(found.Ahead, one.Name+" "+newest+", proven is "+one.Version)
				continue
			}
			found.Due = append(found.Due, one)
		}
	}
	return found
}

// Verdict says whether a machine now holds what was proved, and nothing that was not.
type Verdict struct {
	Missing  []string // "name.arch 0:2-1": due, and not there
	Unproven []string // "name.arch 0:3-1": it came, and no machine of staging has proved it
}

// Proven reports whether nothing is to be said against it.
func (v Verdict) Proven() bool { return len(v.Missing)+len(v.Unproven) == 0 }

// Verify compares what a machine held before its install with what it holds now.
func (s System) Verify(before, now Machine) Verdict {
	var verdict Verdict
	for _, one := range s.Due(before).Due {
		if !slices.Contains(now[one.Name], one.Version) {
			verdict.Missing = append(verdict.Missing, one.Name+" "+one.Version)
		}
	}
	for name, versions := range now {
		for _, version := range versions {
			if slices.Contains(before[name], version) || s.proves(name, version) {
				continue
			}
			verdict.Unproven = append(verdict.Unproven, name+" "+version)
		}
	}
	for name := range before {
		if len(now[name]) == 0 && !slices.Contains(s.Removed, name) {
			verdict.Unproven = append(verdict.Unproven, name+" was removed")
		}
	}
	slices.Sort(verdict.Missing)
	slices.Sort(verdict.Unproven)
	return verdict
}

// Foresee is what Verify would say of what a machine would hold once what is due had come, with what comes beside it
// and what goes, lines of lists both.
func (s System) Foresee(before Machine, beside, gone []string) Verdict {
	now := Machine{}
	for name, versions := range before {
		now[name] = slices.Clone(versions)
	}
	for _, one := range s.Due(before).Due {
		now[one.Name] = append(now[one.Name], one.Version)
	}
	for name, versions := range Read(beside) {
		now[name] = append(now[name], versions...)
	}
	for name, versions := range Read(gone) {
		now[name] = slices.DeleteFunc(now[name], func(version string) bool { return slices.Contains(versions, version) })
	}
	return s.Verify(before, now)
}

func (s System) proves(name, version string) bool {
	return slices.ContainsFunc(s.Packages, func(one Package) bool { return one.Name == name && one.Version == version })
}

func (s System) kind() kind {
	os, _, _ := strings.Cut(s.Name, " ")
	return kindOf(strings.ToLower(os))
}
