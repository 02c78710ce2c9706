package world

import (
	"cmp"
	"slices"
	"strings"
)

// forms are the texts that the node's own code makes of a package, any of which an override list may match: of rpm from
// name, architecture, epoch, version and release; of dpkg, whose version carries its epoch, from name, architecture and
// version; of Windows the id. Upper and lower case are the same (patch_common/package_matcher of AWS-RunPatchBaseline).
func (p Patch) forms(os *OperatingSystem) []string {
	if os.Windows() {
		return []string{p.ID, p.title()}
	}
	name, arch := p.ID, ""
	if dot := strings.LastIndex(p.ID, "."); dot > 0 {
		name, arch = p.ID[:dot], p.ID[dot+1:]
	}
	if slices.Contains([]string{"UBUNTU", "DEBIAN", "RASPBIAN"}, os.SSM) {
		v := strings.TrimPrefix(p.Version, "0:")
		return []string{name, v, name + "." + arch, name + "-" + v, arch + ":" + v, name + "." + arch + ":" + v}
	}
	epoch, rest, _ := strings.Cut(p.Version, ":")
	v, release, _ := strings.Cut(rest, "-")
	vr := v + "-" + release
	return []string{
		name, name + "." + arch, name + "-" + vr + "." + arch, name + "-" + v, name + "-" + vr,
		epoch + ":" + name + "-" + vr + "." + arch, name + "-" + epoch + ":" + vr + "." + arch, name + "-" + epoch + ":" + vr,
		v, vr, epoch + ":" + vr, name + "." + arch + ":" + epoch + ":" + vr,
	}
}

// matches reports whether an entry names the package: its id, and its title where it has one.
func (e overrideEntry) matches(os *OperatingSystem, p Patch) bool {
	forms := p.forms(os)
	is := func(pattern string) bool {
		return slices.ContainsFunc(forms, func(form string) bool {
			return Matches(strings.ToLower(pattern), strings.ToLower(form))
		})
	}
	return is(e.ID) && (e.Title == "" || os.Windows() || is(e.Title))
}

// releaseIDs are the ID of /etc/os-release by Systems Manager's name of the operating system.
var releaseIDs = map[string]string{
	"AMAZON_LINUX": "amzn", "AMAZON_LINUX_2": "amzn", "AMAZON_LINUX_2023": "amzn", "UBUNTU": "ubuntu", "DEBIAN": "debian",
	"RASPBIAN": "raspbian", "REDHAT_ENTERPRISE_LINUX": "rhel", "ROCKY_LINUX": "rocky", "ALMA_LINUX": "almalinux",
	"CENTOS": "centos", "ORACLE_LINUX": "ol", "SUSE": "sles", "WINDOWS": "windows",
}

// releaseID is what the machine calls its operating system; the scenario's name of one that has none.
func (os *OperatingSystem) releaseID() string { return cmp.Or(releaseIDs[os.SSM], os.Name) }
