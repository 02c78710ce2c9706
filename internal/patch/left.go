package patch

import "slices"

// With is the plan with groups of its stages that it does not name yet, as what groups left of a wave tells them.
func (p Plan) With(stages []Stage) Plan {
	p.Stages = slices.Clone(p.Stages)
	for _, stage := range stages {
		at := slices.IndexFunc(p.Stages, func(s Stage) bool { return s.Name == stage.Name })
		if at < 0 {
			p.Stages = append(p.Stages, stage)
			continue
		}
		groups := slices.Clone(p.Stages[at].Groups)
		for _, group := range stage.Groups {
			if !slices.ContainsFunc(groups, func(g Group) bool { return g.String() == group.String() }) {
				groups = append(groups, group)
			}
		}
		p.Stages[at].Groups = groups
	}
	return p
}

// With is the result with what groups told after it was written: each counts for its instances.
func (r WaveResult) With(stages []StageResult) WaveResult {
	r.Stages = slices.Clone(r.Stages)
	for _, stage := range stages {
		at := slices.IndexFunc(r.Stages, func(s StageResult) bool { return s.Name == stage.Name })
		if at < 0 {
			r.Stages = append(r.Stages, stage)
			continue
		}
		groups := slices.Clone(r.Stages[at].Groups)
		for _, group := range stage.Groups {
			same := func(g GroupResult) bool {
				return g.Account == group.Account && g.Region == group.Region && g.Name == group.Name
			}
			if i := slices.IndexFunc(groups, same); i >= 0 {
				group.Instances = Newest(groups[i].Instances, group.Instances)
				groups[i] = group
			} else {
				groups = append(groups, group)
			}
		}
		r.Stages[at].Groups = groups
	}
	return r
}
