package manifest

import (
	"strings"

	"github.com/goccy/go-yaml"
)

// entry is one of an InstallOverrideList. The node matches the id and the title with forms that it makes of a package's
// name, architecture, epoch, version and release: for rpm "name.arch" and "name.arch:epoch:version-release" are among
// them, for dpkg, whose versions carry their epoch, "name.arch" and the version alone (AWS's own code on the node; the
// guide's sample lists).
type entry struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title,omitempty"`
}

// List is the system's InstallOverrideList. The node takes of it what is installed there in another version and what
// its repositories have; with yum and apt, what the list names and is not to be had in that version keeps others that
// need it from being installed.
func (s System) List() ([]byte, error) {
	list := struct {
		Patches []entry `yaml:"patches"`
	}{Patches: []entry{}}
	for _, one := range s.Packages {
		item := entry{ID: one.Name}
		switch s.kind() {
		case kindRPM:
			item.Title = one.Name + ":" + one.Version
		case kindDpkg:
			item.Title = strings.TrimPrefix(one.Version, "0:")
		case kindWindows:
		}
		list.Patches = append(list.Patches, item)
	}
	return yaml.Marshal(list)
}
