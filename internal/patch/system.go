package patch

import (
	"fmt"
	"strings"
)

// System is an operating system as the agent on it tells: "Amazon Linux" and "2023".
type System struct{ Name, Version string }

// String is the system's name as people know it.
func (s System) String() string { return strings.TrimSpace(s.Name + " " + s.Version) }

// SystemOf is Systems Manager's name of an operating system by what its agent reports. "" for one that Patchtide does
// not patch.
func SystemOf(platform, version string) string {
	for _, family := range families {
		if strings.HasPrefix(platform, family.says) {
			return family.is
		}
	}
	switch {
	case platform == "Amazon Linux" && strings.HasPrefix(version, "2023"):
		return "AMAZON_LINUX_2023"
	case platform == "Amazon Linux" && strings.HasPrefix(version, "2"):
		return "AMAZON_LINUX_2"
	case platform == "Ubuntu": // nothing else that begins so
		return "UBUNTU"
	}
	return ""
}

// families are the systems of which every version has one name in Systems Manager, by what their agents' platform
// begins with: the name of /etc/os-release, on Windows the caption.
var families = []struct{ says, is string }{
	{"Debian", "DEBIAN"},
	{"Red Hat Enterprise Linux", "REDHAT_ENTERPRISE_LINUX"},
	{"Rocky Linux", "ROCKY_LINUX"},
	{"AlmaLinux", "ALMA_LINUX"},
	{"Oracle Linux", "ORACLE_LINUX"},
	{"SLES", "SUSE"},
	{"SUSE Linux Enterprise", "SUSE"},
	{"Microsoft Windows", "WINDOWS"},
}

// checkSystem refuses an instance that runs another system than the plan's baseline is for: Systems Manager would judge
// it by a baseline of its own system.
func checkSystem(v View) []*Refusal {
	judges := v.Around.Judges
	if judges == nil {
		return nil
	}
	if platform, adopts := Adopts(judges.Baseline); adopts {
		return checkAdopted(v, platform)
	}
	if judges.System == "" {
		return nil
	}
	var found []*Refusal
	for _, member := range v.members() {
		runs := SystemOf(member.Runs.Name, member.Runs.Version)
		switch {
		case member.Runs.Name == "" || runs == judges.System: // of a silent agent nobody knows, which another check tells
		case runs == "":
			found = append(found, v.notPatched(member)...)
		default:
			found = append(found, v.refuseOf(member.ID, fmt.Sprintf("it runs %s, and the plan's baseline %s is for %s",
				member.Runs, judges.Baseline, judges.System),
				"name a baseline of its system as the `baseline` of its group or stage, or in a plan of its own")...)
		}
	}
	return found
}

func (v View) notPatched(member Member) []*Refusal {
	return v.refuseOf(member.ID, fmt.Sprintf("it runs %s, which Patchtide does not patch", member.Runs),
		"take it out of the plan; README, Limits, lists the systems that it patches")
}
