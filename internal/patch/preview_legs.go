package patch

// leg is a part of a stage, in which some of each group's instances are taken: its canaries or those of a step, then
// the others.
type leg struct {
	works  []Work
	begins []Duration // of each group, from the beginning of the stage
	first  []int      // of each group: how many that are due are taken before
}

// legs are a stage's groups in time.
type legs struct {
	stage  Stage
	soaks  [][]Duration // of each group: what has been waited between zones before each instance that is due
	parts  []leg
	takes  Duration
	longer Duration // what a canary takes beyond the others
}

// legsOf has a stage's groups taken as a wave takes them. zones are those of each group's instances that are due, in
// their order; of is how many the wave takes of each group, of which a step's percentage is.
func legsOf(stage Stage, works []Work, zones [][]string, of []int, parallel int) *legs {
	l := &legs{stage: stage, longer: stage.Canary.Longer(stage.Bake)}
	for i := range works {
		l.soaks = append(l.soaks, soaksOf(stage, zones[i]))
	}
	gates, taken := stage.Gates(), make([]int, len(works))
	for step := range len(gates) + 1 {
		part := leg{works: make([]Work, len(works)), first: append([]int{}, taken...)}
		for i, work := range works {
			to := work.Instances
			if step < len(gates) {
				to = min(to, max(gates[step].To.AtLeastOne(of[i]), taken[i]))
			}
			part.works[i] = l.part(i, work, taken[i], to, step == 0)
			taken[i] = to
		}
		l.add(part, parallel)
		if step < len(gates) {
			l.takes += gates[step].soaks()
		}
	}
	return l
}

// part is the work of a group's instances that are due from one to another, counted from 0.
func (l *legs) part(group int, work Work, from, to int, first bool) Work {
	work.Instances = to - from
	work.Soaks = l.soaked(group, to) - l.soaked(group, from)
	if first {
		work.Each += l.longer
	}
	if work.Instances == 0 {
		work.First = 0 // room is made for nobody
	}
	return work
}

func (l *legs) add(part leg, parallel int) {
	begins, takes := Schedule(part.works, parallel)
	for i := range begins {
		begins[i] += l.takes
	}
	part.begins = begins
	l.parts, l.takes = append(l.parts, part), l.takes+takes
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

// at is the part in which a group's instance is begun that is due after so many others.
func (l *legs) at(group, others int) int {
	at := 0
	for i, part := range l.parts {
		if others >= part.first[group] && part.works[group].Instances > 0 {
			at = i
		}
	}
	return at
}

// begins is when a group's instance is begun that is due after so many others, from the beginning of the stage.
func (l *legs) begins(group, others int) Duration {
	part := l.parts[l.at(group, others)]
	before := others - part.first[group]
	soaked := Duration(0)
	if others < len(l.soaks[group]) {
		soaked = l.soaks[group][others] - l.soaked(group, part.first[group])
	}
	return part.begins[group] + part.works[group].First + part.works[group].before(before) + max(soaked, 0)
}

// isCanary reports whether the instance of a group that is due after so many others is one.
func (l *legs) isCanary(group, others int) bool {
	return l.stage.Canary != nil && l.at(group, others) == 0 && others < l.parts[0].works[group].Instances
}

// stepOf is the step, counted from 1, in which a group's instance is taken that is due after so many others; 0 in a
// stage that has none.
func (l *legs) stepOf(group, others int) int {
	if len(l.stage.Steps) == 0 {
		return 0
	}
	return l.at(group, others) + 1
}
