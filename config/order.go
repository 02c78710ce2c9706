package config

import "github.com/patchtide/patchtide/internal/patch"

// checkOrder refuses a soak between zones that are not taken one after the other, and a canary that is watched for less
// long than the others.
func (v *validator) checkOrder(at string, stage Stage) {
	if stage.ZoneSoak > 0 && stage.Order != patch.OrderZone && stage.Order != "" {
		v.doc.Problem(at+".zone_soak", "needs zones that are taken one after the other; write order: zone, or leave it out")
	}
	if stage.Canary != nil && stage.Canary.Bake > 0 && stage.Canary.Bake < stage.Bake {
		bake := shortDuration(stage.Bake.D())
		v.doc.Problem(at+".canary.bake", "%s is shorter than the stage's bake, %s: a canary is watched for longer; "+
			"write bake: %s or more", shortDuration(stage.Canary.Bake.D()), bake, bake)
	}
}

// checkExclude refuses tags that would choose every instance.
func (v *validator) checkExclude(at string, exclude *Exclude) {
	if exclude == nil {
		return
	}
	if v.doc.Has(at+".tags") && len(exclude.Tags) == 0 {
		v.doc.Problem(at+".tags", "is empty and would exclude nobody; write it like tags: {Patch: never}, or leave it out")
	}
	v.checkTags(at+".tags", exclude.Tags)
}
