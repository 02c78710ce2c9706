package patch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// kernelPackages are RPMs that hold a kernel, beside those with its series in the name (kernel6.12): their versions are
// what a machine tells that runs them.
var kernelPackages = []string{
	"kernel", "kernel-core", "kernel-default", "kernel-uek", "kernel-uek-core", "kernel-lt", "kernel-ml",
}

// kernelImage begins the name of a deb that holds one, by what a machine tells that runs it.
const kernelImage = "linux-image-"

// isKernel reports whether an RPM of this name holds a kernel.
func isKernel(name string) bool {
	series, found := strings.CutPrefix(name, "kernel")
	return slices.Contains(kernelPackages, name) || found && series != "" && strings.Trim(series, "0123456789.") == ""
}

// oldKernel says that a kernel was installed and the machine has booted, and runs the one that it ran before: pinned in
// its boot loader, or out of room in /boot. Its patches are installed and in no effect. "" where that is not so, or not
// known: a deb that replaces a kernel under its own name is not told from the one before.
func (r PatchReport) oldKernel() string {
	runs := r.After.Kernel
	if r.Before.BootID == r.After.BootID || runs == "" || runs != r.Before.Kernel {
		return ""
	}
	var installed []string
	for _, change := range r.Changes {
		name := change.Name[:max(strings.LastIndex(change.Name, "."), 0)] // without the architecture
		image, is := strings.CutPrefix(name, kernelImage)
		if is && image != "" && image[0] >= '0' && image[0] <= '9' && change.From == "" {
			installed = append(installed, image)
		}
		if !isKernel(name) {
			continue
		}
		had := strings.Fields(change.From)
		for _, version := range strings.Fields(change.To) {
			if _, plain, ok := strings.Cut(version, ":"); ok && !slices.Contains(had, version) {
				installed = append(installed, plain)
			}
		}
	}
	if len(installed) == 0 || slices.ContainsFunc(installed, func(v string) bool { return strings.Contains(runs, v) }) {
		return ""
	}
	return fmt.Sprintf("the kernel %s (the machine has booted %s again: see its boot loader)",
		strings.Join(installed, ", "), runs)
}

// NewRelease says that an install has brought another release of the system, to which Amazon Linux locks its
// repositories; "" where it has not.
func (r PatchReport) NewRelease() string {
	if r.Before == nil || r.After == nil || r.Before.Release == r.After.Release {
		return ""
	}
	return fmt.Sprintf("the release went from %s to %s", r.Before.Release, r.After.Release)
}

// LockedTo is the release of Amazon Linux 2023 whose repositories the machine has: that of /etc/dnf/vars/releasever,
// else its own. "": those of the latest, or it is another system, which has no such releases.
func (f MachineFacts) LockedTo() string {
	const dated = 2 // 2023.6.20241010, which AWS releases every few weeks
	if f.OS != "amzn" || strings.Count(f.Release, ".") < dated || f.Releasever == "latest" {
		return ""
	}
	return cmp.Or(f.Releasever, f.Release)
}
