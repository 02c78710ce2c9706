package patch

import (
	"slices"
	"strings"
)

// PreviewBound is what would bind a stage if the stages before proved nothing new, as far as that is known: of what
// earlier waves proved a wave carries only what machines of those stages hold by then, and adds what they prove in it.
type PreviewBound struct {
	Manifest *ManifestRef  `json:"manifest,omitempty"` // the plan's newest; nil: it has none yet
	Systems  []BoundSystem `json:"systems"`            // what it has
	// NotYet are patches that machines of the stage miss and it has not, "name.arch epoch:version": they come only once
	// this wave's stages before have proved them. Where the version is not known, the name counts.
	NotYet []string `json:"not_yet"`
	// Unproven is why newer manifests do not count.
	Unproven []string `json:"unproven,omitempty"`
	Unknown  string   `json:"unknown,omitempty"` // why none of it could be read
}

// BoundSystem is what was proved on one system.
type BoundSystem struct {
	Name     string         `json:"name"`
	Release  string         `json:"release,omitempty"`
	Packages []BoundPackage `json:"packages"`
}

// BoundPackage is a package in the version that it would be brought to.
type BoundPackage struct {
	Name   string   `json:"name"`
	From   []string `json:"from"` // versions that staging's machines had before; "" where one had none
	To     string   `json:"to"`
	WaveID string   `json:"wave_id"` // that proved it
	Due    int      `json:"due"`     // machines of the stage that miss it, by the last scans and by its name
}

// has reports whether a patch that is missing is among what binds.
func (b *PreviewBound) has(missing MissingPatch) (found bool) {
	for s := range b.Systems {
		for i := range b.Systems[s].Packages {
			one := &b.Systems[s].Packages[i]
			if one.Name != missing.ID {
				continue
			}
			one.Due++
			found = found || missing.Version == "" || missing.Version == one.To
		}
	}
	return found
}

// boundTo is what would bind a stage whose machines miss what they miss.
func (s PreviewStage) boundTo(newest *PreviewBound) *PreviewBound {
	if s.Pin != PinManifest || newest == nil {
		return nil
	}
	bound := *newest
	bound.Systems, bound.NotYet = slices.Clone(newest.Systems), []string{}
	for i := range bound.Systems {
		bound.Systems[i].Packages = slices.Clone(bound.Systems[i].Packages)
	}
	for _, group := range s.Groups {
		for _, instance := range group.Instances {
			for _, missing := range instance.Missing {
				if !bound.has(missing) {
					bound.NotYet = append(bound.NotYet, strings.TrimSpace(missing.ID+" "+missing.Version))
				}
			}
		}
	}
	slices.Sort(bound.NotYet)
	bound.NotYet = slices.Compact(bound.NotYet)
	return &bound
}

// short leaves out of what would bind what no machine of the stage misses.
func (b *PreviewBound) short() *PreviewBound {
	if b == nil {
		return nil
	}
	less := *b
	less.Systems = slices.Clone(b.Systems)
	for i := range less.Systems {
		less.Systems[i].Packages = slices.DeleteFunc(slices.Clone(less.Systems[i].Packages), func(p BoundPackage) bool {
			return p.Due == 0
		})
	}
	return &less
}

// TitledVersion is the version that a patch's title has behind its id, as AWS's node module writes that of rpm:
// "kernel.x86_64:0:6.1.1-1"; "" where it has another form. AWS's API says no more of a title than that it is one.
func TitledVersion(id, title string) string {
	version, is := strings.CutPrefix(title, id+":")
	if !is || strings.ContainsAny(version, " \t") {
		return ""
	}
	return version
}
