package patch_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestAPreviewTellsOfTheImage(t *testing.T) {
	next := patch.NextImage{Images: []string{"ami-1"}, From: "version 3 of the launch template web"}
	for _, c := range []struct {
		name string
		came []string
		next *patch.NextImage
		why  string
		says string
	}{
		{"they came from it", []string{"i-0000", "i-0001"}, &next, "", ": what it launches next comes from ami-1 (version 3 of " +
			"the launch template web), as 2 of these did, and will lack what they miss now, up to 2 patches, unless it installs " +
			"them as it first boots: its image is not renewed"},
		{"it has another by now", []string{"i-0009"}, &next, "", ""},
		{"it could not be read", nil, nil, "denied", ": which image it launches next is not known: denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			reading := readGroup(previewG, 3, 2)
			reading.Next, reading.NextWhy = c.next, c.why
			next.Came = c.came
			p := preview(planOf(patch.Stage{
				Name: "production", Groups: []patch.Group{previewG}, MaxUnavailable: patch.Instances(1),
			}), reading)
			if c.says == "" {
				require.NotContains(t, strings.Join(p.Notes, ""), "what it launches next")
				return
			}
			require.Contains(t, p.Notes, previewG.String()+c.says)
		})
	}
}

func TestAPolicyTellsAheadWhatItDoesToALaunch(t *testing.T) {
	launch := patch.Launch{
		TemplateName: "web", Follows: patch.FollowsDefault, Version: 3, Default: 3, Latest: 3, Image: "ami-1",
	}
	const once = "once all of it is patched, its next image is made of one of those patched, is tried by an instance of its " +
		"own outside the group, and goes into a new version of the launch template web, "
	for _, c := range []struct {
		name    string
		promote patch.ImagePromote
		follows string
		says    string
	}{
		{"made the default", patch.PromoteDefault, patch.FollowsDefault, once + "its default from then on; until then it " +
			"launches from ami-1 (version 3)"},
		{"the latest, which the group follows", patch.PromoteLatest, patch.FollowsLatest, once + "whose default stays; until " +
			"then it launches from ami-1 (version 3)"},
		{"the latest, which it does not follow", patch.PromoteLatest, patch.FollowsDefault, once + "whose default stays, so " +
			"that the group does not launch from it; until then it launches from ami-1 (version 3)"},
		{"a number", patch.PromoteDefault, "3", once + "which the group is given by its number; until then it launches from " +
			"ami-1 (version 3)"},
		{"the latest, of one that names a number", patch.PromoteLatest, "3", once + "whose default stays, so that the group " +
			"does not launch from it; until then it launches from ami-1 (version 3)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			launch.Follows = c.follows
			require.Equal(t, c.says, patch.ImagePolicy{From: patch.ImagePatched, Promote: c.promote}.Ahead(launch))
		})
	}
}

func TestAnImageThatLacksWhatWasInstalledIsStale(t *testing.T) {
	patched := func(id string, missing int) patch.InstanceResult {
		return patch.InstanceResult{ID: id, Outcome: patch.Patched, MissingBefore: missing}
	}
	next := patch.NextImage{
		Images: []string{"ami-1"}, From: "version 3 of the launch template web", Came: []string{"i-1", "i-2", "i-3"},
	}
	for _, c := range []struct {
		name      string
		next      patch.NextImage
		instances []patch.InstanceResult
		says      string
		root      *patch.RootImage
		renewal   *patch.ImageRenewal
	}{
		{
			name: "it was renewed, by another than theirs", next: next, root: &patch.RootImage{ID: "ami-2"},
			instances: []patch.InstanceResult{patched("i-8", 6)}, renewal: &patch.ImageRenewal{Image: "ami-1", Proven: true},
		},
		{
			name: "they were made of another", next: next, root: &patch.RootImage{ID: "ami-2"},
			instances: []patch.InstanceResult{patched("i-8", 6), patched("i-9", 2)}, // EC2 says ami-2 of them by now
			says: "image stale: what it launches next comes from ami-1 (version 3 of the launch template web), and not from ami-2, " +
				"of which the root volumes of those patched were made: it may lack what they lacked, up to 6 patches, unless it " +
				"installs them as it first boots; give it that image, or patch it again after it has scaled",
		},
		{
			name: "they were made of the same", next: next, root: &patch.RootImage{ID: "ami-1"},
			instances: []patch.InstanceResult{patched("i-1", 6)},
		},
		{
			name: "they were made of an image, and what comes next is not known", root: &patch.RootImage{ID: "ami-1"},
			next: patch.NextImage{Unknown: "it has the launch configuration web"}, instances: []patch.InstanceResult{patched("i-1", 6)},
			says: "whether what it launches next has these patches is not known: it has the launch configuration web",
		},
		{
			"those patched came from it", next,
			[]patch.InstanceResult{patched("i-1", 2), patched("i-2", 6), patched("i-9", 40)},
			"image stale: what it launches next comes from ami-1 (version 3 of the launch template web), as 2 of those patched " +
				"did, and lacks what they lacked, up to 6 patches, unless it installs them as it first boots; give it an image that " +
				"has them, or patch it again after it has scaled", nil, nil,
		},
		{"it has another image by now", next, []patch.InstanceResult{patched("i-9", 40)}, "", nil, nil},
		{
			"nothing is left patched", next,
			[]patch.InstanceResult{{ID: "i-1", Outcome: patch.RolledBack, MissingBefore: 6}},
			"", nil, nil,
		},
		{
			"nothing was missing", next,
			[]patch.InstanceResult{{ID: "i-1", Outcome: patch.AlreadyCompliant}},
			"", nil, nil,
		},
		{
			"its image is not known",
			patch.NextImage{Unknown: "it has the launch configuration web"},
			[]patch.InstanceResult{patched("i-1", 6)},
			"whether what it launches next has these patches is not known: it has the launch configuration web", nil, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.says, c.next.Stale(c.instances, c.root, c.renewal)) })
	}
}
