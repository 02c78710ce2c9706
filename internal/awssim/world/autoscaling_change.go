package world

import (
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Sizes are changes to a group's limits; nil leaves one as it is.
type Sizes struct{ Min, Max, Desired *int }

// Resize changes limits. A desired capacity that is not given is moved within new limits; one that is given outside
// them is a ValidationError.
func (g *ScalingGroup) Resize(sizes Sizes) error {
	low, high, desired := g.Min, g.Max, g.Desired
	if sizes.Min != nil {
		low = *sizes.Min
	}
	if sizes.Max != nil {
		high = *sizes.Max
	}
	switch {
	case low < 0 || low > high:
		return api.Errorf("ValidationError", "Min bound, %d, must be less than or equal to max bound, %d", low, high)
	case sizes.Desired == nil:
		desired = min(max(desired, low), high)
	case *sizes.Desired < low:
		return api.Errorf(
			"ValidationError", "Desired capacity:%d must be between the specified min size:%d and max size:%d", *sizes.Desired,
			low, high,
		)
	case *sizes.Desired > high:
		return api.Errorf(
			"ValidationError", "Desired capacity:%d must be between the specified min size:%d and max size:%d", *sizes.Desired,
			low, high,
		)
	default:
		desired = *sizes.Desired
	}
	if low == g.Min && high == g.Max && desired == g.Desired {
		return nil
	}
	g.Min, g.Max, g.Desired = low, high, desired
	g.Region.Changed("group", g.Name, "resized")
	g.Region.resettle()
	return nil
}

// SetDesired changes the desired capacity within the limits.
func (g *ScalingGroup) SetDesired(desired int) error {
	switch {
	case desired > g.Max:
		return api.Errorf(
			"ValidationError", "New SetDesiredCapacity value %d is above max value %d for the AutoScalingGroup.", desired, g.Max,
		)
	case desired < g.Min:
		return api.Errorf(
			"ValidationError", "New SetDesiredCapacity value %d is below min value %d for the AutoScalingGroup.", desired, g.Min,
		)
	}
	return g.Resize(Sizes{Desired: &desired})
}

// Cooling is the launch or termination that keeps the group from scaling as long as its cooldown is honoured: one that
// is under way, or that ended less than the cooldown ago. Nil means that it may scale.
func (g *ScalingGroup) Cooling() *Activity {
	for _, activity := range slices.Backward(g.activities) {
		scales := strings.HasPrefix(activity.Description, "Launching") ||
			strings.HasPrefix(activity.Description, "Terminating")
		if activity.Status == "InProgress" || scales && activity.Status == "Successful" &&
			g.Region.World.now.Before(activity.End.Add(g.Cooldown)) {
			return activity
		}
	}
	return nil
}

// MoveTo lets the group launch in other zones; bySubnets tells that it was asked for by subnets.
func (g *ScalingGroup) MoveTo(zones []string, bySubnets bool) {
	g.Zones, g.BySubnets = zones, bySubnets
	g.Region.Changed("group", g.Name, "moved to "+strings.Join(zones, ","))
	g.Region.resettle()
}

// TerminateMember ends an instance of the group. With decrement desired goes down too, every time it is asked, even for
// an instance that is terminating already.
func (g *ScalingGroup) TerminateMember(m *Member, decrement bool) (*Activity, error) {
	if decrement {
		if g.Desired-m.Units() < g.Min {
			return nil, api.Errorf("ValidationError",
				"Currently, desiredSize equals minSize (%d). Terminating instance without replacement will violate group's min "+
					"size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.", g.Min)
		}
		g.Desired -= m.Units()
	}
	g.terminate(m, "an instance was taken out of service in response to a user request")
	g.Region.resettle()
	return g.latestFor(m.Instance.ID), nil
}

func (g *ScalingGroup) latestFor(instance string) *Activity {
	for _, activity := range slices.Backward(g.activities) {
		if activity.Instance == instance {
			return activity
		}
	}
	return nil
}

// Detach takes instances out of the group and leaves them running.
func (g *ScalingGroup) Detach(ids []string, decrement bool) ([]*Activity, error) {
	members, err := g.named(ids)
	if err != nil {
		return nil, err
	}
	for _, member := range members {
		if member.State != LifecycleInService && member.State != LifecycleStandby {
			return nil, api.Errorf("ValidationError", "The instance %s is not in InService or Standby.", member.Instance.ID)
		}
	}
	counted, standing := 0, 0
	for _, member := range members {
		if member.State == LifecycleInService {
			counted += member.Units()
		} else {
			standing++
		}
	}
	if decrement && g.Desired-counted < g.Min {
		return nil, api.Errorf("ValidationError",
			"AutoScalingGroup %s has min-size=%d, max-size=%d, and desired-size=%d. To detach %d instance(s), please update "+
				"the AutoScalingGroup sizes appropriately.",
			g.Name, g.Min, g.Max, g.Desired, len(members))
	}
	if decrement {
		g.Desired -= counted // an instance in standby was not counted any more
	}
	var activities []*Activity
	for _, member := range members {
		activities = append(
			activities,
			g.begin("Detaching EC2 instance: ", member.Instance.ID, "an instance was detached in response to a user request"),
		)
		member.change.Stop()
		member.change = nil
		member.become(LifecycleDetaching)
		g.detachTargets(member)
	}
	if g.Region.World.Has(DoubtDetachTerminates) {
		g.loseUnexpectedly(standing)
	}
	g.Region.resettle()
	return activities, nil
}

// loseUnexpectedly terminates so many members in service, as AWS warns that it may when others were detached from
// Standby: it finds more in service than it counts, and chooses as for any scale-in, unless that is suspended.
func (g *ScalingGroup) loseUnexpectedly(count int) {
	for _, member := range g.Members() {
		if count > 0 && member.State == LifecycleInService && !g.suspended("Terminate") {
			g.terminate(member, "an instance was taken out of service in response to a difference between desired and actual "+
				"capacity")
			count--
		}
	}
}

// Attach takes running instances that are in no group into this one and raises desired.
func (g *ScalingGroup) Attach(ids []string) error {
	units := 0
	for _, id := range ids {
		weight := 0
		if instance := g.Region.Instance(id); instance != nil {
			weight = g.weightOf(instance.Type)
		}
		units += max(weight, 1)
	}
	if g.Desired+units > g.Max {
		return api.Errorf("ValidationError", "AutoScalingGroup %s has max-size=%d and desired-size=%d. To attach %d more "+
			"instance(s), please update the AutoScalingGroup sizes appropriately.",
			g.Name, g.Max, g.Desired, len(ids))
	}
	var joining []*Instance
	for _, id := range ids {
		instance := g.Region.Instance(id)
		switch {
		case instance == nil || instance.State != Running:
			return api.Errorf("ValidationError", "Invalid Instance ID %s. Instance is not in the running state.", id)
		case g.Region.MemberOf(id) != nil:
			return api.Errorf("ValidationError", "Instance %s is already part of an Auto Scaling group.", id)
		case g.Region.Image(instance.Image.ID) == nil:
			// "The AMI used to launch the instance must still exist" (the guide on attaching).
			return api.Errorf("ValidationError", "The image id '[%s]' does not exist", instance.Image.ID)
		case !slices.Contains(g.Zones, instance.Zone):
			return api.Errorf("ValidationError", "Instance %s is in the Availability Zone %s, which is none of the group's: %s",
				id, instance.Zone, strings.Join(g.Zones, ", "))
		}
		joining = append(joining, instance)
	}
	g.Desired += units
	for _, instance := range joining {
		g.begin("Attaching an existing EC2 instance: ", instance.ID, "an instance was attached in response to a user request")
		instance.Tags["aws:autoscaling:groupName"] = g.Name
		g.members = append(g.members, &Member{
			Group: g, Instance: instance, State: LifecyclePending, Healthy: true, weight: g.weightOf(instance.Type),
		})
		g.Region.Changed("group", instance.ID, "Pending in "+g.Name)
	}
	g.Region.resettle()
	return nil
}

// SetHealth marks a member. An unhealthy mark within the grace period is dropped when that is to be respected.
func (m *Member) SetHealth(healthy, respectGrace bool) {
	g := m.Group
	if !healthy && respectGrace && m.State == LifecycleInService && g.inGrace(m) {
		return
	}
	if m.Healthy != healthy {
		m.Healthy = healthy
		g.Region.Changed("group", m.Instance.ID, m.HealthStatus()+" in "+g.Name)
	}
	g.Region.resettle()
}

// Suspend stops processes; none named means all of them.
func (g *ScalingGroup) Suspend(processes []string) error {
	names, err := processNames(processes)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !g.suspended(name) {
			g.Suspended[name] = "User suspended at " + g.Region.World.now.UTC().Format("2006-01-02T15:04:05Z")
		}
	}
	g.Region.Changed("group", g.Name, "suspended "+strings.Join(names, ", "))
	g.Region.resettle()
	return nil
}

// Resume starts processes again; none named means all of them. Members marked unhealthy meanwhile are replaced at once
// when ReplaceUnhealthy resumes.
func (g *ScalingGroup) Resume(processes []string) error {
	names, err := processNames(processes)
	if err != nil {
		return err
	}
	for _, name := range names {
		delete(g.Suspended, name)
		if name == "Launch" {
			g.failing = time.Time{} // AWS counts its day anew
		}
	}
	g.Region.Changed("group", g.Name, "resumed "+strings.Join(names, ", "))
	g.replaceUnhealthy()
	g.Region.resettle()
	return nil
}

func processNames(processes []string) ([]string, error) {
	if len(processes) == 0 {
		return Processes, nil
	}
	for _, name := range processes {
		if !slices.Contains(Processes, name) {
			return nil, api.Errorf("ValidationError", "Invalid scaling process name: %s", name)
		}
	}
	return processes, nil
}

// AttachTargetGroups adds target groups; the members in service are registered with them.
func (g *ScalingGroup) AttachTargetGroups(targets []*TargetGroup) {
	for _, target := range targets {
		if slices.Contains(g.TargetGroups, target) {
			continue
		}
		g.TargetGroups = append(g.TargetGroups, target)
		for _, member := range g.members {
			if member.State == LifecycleInService {
				_ = target.Register(member.Instance, 0) // one that does not run is found unhealthy anyway
			}
		}
	}
	g.Region.Changed("group", g.Name, "target groups attached")
	g.Region.resettle()
}

// DetachTargetGroups takes target groups off; the members drain from them.
func (g *ScalingGroup) DetachTargetGroups(targets []*TargetGroup) error {
	for _, target := range targets {
		if !slices.Contains(g.TargetGroups, target) {
			return api.Errorf("ValidationError", "Trying to remove Target Groups that are not part of the group: %s", target.ARN)
		}
	}
	for _, target := range targets {
		g.TargetGroups = slices.DeleteFunc(g.TargetGroups, func(t *TargetGroup) bool { return t == target })
		for _, member := range g.members {
			target.deregisterAll(member.Instance.ID)
		}
	}
	g.Region.Changed("group", g.Name, "target groups detached")
	g.Region.resettle()
	return nil
}

// Tag sets a tag of the group; instances that run already do not get it.
func (g *ScalingGroup) Tag(tag GroupTag) {
	for n := range g.Tags {
		if g.Tags[n].Key == tag.Key {
			g.Tags[n] = tag
			g.remember()
			return
		}
	}
	g.Tags = append(g.Tags, tag)
	g.remember()
}

// Untag removes a tag; with a value only when that is the tag's.
func (g *ScalingGroup) Untag(key string, value *string) {
	g.Tags = slices.DeleteFunc(g.Tags, func(t GroupTag) bool {
		return t.Key == key && (value == nil || *value == "" || t.Value == *value)
	})
	g.remember()
}
