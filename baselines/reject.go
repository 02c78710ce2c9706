package baselines

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// longestPatch is how long a name in a list of patches may be; one wildcard may stand in it.
const longestPatch = 100

// Rejecting is the baseline that rejects these patches beside its own, as far as Systems Manager's notation can name
// one version: of rpm as name.arch:epoch:version-release, of Windows by its id. On Debian and Ubuntu it takes names
// without a version only (user guide, Package name formats for approved and rejected patch lists), which would reject
// what comes after it as well: there nothing is rejected, and who would get it is not begun. Its error is that there
// are more than Systems Manager takes.
func (b Baseline) Rejecting(blocked patch.Blocks) (Baseline, error) {
	var names []string
	for _, one := range blocked {
		if name := b.rejection(one); name != "" {
			names = append(names, name)
		}
	}
	b = b.also(names)
	if count := len(b.rejected()); count > maxPatches {
		return b, fmt.Errorf("the baseline %s would reject %d patches with those that are blocked, and Systems Manager "+
			"takes %d: clear some of them (patchtide patch list), or take some out of its file", b.Name, count, maxPatches)
	}
	return b, nil
}

// also is the baseline that rejects these names beside its own, in one order for all who add the same.
func (b Baseline) also(names []string) Baseline {
	b.Rejected = slices.Clone(b.Rejected)
	own := b.rejected()
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !slices.Contains(own, name) {
			b.Rejected = append(b.Rejected, name)
		}
	}
	return b
}

// Forgiving is the baseline with what the one in Systems Manager rejects beside it of patches that are known to be, or
// to have been, blocked: of anything else somebody has made a difference.
func (b Baseline) Forgiving(got *ssm.GetPatchBaselineOutput, known patch.Blocks) Baseline {
	var names []string
	for _, one := range known {
		if name := b.rejection(one); name != "" && slices.Contains(got.RejectedPatches, name) {
			names = append(names, name)
		}
	}
	return b.also(names)
}

// MayForgive reports whether the one in Systems Manager rejects something beside it that is named as Rejecting names a
// single version: only then it matters what is blocked.
func (b Baseline) MayForgive(got *ssm.GetPatchBaselineOutput) bool {
	own := b.rejected()
	return slices.ContainsFunc(got.RejectedPatches, func(name string) bool {
		return b.namesOne(name) && !slices.Contains(own, name)
	})
}

// namesOne reports whether a name is of the form in which Rejecting names a single version.
func (b Baseline) namesOne(name string) bool {
	switch {
	case b.byName():
		return false
	case b.Platform == patch.Windows:
		return strings.HasPrefix(name, "KB") && !strings.Contains(name, "*")
	}
	return strings.Contains(name, ":")
}

// rejection is how the baseline names one that is blocked; "": it cannot.
func (b Baseline) rejection(one patch.BlockedPatch) string {
	switch {
	case one.Platform != b.Platform, b.byName(), b.Adopts: // what is another's is left as it is
		return ""
	case one.Platform == patch.Windows:
		return one.Name
	}
	name := one.Name + ":" + one.Version
	if !strings.Contains(one.Name, ".") { // of every architecture
		name = one.Name + "-" + one.Version + ".*"
	}
	if one.OfDebian() || len(name) > longestPatch { // a name that is cut would reject later versions, too
		return ""
	}
	return name
}

// Rejects reports whether the baseline can keep a patch that is blocked from its machines.
func (b Baseline) Rejects(one patch.BlockedPatch) bool { return b.rejection(one) != "" }

// byName reports whether lists of patches of the system hold names without versions.
func (b Baseline) byName() bool {
	return slices.Contains([]types.OperatingSystem{
		types.OperatingSystemDebian, types.OperatingSystemUbuntu, types.OperatingSystemRaspbian,
		types.OperatingSystemSuse, // its notation of a version is another, and no machine has proved ours
	}, b.OperatingSystem)
}
