package manifest

import (
	"strings"

	deb "github.com/knqyf263/go-deb-version"
	rpm "github.com/knqyf263/go-rpm-version"

	"github.com/patchtide/patchtide/internal/patch"
)

// kind is what keeps a machine's packages.
type kind int

const (
	kindRPM kind = iota
	kindDpkg
	kindWindows
)

// kindOf is by the ID of /etc/os-release, which is "windows" for Windows.
func kindOf(os string) kind {
	switch os {
	case "windows":
		return kindWindows
	case "debian", "ubuntu", "raspbian":
		return kindDpkg
	}
	return kindRPM
}

// wholeRelease are systems of which each release has repositories of its own: a package of 22.04 is none of 24.04. Of
// the others only the major version counts: 9.4 becomes 9.5 by patching.
var wholeRelease = []string{"ubuntu", "sles", "opensuse-leap", "windows"}

// NameOf is the system whose packages fit a machine: "amzn 2023", "ubuntu 22.04", "Windows Server 2022".
func NameOf(machine patch.MachineFacts) string {
	release := machine.Release
	if strings.HasPrefix(strings.ToLower(release), machine.OS+" ") { // Windows' release names it
		return release
	}
	for _, os := range wholeRelease {
		if machine.OS == os {
			return strings.TrimSpace(os + " " + release)
		}
	}
	major, _, _ := strings.Cut(release, ".")
	return strings.TrimSpace(machine.OS + " " + major)
}

// compare orders two versions as the machine's own tools do: 0, or whether the first is older or newer. Versions of
// Windows updates are not ordered.
func (k kind) compare(a, b string) int {
	if a == b {
		return 0
	}
	switch k {
	case kindDpkg:
		one, oneErr := deb.NewVersion(a)
		other, otherErr := deb.NewVersion(b)
		if oneErr == nil && otherErr == nil {
			return one.Compare(other)
		}
	case kindRPM:
		return rpm.NewVersion(a).Compare(rpm.NewVersion(b))
	case kindWindows:
	}
	return strings.Compare(a, b)
}
