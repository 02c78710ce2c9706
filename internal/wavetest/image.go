package wavetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Later does something in a moment, outside the simulator's lock.
func (s *Scene) Later(do func()) { s.Env.RegisterDelayedCallback(do, time.Second) }

// ImageOpen finds what a wave left open of an image: a trial that runs, an image that is neither proven nor marked as
// failed, a group that launches what is not proven, or that is told to launch what its members have and does not. What
// is told as stranded is told.
func (s *Scene) ImageOpen(result *patch.WaveResult) (found []string) {
	if result == nil {
		return nil
	}
	told := map[string]bool{}
	for _, stranded := range result.Stranded {
		told[stranded.Resource] = true
	}
	s.EachRegion(func(region *world.Region) {
		if len(told) == 0 {
			found = append(found, halfMade(region)...)
		}
	})
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			s.inRegionOf(group, func(region *world.Region) {
				if scaling, err := region.ScalingGroup(group.Name); err == nil {
					found = append(found, launchesUnproven(scaling, group, len(told) > 0)...)
				}
			})
		}
	}
	return found
}

func halfMade(region *world.Region) (found []string) {
	for _, instance := range region.Instances() {
		if instance.Tags[names.TagTrial] != "" && instance.State != world.Terminated && instance.State != world.ShuttingDown {
			found = append(found, fmt.Sprintf("%s tries an image and is %s", instance.ID, instance.State))
		}
	}
	for _, image := range region.Images() {
		if image.Tags[names.TagImage] != "" && image.Tags[names.TagImageState] == "making" {
			found = append(found, fmt.Sprintf("the image %s is %s, and neither proven nor marked as failed", image.ID,
				image.State()))
		}
	}
	return found
}

func launchesUnproven(scaling *world.ScalingGroup, group patch.GroupResult, told bool) (found []string) {
	_, version, err := scaling.Template.Version(scaling.TemplateVersion)
	if err != nil {
		return nil
	}
	image := scaling.Region.Image(version.Image)
	switch {
	case image == nil && (version.Image == "" || strings.HasPrefix(version.Image, "resolve:")):
		return nil // a parameter, or somebody else's doing
	case image == nil:
		return []string{fmt.Sprintf("%s launches %s, which is not there", scaling.Name, version.Image)}
	}
	if image.Tags[names.TagImage] != "" && image.Tags[names.TagImageState] != "proven" {
		found = append(found, fmt.Sprintf("%s launches %s, which is %q", scaling.Name, image.ID,
			image.Tags[names.TagImageState]))
	}
	if told || group.Image == nil || !group.Image.Reaches || group.Image.PutBack != "" {
		return found
	}
	for _, member := range scaling.Members() {
		if slices.ContainsFunc(group.LeftOut, func(out patch.Gap) bool { return out.Instance == member.Instance.ID }) {
			continue // excluded, and told so
		}
		if is := image.Disk().PackageList(); is != member.Instance.Disk().PackageList() {
			found = append(found, fmt.Sprintf("%s is told to launch what its members have, and %s differs from %s", scaling.Name,
				image.ID, member.Instance.ID))
		}
	}
	return found
}
