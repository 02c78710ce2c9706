package world

import (
	"errors"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// settle does what follows from the state of the group's instances: lifecycle steps, health, replacement, capacity.
func (g *ScalingGroup) settle() {
	for _, member := range g.Members() {
		g.step(member)
	}
	g.checkHealth()
	g.replaceUnhealthy()
	g.meetDesired()
	g.keepWarm()
	g.watchZones()
	g.driveRefresh()
	g.remember()
}

// step moves a member on that waits for its instance or for its targets to drain.
func (g *ScalingGroup) step(m *Member) {
	gone := m.Instance.State == Terminated
	switch m.State {
	case LifecyclePending, LifecyclePendingWait, LifecyclePendingProceed:
		switch {
		case gone || m.Instance.State == ShuttingDown:
			g.endFor(m.Instance.ID, "Failed")
			g.drop(m)
		case m.Instance.State == Running && m.change == nil && len(m.waits) == 0:
			g.arrive(m)
		}
	case LifecycleEnteringStandby:
		if g.drained(m) {
			m.become(LifecycleStandby)
			g.endFor(m.Instance.ID, "Successful")
		}
	case LifecycleTerminating, LifecycleTerminatingWait, LifecycleTerminatingProceed:
		if g.drained(m) && len(m.waits) == 0 &&
			(m.State != LifecycleTerminating || gone || !m.hold(HookTerminating, LifecycleTerminatingWait, false)) {
			m.Instance.Terminate()
		}
		if gone {
			g.endFor(m.Instance.ID, "Successful")
			g.drop(m)
		}
	case LifecycleDetaching:
		if g.drained(m) {
			delete(m.Instance.Tags, "aws:autoscaling:groupName")
			g.endFor(m.Instance.ID, "Successful")
			g.drop(m)
		}
	}
}

// arrive takes a running instance into service, after the hooks of its launch.
func (g *ScalingGroup) arrive(m *Member) {
	if m.State == LifecyclePending && !m.arrived {
		m.arrived = true
		if m.hold(HookLaunching, LifecyclePendingWait, m.returning) {
			return
		}
	}
	g.attachTargets(m)
	m.change = g.Region.World.After(serviceDelay, func() {
		m.change, m.returning = nil, false
		m.become(LifecycleInService)
		g.endFor(m.Instance.ID, "Successful")
		g.Region.resettle()
	})
}

func (g *ScalingGroup) attachTargets(m *Member) {
	if g.suspended("AddToLoadBalancer") {
		return
	}
	for _, target := range g.TargetGroups {
		_ = target.Register(m.Instance, 0) // the instance runs: the caller saw it
	}
}

func (g *ScalingGroup) detachTargets(m *Member) {
	for _, target := range g.TargetGroups {
		target.deregisterAll(m.Instance.ID)
	}
}

func (g *ScalingGroup) drained(m *Member) bool {
	return !slices.ContainsFunc(g.TargetGroups, func(t *TargetGroup) bool { return t.has(m.Instance.ID) })
}

// checkHealth marks members in service that EC2 or, for ELB health checks, a target group finds unwell. The mark is
// sticky. There are no health checks in standby: one that was terminated there stays listed.
func (g *ScalingGroup) checkHealth() {
	if g.suspended("HealthCheck") {
		return
	}
	for _, member := range g.members {
		if member.State != LifecycleInService || !member.Healthy || g.looksWell(member) {
			continue
		}
		member.Healthy = false
		g.Region.Changed("group", member.Instance.ID, "Unhealthy in "+g.Name)
	}
}

func (g *ScalingGroup) looksWell(m *Member) bool {
	switch m.Instance.State {
	case Stopping, Stopped, ShuttingDown, Terminated: // no grace for these
		return false
	}
	if g.inGrace(m) {
		return true
	}
	if m.Instance.StatusCheck() == "impaired" {
		return false
	}
	if g.HealthCheckType != "ELB" {
		return true
	}
	for _, group := range g.TargetGroups {
		if target := group.Find(m.Instance.ID, 0); target != nil && target.unwell() {
			return false
		}
	}
	return true
}

// inGrace reports whether the health check grace period still runs, and makes sure that somebody looks when it ends.
func (g *ScalingGroup) inGrace(m *Member) bool {
	left := m.Since.Add(g.Grace).Sub(g.Region.World.now)
	if left <= 0 {
		return false
	}
	if m.change == nil {
		m.change = g.Region.World.After(left, func() {
			m.change = nil
			g.Region.resettle()
		})
	}
	return true
}

func (g *ScalingGroup) replaceUnhealthy() {
	if g.suspended("ReplaceUnhealthy") || g.suspended("Terminate") {
		return
	}
	for _, member := range g.Members() {
		if member.State == LifecycleInService && !member.Healthy {
			g.terminate(member, "an instance was taken out of service in response to a health check failure")
		}
	}
}

// terminate drains and ends an instance; desired is not touched.
func (g *ScalingGroup) terminate(m *Member, cause string) {
	if m.Leaving() {
		return
	}
	m.change.Stop()
	m.change = nil
	m.dropWaits()
	g.begin("Terminating EC2 instance: ", m.Instance.ID, cause)
	m.become(LifecycleTerminating)
	g.detachTargets(m)
	g.Region.resettle()
}

// active counts what desired counts, in the group's units: instances in service and on their way there.
func (g *ScalingGroup) active() int {
	count := 0
	for _, member := range g.members {
		if member.counts() {
			count += member.Units()
		}
	}
	return count
}

func (g *ScalingGroup) meetDesired() {
	for g.active() < g.Desired && !g.suspended("Launch") && g.retry == nil {
		g.launch("an instance was started in response to a difference between desired and actual capacity, increasing the " +
			"capacity")
	}
	for g.active() > g.Desired && !g.suspended("Terminate") && !g.surplus {
		victim := g.victim()
		if victim == nil {
			return
		}
		g.terminate(victim, "an instance was taken out of service in response to a difference between desired and actual "+
			"capacity, shrinking the capacity")
	}
}

// launch starts one instance in the zone with the fewest and reports whether there was capacity for it.
func (g *ScalingGroup) launch(cause string) bool {
	if warm := g.fromWarm(); warm != nil {
		g.join(warm, cause)
		return true
	}
	zone := slices.MinFunc(g.Zones, func(a, b string) int { return g.inZone(a) - g.inZone(b) })
	instance, err := g.Region.Launch(g.launchSpec(zone))
	if err != nil {
		activity := g.begin("Launching a new EC2 instance", "", cause)
		var failure *api.Error
		message := err.Error()
		if errors.As(err, &failure) {
			message = failure.Message
		}
		g.end(activity, "Failed", message+" Launching EC2 instance failed.")
		g.retry = g.Region.World.After(launchRetry, func() {
			g.retry = nil
			g.Region.resettle()
		})
		g.launchFailed()
		return false
	}
	g.failing = time.Time{}
	g.join(instance, cause)
	return true
}

// launchFailed suspends Launch, as AWS does by itself, when no launch succeeded for a day.
func (g *ScalingGroup) launchFailed() {
	now := g.Region.World.now
	if g.failing.IsZero() {
		g.failing = now
	}
	if now.Sub(g.failing) < launchGiveUp || g.suspended("Launch") {
		return
	}
	g.suspendLaunch("launches failed for 24 hours")
}

func (g *ScalingGroup) suspendLaunch(why string) {
	g.Suspended["Launch"] = "Suspended by AWS at " + g.Region.World.now.UTC().Format("2006-01-02T15:04:05Z") + ": " + why
	g.Region.Changed("group", g.Name, "Launch suspended by AWS")
	g.Region.resettle()
}

func (g *ScalingGroup) join(instance *Instance, cause string) {
	g.begin("Launching a new EC2 instance: ", instance.ID, cause)
	g.members = append(
		g.members,
		&Member{
			Group: g, Instance: instance, State: LifecyclePending, Healthy: true, Protected: g.Protects,
			weight: g.weightOf(instance.Type),
		},
	)
	g.Region.Changed("group", instance.ID, "Pending in "+g.Name)
}

func (g *ScalingGroup) inZone(zone string) int {
	count := 0
	for _, member := range g.members {
		if member.Instance.Zone == zone && member.counts() {
			count++
		}
	}
	return count
}

// victim is whom the default termination policy chooses: from the fullest zone, the longest-lived unprotected instance.
// Without it there is still what is desired: with weights "current capacity will either be at the desired capacity or
// above it", says the guide.
func (g *ScalingGroup) victim() *Member {
	var chosen *Member
	for _, member := range g.members {
		if member.Protected || !member.counts() || g.active()-member.Units() < g.Desired {
			continue
		}
		switch {
		case chosen == nil, g.inZone(member.Instance.Zone) > g.inZone(chosen.Instance.Zone):
			chosen = member
		case g.inZone(member.Instance.Zone) == g.inZone(chosen.Instance.Zone) &&
			member.Instance.LaunchTime.Before(chosen.Instance.LaunchTime):
			chosen = member
		}
	}
	return chosen
}

// watchZones evens the zones out when they stay two apart: it launches first and terminates after.
func (g *ScalingGroup) watchZones() {
	if !g.uneven() || g.suspended("AZRebalance") || g.suspended("Launch") || g.suspended("Terminate") {
		g.rebalance.Stop()
		g.rebalance = nil
		g.finishRebalance()
		return
	}
	if g.rebalance != nil || g.surplus {
		return
	}
	g.rebalance = g.Region.World.After(rebalanceTime, func() {
		g.rebalance = nil
		if g.uneven() && !g.suspended("AZRebalance") && !g.suspended("Launch") {
			g.surplus = g.launch("instances were launched to balance instances in zones")
			g.Region.resettle()
		}
	})
}

// finishRebalance ends the surplus once the new instance serves.
func (g *ScalingGroup) finishRebalance() {
	if !g.surplus || slices.ContainsFunc(g.members, (*Member).arriving) {
		return
	}
	g.surplus = false
	g.meetDesired()
}

func (g *ScalingGroup) uneven() bool {
	low, high := len(g.members), 0
	for _, zone := range g.Zones {
		low, high = min(low, g.inZone(zone)), max(high, g.inZone(zone))
	}
	return high-low >= 2
}
