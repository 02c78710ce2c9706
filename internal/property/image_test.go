package property

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// drawImage has a wave renew the image that its groups launch from, or replace production's root volumes by one of what
// staging proves.
func (s *script) drawImage(t *rapid.T) {
	s.Plan.Image = rapid.SampledFrom([]string{
		"", "", "", string(patch.PromoteDefault), string(patch.PromoteLatest), string(patch.PromoteNone),
	}).Draw(t, "image")
	if s.Plan.Image != "" {
		s.Plan.Keep = rapid.IntRange(0, 2).Draw(t, "keep")
	}
	// An image takes what managed nodes have not, and a plan that keeps no root volume could not be put back.
	s.Plan.ByImage = s.Staging > 0 && s.Plan.Pin && rapid.Bool().Draw(t, "by image")
	if s.Plan.ByImage {
		s.Plan.Backup, s.Plan.Restore = "", ""
	}
}

// image has a stage renew the image of its groups, and replace root volumes.
func (p scriptPlan) image(stage *patch.Stage) {
	if p.Image != "" {
		stage.Image = &patch.ImagePolicy{From: patch.ImagePatched, Promote: patch.ImagePromote(p.Image), Keep: 1 + p.Keep}
	}
	if p.ByImage {
		stage.Method = patch.MethodImage
	}
}

// launching is what a group launches its next instance from.
type launching struct{ image, version string }

func launchingOf(group *world.ScalingGroup) launching {
	_, version, err := group.Template.Version(group.TemplateVersion)
	if err != nil {
		return launching{}
	}
	return launching{image: version.Image, version: group.TemplateVersion}
}

// imagesWrong is what must be so of images: none half made, nobody launches an unproven one, and a group that was put
// back launches what it did before, unless it is told that it does not.
func (p *play) imagesWrong() []string {
	found := p.ImageOpen(p.result)
	if p.result == nil || p.script.Plan.Image == "" {
		return found
	}
	p.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Production).Region(wavetest.Tokyo)
		for _, stage := range p.result.Stages {
			for _, group := range stage.Groups {
				scaling, err := region.ScalingGroup(group.Name)
				if err != nil || group.Account != "production" || group.Outcome != patch.RolledBack || len(p.stranded) > 0 {
					continue
				}
				if was, is := p.launched[group.Name], launchingOf(scaling); was.image != is.image {
					found = append(found, fmt.Sprintf("%s was put back, and launches %s in place of %s", group.Name, is.image,
						was.image))
				}
			}
		}
	})
	return found
}

// noteImages notes what groups launch before the wave. It runs under the simulator's lock.
func (p *play) noteImages(region *world.Region) {
	p.launched = map[string]launching{}
	for _, group := range region.ScalingGroups() {
		p.launched[group.Name] = launchingOf(group)
	}
}
