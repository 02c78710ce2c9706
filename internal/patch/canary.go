package patch

// Longer is how much longer a canary is watched than the others of its stage.
func (c *Canary) Longer(bake Duration) Duration {
	if c == nil {
		return 0
	}
	return max(c.Bake-bake, 0)
}

// AsCanary is the policy of a canary: it bakes for longer, and takes longer by as much.
func (p Policy) AsCanary() Policy {
	p.Bake, p.Estimates = asCanary(p.Canary, p.Bake, p.Estimates)
	return p
}

// AsCanary is the stage as a canary of it knows it, with its plan.
func (p Plan) AsCanary(stage Stage) (Plan, Stage) {
	stage.Bake, p.Estimates = asCanary(stage.Canary, stage.Bake, p.Estimates)
	return p, stage
}

func asCanary(canary *Canary, bake Duration, estimates *Estimates) (Duration, *Estimates) {
	longer := canary.Longer(bake)
	if estimates != nil {
		later := *estimates
		later.Patch += longer
		estimates = &later
	}
	return bake + longer, estimates
}
