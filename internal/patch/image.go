package patch

import (
	"fmt"
	"slices"
	"strings"
)

// NextImage is what an Auto Scaling group launches its next instance from.
type NextImage struct {
	Images []string // ids, the template's own first; none: they are not known
	From   string   // for people: "version 3 of the launch template web"
	// Unknown is why an image is not known: the template names a parameter, or there is none. "": all are.
	Unknown string
	Came    []string // ids of the group's instances that came from one of them, sorted
}

// Ahead says for people, before a wave, what it will leave as it is; "": nothing that is known.
func (n NextImage) Ahead(instances []PreviewInstance) string {
	missing := map[string]int{}
	for _, one := range instances {
		missing[one.ID] = one.MissingCount
	}
	return n.told(missing, "what it launches next comes from %s, as %d of these did, and will lack what they miss now, "+
		"up to %d patches, unless it installs them as it first boots: its image is not renewed")
}

// Stale says for people what the group's next instance lacks of what a wave has installed; "": nothing that is known.
// An image is not made anew by patching: whoever is launched from the one that the patched came from lacks what they
// lacked. root is the image of which the wave made their root volumes, after which EC2 tells that one as theirs; nil:
// their root volumes are their own. renewal is what the wave did to the image; nil: nothing.
func (n NextImage) Stale(instances []InstanceResult, root *RootImage, renewal *ImageRenewal) string {
	if renewal != nil && renewal.Proven && slices.Equal(n.Images, []string{renewal.Image}) {
		return ""
	}
	missing, most := map[string]int{}, 0
	for _, one := range instances {
		if one.Outcome.LeftPatched() {
			missing[one.ID], most = one.MissingBefore, max(most, one.MissingBefore)
		}
	}
	if root != nil && most > 0 && n.Unknown == "" && len(n.Images) > 0 {
		if slices.Equal(n.Images, []string{root.ID}) {
			return ""
		}
		return fmt.Sprintf("image stale: what it launches next comes from %s (%s), and not from %s, of which the root "+
			"volumes of those patched were made: it may lack what they lacked, up to %d patches, unless it installs them as it "+
			"first boots; give it that image, or patch it again after it has scaled", strings.Join(n.Images, ", "), n.From,
			root.ID, most)
	}
	return n.told(missing, "image stale: what it launches next comes from %s, as %d of those patched did, and lacks what "+
		"they lacked, up to %d patches, unless it installs them as it first boots; give it an image that has them, or "+
		"patch it again after it has scaled")
}

// ChangedSince reports whether the group was given another image since it was known to launch from one, or was said to
// launch from those that a sentence names; where neither is known it counts as the same.
func (n NextImage) ChangedSince(was, said string) bool {
	if was == "" && !strings.Contains(said, "ami-") || n.Unknown != "" || len(n.Images) == 0 {
		return false
	}
	return !slices.ContainsFunc(n.Images, func(id string) bool { return id == was || strings.Contains(said, id) })
}

// told fills in the image, how many of the instances came from it, and the most patches that one of them misses, or
// says that the image is not known.
func (n NextImage) told(missing map[string]int, said string) string {
	same, most := 0, 0
	for _, id := range n.Came {
		if missing[id] > 0 {
			same, most = same+1, max(most, missing[id])
		}
	}
	switch {
	case most > 0:
		return fmt.Sprintf(said, fmt.Sprintf("%s (%s)", strings.Join(n.Images, ", "), n.From), same, most)
	case n.Unknown != "":
		return "whether what it launches next has these patches is not known: " + n.Unknown
	}
	return ""
}
