package world

import (
	"slices"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// States of what is in a warm pool.
const (
	WarmStopped    = "Stopped"
	WarmRunning    = "Running"
	WarmHibernated = "Hibernated"
)

// WarmPool is a group's pool of prepared instances, which come into service before new ones are launched.
type WarmPool struct {
	MinSize     int
	MaxPrepared int    // prepared and in service together; negative: the group's max
	State       string // one of the above; empty: Stopped
}

// WarmPool is the group's warm pool; nil when it has none.
func (g *ScalingGroup) WarmPool() *WarmPool { return g.pool }

// Warm lists the instances of the warm pool.
func (g *ScalingGroup) Warm() []*Instance { return slices.Clone(g.warm) }

// SetWarmPool gives the group a warm pool, or takes it away with its instances. One that hibernates needs a launch
// template whose instances can.
func (g *ScalingGroup) SetWarmPool(pool *WarmPool) error {
	if pool != nil && pool.State == WarmHibernated && !g.launchesHibernating() {
		return api.Errorf(
			"ValidationError",
			"The launch template of Auto Scaling group %s does not enable hibernation, which a warm pool of state Hibernated "+
				"needs.",
			g.Name,
		)
	}
	g.pool = pool
	g.Region.Changed("group", g.Name, "warm pool changed")
	g.Region.resettle()
	return nil
}

// WarmState is the lifecycle state of an instance of the warm pool.
func (g *ScalingGroup) WarmState(i *Instance) string {
	switch {
	case i.State == Stopped && i.asleep != nil:
		return "Warmed:Hibernated"
	case i.State == Stopped:
		return "Warmed:Stopped"
	case i.State == Running && g.pool != nil && g.pool.State == WarmRunning:
		return "Warmed:Running"
	}
	return "Warmed:Pending"
}

// keepWarm fills the pool and stops what runs in it, or empties one that was taken away.
func (g *ScalingGroup) keepWarm() {
	g.warm = slices.DeleteFunc(g.warm, func(i *Instance) bool { return i.State == Terminated || i.State == ShuttingDown })
	size := 0
	if g.pool != nil {
		prepared := g.pool.MaxPrepared
		if prepared < 0 {
			prepared = g.Max
		}
		size = max(g.pool.MinSize, prepared-g.Desired)
	}
	for len(g.warm) > size {
		g.warm[len(g.warm)-1].Terminate()
		g.warm = g.warm[:len(g.warm)-1]
	}
	for _, instance := range g.warm {
		switch {
		case !instance.Up() || g.pool.State == WarmRunning:
		case g.pool.State == WarmHibernated && instance.Hibernates && instance.machine.appUp:
			_ = instance.Hibernate() // it runs, and can
		case g.pool.State != WarmHibernated || !instance.Hibernates: // one from before the template's change is stopped
			_ = instance.Stop() // it runs
		}
	}
	for len(g.warm) < size && !g.suspended("Launch") && g.retry == nil {
		zone := g.Zones[len(g.warm)%len(g.Zones)]
		instance, err := g.Region.Launch(g.launchSpec(zone))
		if err != nil {
			return // no capacity: the group's own launches tell so
		}
		g.warm = append(g.warm, instance)
	}
}

// fromWarm takes a prepared instance for service; nil when none is ready.
func (g *ScalingGroup) fromWarm() *Instance {
	for n, instance := range g.warm {
		if instance.State == Stopped || instance.Up() {
			g.warm = slices.Delete(g.warm, n, n+1)
			_ = instance.Start() // stopped or running: it starts
			return instance
		}
	}
	return nil
}
