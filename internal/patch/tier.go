package patch

import (
	"slices"
)

// Tier is by what a group is patched that is not what the plan names: so one plan takes systems of several kinds in its
// order, as a database's before those of a web server.
type Tier struct {
	Baseline string   `json:"baseline"` // name of a file in baselines/
	Platform Platform `json:"platform"` // the baseline's
	Passes   int      `json:"passes"`   // how often install and reboot are repeated at most
}

// Of is the plan as one of its groups is patched by it.
func (p Plan) Of(group Group) Plan {
	if group.Tier != nil {
		p.Baseline, p.Platform, p.Passes = group.Tier.Baseline, group.Tier.Platform, group.Tier.Passes
	}
	return p
}

// ToldBaseline is the baseline that a group names for itself; "" where it goes by its plan's.
func (g Group) ToldBaseline() string {
	if g.Tier == nil {
		return ""
	}
	return g.Tier.Baseline
}

// Platforms lists those of the plan's groups, each once.
func (p Plan) Platforms() []Platform {
	platforms := []Platform{}
	for _, group := range p.Groups() {
		platforms = append(platforms, p.Of(group).Platform)
	}
	if len(platforms) == 0 {
		platforms = append(platforms, p.Platform)
	}
	slices.Sort(platforms)
	return slices.Compact(platforms)
}

// Baselines lists those that the plan's groups are judged by, each once.
func (p Plan) Baselines() []string {
	var names []string
	for _, group := range p.Groups() {
		names = append(names, p.Of(group).Baseline)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// PlatformOr is the group's platform, where its plan's is this one.
func (g Group) PlatformOr(ofPlan Platform) Platform { return Plan{Platform: ofPlan}.Of(g).Platform }
