package world

// Override is an instance type that a group launches instead of its launch template's.
type Override struct {
	Type string `yaml:"type"`
	// Weight is how many units of desired one of it is; 0: the group counts instances. Of a group whose DesiredType is
	// vcpu or memory-mib it is what AWS finds out by itself.
	Weight int `yaml:"weight"`
}

// nextType is the instance type that the group launches next. Which one AWS takes is up to allocation strategies and
// what is free: here each in its turn.
func (g *ScalingGroup) nextType(usual string) string {
	if len(g.Mixed) == 0 {
		return usual
	}
	g.turn++
	return g.Mixed[(g.turn-1)%len(g.Mixed)].Type
}

// weightOf is what an instance of that type weighs in the group; 0 where it counts instances, or knows no such type.
func (g *ScalingGroup) weightOf(kind string) int {
	for _, override := range g.Mixed {
		if override.Type == kind {
			return override.Weight
		}
	}
	return 0
}

// Weight is what AWS tells as the member's weighted capacity; 0: it tells none.
func (m *Member) Weight() int { return m.weight }

// Forget has AWS tell no weight of the member.
func (m *Member) Forget() { m.weight = 0 }

// Units is how much of desired the member is.
func (m *Member) Units() int { return max(m.weight, 1) }

// standbyUnits is by how much standby takes desired down, and back up.
func (g *ScalingGroup) standbyUnits(members []*Member) int {
	if g.Region.World.Has(DoubtStandbyCountsInstances) {
		return len(members)
	}
	units := 0
	for _, member := range members {
		units += member.Units()
	}
	return units
}
