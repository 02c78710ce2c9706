package property

import (
	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/patch"
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
