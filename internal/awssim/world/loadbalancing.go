package world

// LoadBalancing is the part of a region that Elastic Load Balancing keeps.
type LoadBalancing struct{}

func (r *Region) buildLoadBalancing(RegionSpec) error { return nil }

// joinAtStart registers a standalone instance of the scenario, healthy, with the named target groups.
func (l *LoadBalancing) joinAtStart(*Region, *Instance, []string) {}
