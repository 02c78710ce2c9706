package patch

// leg is a part of a stage, in which some of each group's instances are taken: its canaries, then the others.
type leg struct {
	works  []Work
	begins []Duration // of each group, from the beginning of the stage
}

// legs are a stage's groups in time.
type legs struct {
	stage  Stage
	first  []int        // of each group: how many are canaries, or all of them
	soaks  [][]Duration // of each group: what has been waited between zones before each instance that is due
	parts  []leg
	takes  Duration
	longer Duration // what a canary takes beyond the others
}

// legsOf has a stage's groups taken as a wave takes them. zones are those of each group's instances that are due, in
// their order.
func legsOf(stage Stage, works []Work, zones [][]string, parallel int) *legs {
	l := &legs{stage: stage, longer: stage.Canary.Longer(stage.Bake)}
	canaries, others := make([]Work, len(works)), make([]Work, len(works))
	for i, work := range works {
		l.soaks = append(l.soaks, soaksOf(stage, zones[i]))
		first := work.Instances
		if stage.Canary != nil {
			first = min(first, stage.Canary.Instances)
		}
		l.first = append(l.first, first)
		canaries[i], others[i] = work, work
		canaries[i].Instances, others[i].Instances = first, work.Instances-first
		canaries[i].Each += l.longer
		canaries[i].Soaks = l.soaked(i, first)
		others[i].Soaks = l.soaked(i, work.Instances) - canaries[i].Soaks
		if others[i].Instances == 0 {
			others[i].First = 0 // room is made for nobody
		}
	}
	l.add(canaries, parallel)
	if stage.Canary != nil {
		l.add(others, parallel)
	}
	return l
}

func (l *legs) add(works []Work, parallel int) {
	begins, takes := Schedule(works, parallel)
	for i := range begins {
		begins[i] += l.takes
	}
	l.parts, l.takes = append(l.parts, leg{works, begins}), l.takes+takes
}

// soaksOf is what is waited between zones before each instance, in all.
func soaksOf(stage Stage, zones []string) []Duration {
	soaks := make([]Duration, len(zones))
	for k := 1; k < len(zones) && stage.Order == OrderZone; k++ {
		soaks[k] = soaks[k-1]
		if zones[k] != zones[k-1] {
			soaks[k] += stage.ZoneSoak
		}
	}
	return soaks
}

// soaked is what a group has waited between zones when so many were begun.
func (l *legs) soaked(group, begun int) Duration {
	if begun == 0 {
		return 0
	}
	return l.soaks[group][begun-1]
}

// groupTakes is how long a group's instances take, without what it waits for others.
func (l *legs) groupTakes(group int) (takes Duration) {
	for _, part := range l.parts {
		takes += part.works[group].Left()
	}
	return takes
}

// begins is when a group's instance is begun that is due after so many others, from the beginning of the stage.
func (l *legs) begins(group, others int) Duration {
	part, before := l.parts[0], others
	soaked := Duration(0)
	if others < len(l.soaks[group]) {
		soaked = l.soaks[group][others]
	}
	if l.stage.Canary != nil && others >= l.first[group] && l.first[group] > 0 {
		part, before = l.parts[1], others-l.first[group]
		soaked -= l.soaked(group, l.first[group])
	}
	return part.begins[group] + part.works[group].First + part.works[group].before(before) + max(soaked, 0)
}

// isCanary reports whether the instance of a group that is due after so many others is one.
func (l *legs) isCanary(group, others int) bool {
	return l.stage.Canary != nil && others < l.first[group]
}
