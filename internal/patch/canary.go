package patch

// Left is how many canaries of a group are still to be patched. Who was put back, was skipped or had nothing to do
// proved nothing: the next one is the canary in its place.
func (c *Canary) Left(instances []InstanceResult) int {
	if c == nil {
		return 0
	}
	return max(c.Instances-CountPatched(instances), 0)
}

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
