package config

import (
	"fmt"
	"slices"

	"github.com/patchtide/patchtide/internal/patch"
)

// checkSteps refuses steps that do not rise, or do not end with all, and what is asked after the last.
func (v *validator) checkSteps(at string, stage Stage) {
	if !v.doc.Has(at + ".steps") {
		return
	}
	const example = "steps: [1, 10%, 50%, 100%]"
	v.notEmpty(at+".steps", len(stage.Steps), example+", or leave it out")
	if stage.Canary != nil {
		v.doc.Problem(at+".steps", "is beside a canary, which is a first step with a longer bake; write one of them, like "+
			"steps: [{to: 1, soak: 1h}, 100%%], or canary: {instances: 1, bake: 1h}")
	}
	for i, step := range stage.Steps {
		place := fmt.Sprintf("%s.steps[%d]", at, i)
		v.checkRises(place, step.To, stage.Steps[:i])
		if i < len(stage.Steps)-1 {
			continue
		}
		if step.To != patch.Percent(100) && step.To != (patch.Share{}) {
			v.doc.Problem(place, "is the last step and takes %s, which leaves the others unpatched; end with all, like %s",
				step.To, example)
		}
		if step.Soak != nil {
			v.doc.Problem(place+".soak", "is after the last step, which no other follows; remove it, or write after: %s in the "+
				"next stage", shortDuration(step.Soak.Duration.D()))
		}
		if step.Approval != nil {
			v.doc.Problem(place+".approval", "is after the last step, which no other follows; remove it, or write approval in "+
				"the next stage")
		}
	}
}

// checkRises refuses a step that goes no further than one before it. A number and a percentage cannot be compared: what
// is patched already is not patched again.
func (v *validator) checkRises(at string, to patch.Share, before []Step) {
	for _, earlier := range slices.Backward(before) {
		if (earlier.To.Percent > 0) != (to.Percent > 0) {
			continue
		}
		if to.Percent < earlier.To.Percent || to.Count < earlier.To.Count || to == earlier.To {
			v.doc.Problem(at, "takes %s after a step that takes %s: each goes further than those before; write them like "+
				"steps: [1, 10%%, 50%%, 100%%]", to, earlier.To)
		}
		return
	}
}
