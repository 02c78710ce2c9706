package world

import (
	"fmt"
	"slices"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// maxStandbyIDs is how many ids EnterStandby and ExitStandby take.
const maxStandbyIDs = 20

// EnterStandby begins to take instances out of service. With decrement desired goes down, which must not take it below
// min; without, replacements are launched from the old image. The instances drain before they are in Standby.
func (g *ScalingGroup) EnterStandby(ids []string, decrement bool) ([]*Activity, error) {
	members, err := g.forStandby(ids, LifecycleInService)
	if err != nil {
		return nil, err
	}
	if decrement && g.Desired-g.standbyUnits(members) < g.Min {
		return nil, api.Errorf("ValidationError",
			"AutoScalingGroup %s has min-size=%d, max-size=%d, and desired-size=%d. To place into standby %d instance(s), "+
				"please update the AutoScalingGroup sizes appropriately.",
			g.Name, g.Min, g.Max, g.Desired, len(members))
	}
	var activities []*Activity
	for _, member := range members {
		// The words are those of the sample answers in AWS's API reference of EnterStandby and ExitStandby.
		cause := "instance " + member.Instance.ID + " was moved to standby in response to a user request"
		if decrement {
			by := g.standbyUnits([]*Member{member})
			cause += fmt.Sprintf(", shrinking the capacity from %d to %d", g.Desired, g.Desired-by)
			g.Desired -= by
		}
		activities = append(activities, g.begin("Moving EC2 instance to Standby: ", member.Instance.ID, cause))
		member.change.Stop()
		member.change = nil
		member.become(LifecycleEnteringStandby)
		g.detachTargets(member)
	}
	g.Region.resettle()
	return activities, nil
}

// ExitStandby begins to return instances to service and raises desired, which must not exceed max. While Launch is
// suspended nothing leaves Standby.
func (g *ScalingGroup) ExitStandby(ids []string) ([]*Activity, error) {
	members, err := g.forStandby(ids, LifecycleStandby)
	if err != nil {
		return nil, err
	}
	if g.suspended("Launch") {
		return nil, api.Errorf(
			"ValidationError", "AutoScalingGroup %s has its Launch process suspended; instances cannot be moved out of standby.",
			g.Name,
		)
	}
	if g.Desired+g.standbyUnits(members) > g.Max {
		return nil, api.Errorf("ValidationError",
			"AutoScalingGroup %s has min-size=%d, max-size=%d, and desired-size=%d. To move %d instance(s) out of standby, "+
				"please update the AutoScalingGroup sizes appropriately.",
			g.Name, g.Min, g.Max, g.Desired, len(members))
	}
	var activities []*Activity
	for _, member := range members {
		by := g.standbyUnits([]*Member{member})
		activities = append(activities, g.begin("Moving EC2 instance out of Standby: ", member.Instance.ID, fmt.Sprintf(
			"instance %s was moved out of standby in response to a user request, increasing the capacity from %d to %d",
			member.Instance.ID, g.Desired, g.Desired+by)))
		g.Desired += by
		g.leaveStandby(member)
	}
	g.Region.resettle()
	return activities, nil
}

// leaveStandby starts the way back. An instance that does not run comes into service all the same and is then found
// unhealthy, as on AWS.
func (g *ScalingGroup) leaveStandby(m *Member) {
	m.become(LifecyclePending)
	m.returning, m.arrived = true, false
	if m.Instance.State == Running {
		return // settle goes on from here
	}
	m.change = g.Region.World.After(serviceDelay, func() {
		m.change = nil
		m.become(LifecycleInService)
		g.endFor(m.Instance.ID, "Successful")
		g.Region.resettle()
	})
}

func (g *ScalingGroup) forStandby(ids []string, want Lifecycle) ([]*Member, error) {
	if len(ids) == 0 || len(ids) > maxStandbyIDs {
		return nil, api.Errorf(
			"ValidationError", "Between 1 and %d instance ids are needed, %d were given.", maxStandbyIDs, len(ids),
		)
	}
	members, err := g.named(ids)
	if err != nil {
		return nil, err
	}
	for n, member := range members {
		if member.State != want || slices.Contains(ids[:n], ids[n]) {
			return nil, api.Errorf("ValidationError", "The instance %s is not in %s.", member.Instance.ID, want)
		}
	}
	return members, nil
}
