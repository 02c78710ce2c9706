package console

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// missingSet is what one or more instances of a group miss, in the same words: most groups have one, and it is told
// once.
type missingSet struct {
	name    string // A, B, ...
	patches []patch.MissingPatch
	held    map[string]string // versions that one of the group has of them; none: it was not asked
}

// told is a patch with the version that the machine has, where it was asked, and the one that would come.
func (s missingSet) told(missing patch.MissingPatch) string {
	versions := missing.Version
	if has := s.held[missing.ID]; has != "" {
		versions = has + " → " + cmp.Or(versions, "?")
	}
	return strings.TrimSpace(missing.ID + " " + versions)
}

type setsOfMissing struct {
	all []missingSet
	of  map[string]string // an instance's, by its id
}

func missingSets(group patch.PreviewGroup) setsOfMissing {
	sets := setsOfMissing{of: map[string]string{}}
	var held map[string]string
	if group.Held != nil {
		held = group.Held.Versions
	}
	for _, instance := range group.Instances {
		if len(instance.Missing) == 0 {
			continue
		}
		at := slices.IndexFunc(sets.all, func(s missingSet) bool { return slices.Equal(s.patches, instance.Missing) })
		if at < 0 {
			at = len(sets.all)
			sets.all = append(sets.all, missingSet{name: setName(at), patches: instance.Missing, held: held})
		}
		sets.of[instance.ID] = sets.all[at].name
	}
	return sets
}

// setName counts A to Z, then AA, AB and so on.
func setName(n int) string {
	const letters = 26
	name := string(rune('A' + n%letters))
	if n >= letters {
		return setName(n/letters-1) + name
	}
	return name
}
