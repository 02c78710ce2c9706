package world

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// AutoScaling is the part of a region that EC2 Auto Scaling keeps.
type AutoScaling struct {
	groups   shelf[*ScalingGroup] // by name
	settling bool
}

// Lifecycle is the state of an instance in its Auto Scaling group.
type Lifecycle string

// The lifecycle states; those of a warm pool are [ScalingGroup.WarmState]'s.
const (
	LifecyclePending         Lifecycle = "Pending"
	LifecycleInService       Lifecycle = "InService"
	LifecycleEnteringStandby Lifecycle = "EnteringStandby"
	LifecycleStandby         Lifecycle = "Standby"
	LifecycleTerminating     Lifecycle = "Terminating"
	LifecycleDetaching       Lifecycle = "Detaching"

	LifecyclePendingWait        Lifecycle = "Pending:Wait"
	LifecyclePendingProceed     Lifecycle = "Pending:Proceed"
	LifecycleTerminatingWait    Lifecycle = "Terminating:Wait"
	LifecycleTerminatingProceed Lifecycle = "Terminating:Proceed"
)

// How long Auto Scaling takes over what the scenario does not name.
const (
	serviceDelay  = 15 * time.Second // a running instance of state Pending is taken into service
	launchRetry   = time.Minute      // after a launch that found no capacity
	launchGiveUp  = 24 * time.Hour   // AWS suspends Launch when launches failed so long
	rebalanceTime = time.Minute      // zones are out of balance so long before Auto Scaling acts
)

// ScalingGroup is an Auto Scaling group.
type ScalingGroup struct {
	Region          *Region
	Name            string
	ARN             string
	Min             int
	Max             int
	Desired         int
	Zones           []string
	BySubnets       bool // its zones were given as subnets
	TargetGroups    []*TargetGroup
	Grace           time.Duration
	HealthCheckType string // EC2 or ELB
	Image           string
	Type            string
	Cooldown        time.Duration
	Protects        bool // new instances are protected from scale-in
	Created         time.Time
	Tags            []GroupTag
	Suspended       map[string]string // process to reason
	Template        *LaunchTemplate
	TemplateVersion string        // a number, $Latest or $Default
	Operator        string        // service that operates the group, as AWS's Operator member says; empty: nobody
	MaxLifetime     time.Duration // of an instance; 0: no limit
	Mixed           []Override    // instance types that it launches instead of the template's, each in its turn
	DesiredType     string        // what desired counts, as AWS's DesiredCapacityType; empty: it tells none

	hooks     []*Hook
	scheduled []*ScheduledAction
	policies  []*ScalingPolicy
	pool      *WarmPool
	warm      []*Instance
	sightings *sightings
	failing   time.Time // since when every launch failed; zero: the last one did not

	members    []*Member
	activities []*Activity
	refreshes  []*Refresh
	retry      *Event // of a failed launch
	rebalance  *Event
	counts     counts
	surplus    bool // one more than desired, while the zones are rebalanced
	turn       int  // of Mixed, to be launched next
}

// GroupTag is a tag of a group.
type GroupTag struct {
	Key, Value string
	Propagate  bool // to instances launched later
}

// Member is an instance of a group.
type Member struct {
	Group     *ScalingGroup
	Instance  *Instance
	State     Lifecycle
	Healthy   bool
	Protected bool
	Since     time.Time // when it last came into service
	change    *Event
	waits     []*hookWait
	returning bool // it comes from Standby
	arrived   bool // the hooks of its launch are behind it
	weight    int  // what AWS told of it last; 0: its group counts instances
}

// Processes are the names that SuspendProcesses knows.
var Processes = []string{
	"Launch", "Terminate", "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck", "InstanceRefresh",
	"ReplaceUnhealthy", "ScheduledActions",
}

func (r *Region) buildAutoScaling(spec RegionSpec) error {
	r.watchInstances()
	for _, s := range spec.Groups {
		group, err := r.newScalingGroup(s)
		if err != nil {
			return fmt.Errorf("auto scaling group %s: %w", s.Name, err)
		}
		template, err := r.CreateLaunchTemplate(s.Name, LaunchTemplateVersion{
			Image: r.Image(s.Image).ID, Type: s.Type, Hibernates: s.WarmPool != nil && s.WarmPool.State == WarmHibernated,
		}, nil)
		if err != nil {
			return fmt.Errorf("auto scaling group %s: %w", s.Name, err)
		}
		group.UseTemplate(template, "$Default")
		for n := 0; group.active() < s.Desired; n++ {
			instance, err := r.Place(group.launchSpec(group.Zones[n%len(group.Zones)]))
			if err != nil {
				return fmt.Errorf("auto scaling group %s: %w", s.Name, err)
			}
			group.members = append(group.members, &Member{
				Group: group, Instance: instance, State: LifecycleInService, Healthy: true, Since: instance.LaunchTime,
				Protected: group.Protects, weight: group.weightOf(instance.Type),
			})
			for _, target := range group.TargetGroups {
				target.place(instance)
			}
		}
		group.remember()
	}
	return nil
}

func (r *Region) newScalingGroup(s GroupSpec) (*ScalingGroup, error) {
	group := &ScalingGroup{
		Region: r, Name: s.Name, Min: s.Min, Max: s.Max, Desired: s.Desired, Zones: s.Zones, Grace: s.Grace.D(),
		HealthCheckType: s.HealthCheckType, Image: s.Image, Type: s.Type, Cooldown: 300 * time.Second, Protects: s.Protects,
		Operator: s.Operator, MaxLifetime: s.MaxLifetime.D(), Mixed: s.Mixed, DesiredType: s.DesiredType,
		Created: r.World.now.Add(-30 * 24 * time.Hour), Suspended: map[string]string{},
	}
	group.ARN = r.ARN("autoscaling", "autoScalingGroup:"+r.NewUUID("group")+":autoScalingGroupName/"+s.Name)
	if group.HealthCheckType == "" {
		group.HealthCheckType = "EC2"
	}
	if len(group.Zones) == 0 {
		group.Zones = []string{r.Name + "a"}
	}
	for _, key := range Tags(s.Tags).Keys() {
		group.Tags = append(group.Tags, GroupTag{Key: key, Value: s.Tags[key], Propagate: true})
	}
	for _, name := range s.TargetGroups {
		target, err := r.targetGroupNamed(name)
		if err != nil {
			return nil, err
		}
		group.TargetGroups = append(group.TargetGroups, target)
	}
	for _, name := range s.Suspended {
		group.Suspended[name] = "User suspended at " + r.World.now.UTC().Format("2006-01-02T15:04:05Z")
	}
	r.AutoScaling.groups.put(group.Name, group)
	return group, group.buildExtras(s)
}

// buildExtras adds what the scenario says of hooks, scheduled actions and the warm pool.
func (g *ScalingGroup) buildExtras(s GroupSpec) error {
	for _, hook := range s.Hooks {
		transition := map[string]string{"launching": HookLaunching, "terminating": HookTerminating}[hook.Transition]
		if err := g.PutHook(Hook{
			Name: hook.Name, Transition: transition, Heartbeat: hook.Heartbeat.D(), Default: hook.DefaultResult,
			standby: hook.Standby,
		}); err != nil {
			return err
		}
	}
	for _, action := range s.Scheduled {
		schedule := Schedule{
			Recurrence: action.Recurrence, TimeZone: action.TimeZone,
			Sizes: Sizes{Min: action.Min, Max: action.Max, Desired: action.Desired},
		}
		if action.At != 0 || action.Recurrence == "" {
			schedule.Start = g.Region.World.now.Add(action.At.D())
		}
		if err := g.PutScheduledAction(action.Name, schedule); err != nil {
			return err
		}
	}
	if s.WarmPool != nil {
		g.pool = &WarmPool{MinSize: s.WarmPool.MinSize, MaxPrepared: s.WarmPool.MaxPrepared, State: s.WarmPool.State}
		if g.pool.MaxPrepared == 0 {
			g.pool.MaxPrepared = -1
		}
		g.Region.resettle()
	}
	return nil
}

func (g *ScalingGroup) launchSpec(zone string) LaunchSpec {
	from, version := g.launches()
	tags := Tags{"aws:autoscaling:groupName": g.Name}
	maps.Copy(tags, from.Tags)
	for _, tag := range g.Tags {
		if tag.Propagate {
			tags[tag.Key] = tag.Value
		}
	}
	return LaunchSpec{
		Image: from.Image, Type: g.nextType(from.Type), Zone: zone, Tags: tags, Group: g.Name, Hibernates: from.Hibernates,
		Template: g.Template, Version: version,
	}
}

// ScalingGroups lists the region's groups in the scenario's order.
func (r *Region) ScalingGroups() []*ScalingGroup { return r.AutoScaling.groups.all() }

// ScalingGroup finds a group; the error is AWS's ValidationError.
func (r *Region) ScalingGroup(name string) (*ScalingGroup, error) {
	if group, ok := r.AutoScaling.groups.get(name); ok {
		return group, nil
	}
	return nil, api.Errorf("ValidationError", "AutoScalingGroup name not found - AutoScalingGroup '%s' not found", name)
}

// DeleteScalingGroup terminates a group's members and forgets it, as somebody may do in the middle of a wave.
func (r *Region) DeleteScalingGroup(name string) error {
	group, err := r.ScalingGroup(name)
	if err != nil {
		return err
	}
	for _, member := range group.Members() {
		member.change.Stop()
		member.dropWaits()
		member.Instance.Terminate()
	}
	for _, instance := range group.Warm() {
		instance.Terminate()
	}
	for _, action := range group.ScheduledActions() {
		action.event.Stop()
	}
	group.retry.Stop()
	group.rebalance.Stop()
	r.AutoScaling.groups.drop(name)
	r.Changed("group", name, "deleted")
	return nil
}

// MemberOf finds the group membership of an instance in the region; nil when it is in no group.
func (r *Region) MemberOf(instanceID string) *Member {
	for _, group := range r.AutoScaling.groups.all() {
		if member := group.Member(instanceID); member != nil {
			return member
		}
	}
	return nil
}

// Members lists the group's instances in the order they joined.
func (g *ScalingGroup) Members() []*Member { return slices.Clone(g.members) }

// Member finds an instance of the group, or nil.
func (g *ScalingGroup) Member(instanceID string) *Member {
	for _, member := range g.members {
		if member.Instance.ID == instanceID {
			return member
		}
	}
	return nil
}

// named finds members by id; one that is missing is AWS's ValidationError, and none at all too.
func (g *ScalingGroup) named(ids []string) ([]*Member, error) {
	members := make([]*Member, 0, len(ids))
	for _, id := range ids {
		member := g.Member(id)
		if member == nil {
			return nil, api.Errorf("ValidationError", "The instance %s is not part of Auto Scaling group %s.", id, g.Name)
		}
		members = append(members, member)
	}
	return members, nil
}

func (g *ScalingGroup) suspended(process string) bool {
	_, yes := g.Suspended[process]
	return yes
}

// HealthStatus is Auto Scaling's word.
func (m *Member) HealthStatus() string {
	if m.Healthy {
		return "Healthy"
	}
	return "Unhealthy"
}

func (m *Member) become(state Lifecycle) {
	if m.State == state {
		return
	}
	m.State = state
	if state == LifecycleInService {
		m.Since = m.Group.Region.World.now
	}
	m.Group.Region.Changed("group", m.Instance.ID, string(state)+" in "+m.Group.Name)
}

// arriving reports whether a member is on its way into service.
func (m *Member) arriving() bool {
	return m.State == LifecyclePending || m.State == LifecyclePendingWait || m.State == LifecyclePendingProceed
}

// counts reports whether desired counts a member.
func (m *Member) counts() bool { return m.State == LifecycleInService || m.arriving() }

// Leaving reports whether a member is on its way to its end.
func (m *Member) Leaving() bool {
	return m.State == LifecycleTerminating || m.State == LifecycleTerminatingWait || m.State == LifecycleTerminatingProceed
}

func (g *ScalingGroup) drop(m *Member) {
	m.change.Stop()
	m.dropWaits()
	g.members = slices.DeleteFunc(g.members, func(other *Member) bool { return other == m })
	g.Region.Changed("group", m.Instance.ID, "gone from "+g.Name)
}
