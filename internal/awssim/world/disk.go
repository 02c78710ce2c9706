package world

import (
	"maps"
	"slices"
	"strings"
)

// Disk is the content of a root volume: what a snapshot captures and a restore brings back. Packages that the image
// brought are shared between all its disks; only what changed since is kept per disk.
type Disk struct {
	os      *OperatingSystem
	app     App
	changed map[string]string
	// pending names the patches on this disk that take effect with the next boot only.
	pending []string
	// unbooted names all that was installed since it booted last, whether it takes effect with the next boot or at once.
	unbooted []string
	// locks names the packages that stay as they are.
	locks []string
	// releasever is what /etc/dnf/vars/releasever has; "": there is no such file.
	releasever string
}

// Package is one installed package.
type Package struct {
	Name    string // name.arch, or KB id
	Version string // epoch:version-release, or "installed"
}

func newDisk(os *OperatingSystem, image ImageSpec) *Disk {
	return &Disk{os: os, app: image.App, locks: slices.Clone(image.Locks), releasever: image.Releasever}
}

// Clone copies the content, as a snapshot does.
func (d *Disk) Clone() *Disk {
	return &Disk{
		os: d.os, app: d.app, changed: maps.Clone(d.changed), pending: slices.Clone(d.pending),
		unbooted: slices.Clone(d.unbooted), locks: slices.Clone(d.locks), releasever: d.releasever,
	}
}

// OS is the operating system on the disk.
func (d *Disk) OS() *OperatingSystem { return d.os }

// App is the application on the disk.
func (d *Disk) App() App { return d.app }

// Version is the installed version of a package; "" when it is not installed.
func (d *Disk) Version(name string) string {
	if version, ok := d.changed[name]; ok {
		return version
	}
	return d.os.Packages[name]
}

// Packages lists everything installed, sorted by name.
func (d *Disk) Packages() []Package {
	names := make([]string, 0, len(d.os.Packages)+len(d.changed))
	for name := range d.os.Packages {
		names = append(names, name)
	}
	for name := range d.changed {
		if _, known := d.os.Packages[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	packages := make([]Package, 0, len(names))
	for _, name := range names {
		packages = append(packages, Package{Name: name, Version: d.Version(name)})
	}
	return packages
}

// PendingReboot reports whether something installed waits for the next boot.
func (d *Disk) PendingReboot() bool { return len(d.pending) > 0 }

func (d *Disk) install(p Patch) {
	if d.changed == nil {
		d.changed = map[string]string{}
	}
	d.changed[p.ID] = p.Version
	if !slices.Contains(d.unbooted, p.ID) {
		d.unbooted = append(d.unbooted, p.ID)
	}
	if p.Reboot && !slices.Contains(d.pending, p.ID) {
		d.pending = append(d.pending, p.ID)
	}
}

// broken names the patch on this disk that breaks its application; "" when none does.
func (d *Disk) broken(catalogue []Patch) string {
	for _, patch := range catalogue {
		if patch.OS != d.os.Name || len(patch.Breaks) == 0 || d.Version(patch.ID) != patch.Version {
			continue
		}
		for _, breaks := range patch.Breaks {
			if breaks.App == d.app.Name && (breaks.Version == "" || breaks.Version == d.app.Version) {
				return patch.ID
			}
		}
	}
	return ""
}

// newer reports whether version a is newer than b, by the rules of RPM: epoch, then version, then release.
func newer(a, b string) bool { return compareVersions(a, b) > 0 }

func compareVersions(a, b string) int {
	aEpoch, aRest := cutEpoch(a)
	bEpoch, bRest := cutEpoch(b)
	if order := compareSegments(aEpoch, bEpoch); order != 0 {
		return order
	}
	aVersion, aRelease, _ := strings.Cut(aRest, "-")
	bVersion, bRelease, _ := strings.Cut(bRest, "-")
	if order := compareSegments(aVersion, bVersion); order != 0 {
		return order
	}
	return compareSegments(aRelease, bRelease)
}

func cutEpoch(version string) (epoch, rest string) {
	if epoch, rest, found := strings.Cut(version, ":"); found {
		return epoch, rest
	}
	return "0", version
}

// compareSegments walks both texts run by run: digits compare as numbers and beat letters, letters compare as text, and
// whichever has more left at the end is newer.
func compareSegments(a, b string) int {
	for {
		a, b = strings.TrimLeftFunc(a, isSeparator), strings.TrimLeftFunc(b, isSeparator)
		if a == "" || b == "" {
			return len(a) - len(b)
		}
		aRun, aDigits := leadingRun(a)
		bRun, bDigits := leadingRun(b)
		switch {
		case aDigits && !bDigits:
			return 1
		case !aDigits && bDigits:
			return -1
		}
		x, y := aRun, bRun
		if aDigits {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if len(x) != len(y) {
				return len(x) - len(y)
			}
		}
		if order := strings.Compare(x, y); order != 0 {
			return order
		}
		a, b = a[len(aRun):], b[len(bRun):]
	}
}

func isDigit(c rune) bool     { return c >= '0' && c <= '9' }
func isLetter(c rune) bool    { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isSeparator(c rune) bool { return !isDigit(c) && !isLetter(c) }

func leadingRun(text string) (run string, digits bool) {
	digits = isDigit(rune(text[0]))
	for i, c := range text {
		if digits && !isDigit(c) || !digits && !isLetter(c) {
			return text[:i], digits
		}
	}
	return text, digits
}

// lacks reports whether the patch applies and is not installed: on Linux the package is there in an older version, on
// Windows the KB is not there at all. One that comes after another is not seen before that one took effect.
func (d *Disk) lacks(p Patch) bool {
	if p.After != "" && (d.Version(p.After) == "" || slices.Contains(d.pending, p.After)) {
		return false
	}
	version := d.Version(p.ID)
	if d.os.Windows() {
		return version == ""
	}
	return version != "" && newer(p.Version, version)
}
