package world

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// LoadBalancing is the part of a region that Elastic Load Balancing keeps.
type LoadBalancing struct {
	groups    shelf[*TargetGroup] // by ARN
	balancers shelf[*Balancer]    // by name, those that clients made
}

// Target states of Elastic Load Balancing.
const (
	TargetInitial   = "initial"
	TargetHealthy   = "healthy"
	TargetUnhealthy = "unhealthy"
	TargetUnused    = "unused"
	TargetDraining  = "draining"

	// health checks are disabled: it never becomes healthy, and gets requests
	TargetUnavailable       = "unavailable"
	TargetUnhealthyDraining = "unhealthy.draining" // unhealthy, and not yet cut off from the connections it has
)

// TargetGroup is a target group of instances, behind one load balancer or none.
type TargetGroup struct {
	Region              *Region
	Name                string
	ARN                 string
	Port                int
	HealthPath          string
	Interval            time.Duration
	HealthyThreshold    int
	UnhealthyThreshold  int
	DeregistrationDelay time.Duration
	LoadBalancer        string // name; empty: none, and targets are unused
	ByAddress           bool   // targets are private addresses, not instances
	IPv6                bool   // addresses of that kind
	Peered              bool   // of a network beside the instances' own
	SlowStart           time.Duration
	Sticky              bool          // requests of one client go to one target
	StickyFor           time.Duration // how long
	Unchecked           bool          // health checks are disabled
	// how long an unhealthy target keeps its connections, as network load balancers have it
	UnhealthyDraining time.Duration
	CrossZone         string // true, false or use_load_balancer_configuration
	Tags              Tags
	targets           []*Target
	counts            counts
	made              TargetGroupSpec // as it was asked for
}

// Target is one registration: an instance and a port.
type Target struct {
	Group    *TargetGroup
	Instance *Instance
	Port     int
	State    string
	Reason   string // Target.FailedHealthChecks and the like
	change   *Event // the state change that is under way
	to       string // where change leads
}

// Defaults of Elastic Load Balancing.
const (
	defaultHealthInterval      = 30 * time.Second
	defaultHealthyThreshold    = 5
	defaultUnhealthyThreshold  = 2
	defaultDeregistrationDelay = 300 * time.Second
)

func (r *Region) buildLoadBalancing(spec RegionSpec) error {
	for _, group := range spec.TargetGroups {
		r.addTargetGroup(group)
	}
	return nil
}

func (r *Region) addTargetGroup(spec TargetGroupSpec) {
	sum := r.World.digest(r.Account.ID + "/" + r.Name + "/targetgroup")
	group := &TargetGroup{
		Region: r, made: spec, Name: spec.Name,
		ARN:  r.ARN("elasticloadbalancing", "targetgroup/"+spec.Name+"/"+hexDigits(sum[:8])),
		Port: spec.Port, HealthPath: spec.HealthPath, Interval: spec.HealthInterval.or(defaultHealthInterval),
		HealthyThreshold: spec.HealthyThreshold, UnhealthyThreshold: spec.UnhealthyThreshold,
		DeregistrationDelay: spec.DeregistrationDelay.or(defaultDeregistrationDelay), LoadBalancer: spec.LoadBalancer,
		Tags: Tags{}, StickyFor: 24 * time.Hour,
		ByAddress: spec.TargetType == "ip", IPv6: spec.AddressType == "ipv6", Peered: spec.Peered,
		SlowStart: spec.SlowStart.D(), CrossZone: spec.CrossZone,
		Unchecked: spec.Unchecked, UnhealthyDraining: spec.UnhealthyDraining.D(),
	}
	if group.CrossZone == "" {
		group.CrossZone = "use_load_balancer_configuration"
	}
	if group.HealthyThreshold == 0 {
		group.HealthyThreshold = defaultHealthyThreshold
	}
	if group.UnhealthyThreshold == 0 {
		group.UnhealthyThreshold = defaultUnhealthyThreshold
	}
	if group.Port == 0 {
		group.Port = 80
	}
	if group.HealthPath == "" {
		group.HealthPath = "/"
	}
	r.LoadBalancing.groups.put(group.ARN, group)
}

// joinAtStart registers a standalone instance of the scenario, healthy, with the named target groups. The scenario's
// check has made sure that they exist.
func (l *LoadBalancing) joinAtStart(_ *Region, instance *Instance, names []string) {
	for _, group := range l.groups.all() {
		if slices.Contains(names, group.Name) {
			group.place(instance)
		}
	}
}

func (r *Region) targetGroupNamed(name string) (*TargetGroup, error) {
	for _, group := range r.TargetGroups() {
		if group.Name == name {
			return group, nil
		}
	}
	return nil, api.Errorf("TargetGroupNotFound", "Target groups '%s' not found", name)
}

// TargetGroups lists the region's target groups in the scenario's order.
func (r *Region) TargetGroups() []*TargetGroup { return r.LoadBalancing.groups.all() }

// TargetGroup finds a target group by ARN; the error is TargetGroupNotFound.
func (r *Region) TargetGroup(arn string) (*TargetGroup, error) {
	if group, ok := r.LoadBalancing.groups.get(arn); ok {
		return group, nil
	}
	return nil, api.Errorf("TargetGroupNotFound", "Target groups '%s' not found", arn)
}

// LoadBalancerARN is the ARN of the load balancer of that name in this region.
func (r *Region) LoadBalancerARN(name string) string {
	digits := strings.Repeat("0", 16) + hexDigits([]byte(name))
	return r.ARN("elasticloadbalancing", "loadbalancer/app/"+name+"/"+digits[len(digits)-16:])
}

// Targets lists the registrations, draining ones included, in the order they were made.
func (g *TargetGroup) Targets() []*Target { return slices.Clone(g.targets) }

// Find returns the registration of an instance, or of an address where targets are such, on a port; port 0 is the
// group's own. Nil when there is none.
func (g *TargetGroup) Find(instanceID string, port int) *Target {
	if port == 0 {
		port = g.Port
	}
	for _, target := range g.targets {
		if target.ID() == instanceID && target.Port == port {
			return target
		}
	}
	return nil
}

// ID is how the target is registered: by the instance's id or its private address.
func (t *Target) ID() string {
	if t.Group.ByAddress {
		return t.Group.addressOf(t.Instance)
	}
	return t.Instance.ID
}

// Network is the VPC whose addresses the group serves.
func (g *TargetGroup) Network() string {
	if g.Peered {
		return "vpc-0" + g.Region.Account.ID + "0001"
	}
	return g.Region.VPC()
}

func (g *TargetGroup) addressOf(i *Instance) string {
	if g.IPv6 {
		return i.IPv6
	}
	return i.PrivateIP
}

// Resolve finds the instance that a registration names, by id or by private address as the group has it; nil when there
// is none. An address of the network that no instance has may be registered as well (guide, "Target groups: register IP
// addresses"): nothing answers there.
func (g *TargetGroup) Resolve(id string) *Instance {
	if !g.ByAddress {
		return g.Region.Instance(id)
	}
	for _, instance := range g.Region.Machines() {
		if g.addressOf(instance) == id && instance.State != Terminated {
			return instance
		}
	}
	if address, err := netip.ParseAddr(id); err != nil || !network.Contains(address) {
		return nil
	}
	return &Instance{Region: g.Region, ID: id, PrivateIP: id, State: Running}
}

// network is that of every region.
var network = netip.MustParsePrefix("10.0.0.0/8")

// place registers an instance that is healthy at once.
func (g *TargetGroup) place(instance *Instance) {
	target := &Target{Group: g, Instance: instance, Port: g.Port, State: TargetHealthy}
	switch {
	case g.LoadBalancer == "":
		target.State, target.Reason = TargetUnused, "Target.NotInUse"
	case g.Unchecked:
		target.State, target.Reason = TargetUnavailable, "Target.HealthCheckDisabled"
	}
	g.targets = append(g.targets, target)
}

// Register adds an instance on a port (0: the group's own). Registering a draining target takes it back; a registered
// one stays as it is. An instance that does not run is InvalidTarget.
func (g *TargetGroup) Register(instance *Instance, port int) error {
	if instance == nil || instance.State != Running {
		id := ""
		if instance != nil {
			id = instance.ID
		}
		return api.Errorf(
			"InvalidTarget", "The following targets are not in a running state and cannot be registered: '%s'", id,
		)
	}
	if port == 0 {
		port = g.Port
	}
	target := g.Find((&Target{Group: g, Instance: instance}).ID(), port)
	switch {
	case target == nil:
		target = &Target{Group: g, Instance: instance, Port: port}
		g.targets = append(g.targets, target)
	case target.State != TargetDraining:
		return nil
	}
	target.change.Stop()
	target.change, target.to = nil, ""
	if g.LoadBalancer == "" {
		target.become(TargetUnused, "Target.NotInUse")
	} else {
		target.become(TargetInitial, "Elb.RegistrationInProgress")
	}
	g.Region.resettle()
	return nil
}

// Deregister drains a target for the deregistration delay and then removes it. What is not registered is InvalidTarget.
func (g *TargetGroup) Deregister(instanceID string, port int) error {
	target := g.Find(instanceID, port)
	if target == nil {
		return api.Errorf("InvalidTarget", "The following targets are not registered: '%s'", instanceID)
	}
	target.drain()
	return nil
}

func (t *Target) drain() {
	g := t.Group
	if t.State == TargetDraining {
		return
	}
	t.change.Stop()
	if g.LoadBalancer == "" {
		g.remove(t)
		return
	}
	t.become(TargetDraining, "Target.DeregistrationInProgress")
	t.change, t.to = g.Region.World.After(g.DeregistrationDelay, func() { g.remove(t) }), "gone"
}

// deregisterAll drains every registration of an instance, whatever its port.
func (g *TargetGroup) deregisterAll(instanceID string) {
	for _, target := range g.Targets() {
		if target.Instance.ID == instanceID {
			target.drain()
		}
	}
}

func (g *TargetGroup) remove(target *Target) {
	g.targets = slices.DeleteFunc(g.targets, func(other *Target) bool { return other == target })
	g.Region.Changed("target", target.Instance.ID, "gone from "+g.Name)
	g.Region.resettle()
}

func (g *TargetGroup) has(instanceID string) bool {
	return slices.ContainsFunc(g.targets, func(t *Target) bool { return t.Instance.ID == instanceID })
}

// become records a state and tells the observers; the same state again changes nothing.
func (t *Target) become(state, reason string) {
	if t.State == state && t.Reason == reason {
		return
	}
	t.State, t.Reason = state, reason
	t.Group.Region.Changed("target", t.Instance.ID, state+" in "+t.Group.Name)
}

// passes tells what a health check of this moment would see.
func (t *Target) passes() bool { return t.Instance.HTTPStatus(t.Port, t.Group.HealthPath) == 200 }

// recheck begins or ends the count of health checks that leads to another state.
func (t *Target) recheck() {
	g := t.Group
	switch t.Instance.State {
	case ShuttingDown, Terminated:
		if !g.ByAddress {
			t.drain() // AWS deregisters terminated instances by itself, addresses it does not
			return
		}
	case Stopping, Stopped:
		if g.ByAddress {
			break
		}
		if t.State != TargetDraining {
			t.cancel()
			t.become(TargetUnused, "Target.InvalidState")
		}
		return
	}
	if t.State == TargetDraining || g.LoadBalancer == "" {
		return
	}
	if g.Unchecked {
		t.become(TargetUnavailable, "Target.HealthCheckDisabled")
		return
	}
	if t.State == TargetUnused { // it was stopped and runs again
		t.become(TargetInitial, "Elb.InitialHealthChecking")
	}
	switch passes := t.passes(); {
	case passes && t.State != TargetHealthy:
		t.head(TargetHealthy, "", g.HealthyThreshold)
	case !passes && t.State == TargetUnhealthyDraining: // it is on its way already
	case !passes && t.State != TargetUnhealthy:
		t.head(TargetUnhealthy, "Target.FailedHealthChecks", g.UnhealthyThreshold)
	default:
		t.cancel()
	}
}

func (t *Target) cancel() {
	t.change.Stop()
	t.change, t.to = nil, ""
}

// head schedules a state that comes true if checks go on as they do now.
func (t *Target) head(state, reason string, checks int) {
	if t.to == state {
		return
	}
	t.cancel()
	t.to = state
	t.change = t.Group.Region.World.After(time.Duration(checks)*t.Group.Interval, func() {
		t.change, t.to = nil, ""
		if state == TargetUnhealthy && t.Group.UnhealthyDraining > 0 {
			t.drainUnhealthy(reason)
		} else {
			t.become(state, reason)
		}
		t.Group.Region.resettle()
	})
}

// drainUnhealthy lets an unhealthy target keep the connections it has for a while.
func (t *Target) drainUnhealthy(reason string) {
	t.become(TargetUnhealthyDraining, reason)
	t.to = TargetUnhealthy
	t.change = t.Group.Region.World.After(t.Group.UnhealthyDraining, func() {
		t.change, t.to = nil, ""
		t.become(TargetUnhealthy, reason)
		t.Group.Region.resettle()
	})
}

// unwell reports whether health checks found the target unhealthy.
func (t *Target) unwell() bool {
	return t.State == TargetUnhealthy || t.State == TargetUnhealthyDraining
}
