package patch

import (
	"fmt"
	"slices"
)

// Adopted names, in place of a file's, whatever patch baseline Systems Manager has for each instance: as plans write
// it. No file can be called so.
const (
	Adopted        = "{adopt: true}"
	AdoptedWindows = "{adopt: true, platform: windows}"
)

// AdoptedOn is the name for a platform.
func AdoptedOn(platform Platform) string {
	if platform == Windows {
		return AdoptedWindows
	}
	return Adopted
}

// Adopts reports whether a plan's baseline is whatever Systems Manager has for each instance, and on which platform.
func Adopts(baseline string) (platform Platform, is bool) {
	switch baseline {
	case Adopted:
		return Linux, true
	case AdoptedWindows:
		return Windows, true
	}
	return "", false
}

// JudgedBy says by which baseline an instance is judged that Systems Manager has for it.
func JudgedBy(baselineID string) string {
	return fmt.Sprintf("judged by the patch baseline %s, which Systems Manager has for it", baselineID)
}

// JudgedEach says of instances by which baselines they were judged, each once; "" is one of which that is not known.
func JudgedEach(baselines []string) (said []string) {
	known := slices.DeleteFunc(slices.Sorted(slices.Values(baselines)), func(one string) bool { return one == "" })
	for len(known) > 0 {
		one, count := known[0], 0
		for count < len(known) && known[count] == one {
			count++
		}
		said = append(said, fmt.Sprintf("%d judged by the patch baseline %s, which Systems Manager has for them", count, one))
		known = known[count:]
	}
	return said
}

// checkAdopted refuses an instance of another platform than the plan says, or of a system that Patchtide does not
// patch: which baseline judges is Systems Manager's affair, and how it is asked and proven is not.
func checkAdopted(v View, platform Platform) (found []*Refusal) {
	for _, member := range v.members() {
		if member.Runs.Name == "" { // of a silent agent nobody knows, which another check tells
			continue
		}
		runs, on := SystemOf(member.Runs.Name, member.Runs.Version), Linux
		if runs == "WINDOWS" {
			on = Windows
		}
		switch {
		case runs == "":
			found = append(found, v.notPatched(member)...)
		case on != platform:
			found = append(found, v.refuseOf(member.ID, fmt.Sprintf("it runs %s, and its baseline %s is for %s", member.Runs,
				AdoptedOn(platform), platform), "write baseline: "+AdoptedOn(on)+" in its group or stage")...)
		}
	}
	return found
}
