package world

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Balancer is an application load balancer. Those of the scenario exist as far as target groups name them, with one
// listener.
type Balancer struct {
	Region         *Region
	Name           string
	Scheme         string
	Subnets        []string
	SecurityGroups []string
	Tags           Tags
	Created        time.Time
	Listeners      []Listener
}

// Listener forwards what comes to a port to a target group.
type Listener struct {
	ARN   string
	Port  int
	Group *TargetGroup
}

// ARN is the load balancer's.
func (b *Balancer) ARN() string { return b.Region.LoadBalancerARN(b.Name) }

// provisioning is how long a load balancer takes until it is active.
const provisioning = 2 * time.Minute

// Active reports whether the load balancer is ready.
func (b *Balancer) Active() bool { return !b.Region.World.now.Before(b.Created.Add(provisioning)) }

// Balancers lists the region's load balancers, those of the scenario first.
func (r *Region) Balancers() []*Balancer {
	var all []*Balancer
	for _, group := range r.TargetGroups() {
		if _, made := r.LoadBalancing.balancers.get(group.LoadBalancer); group.LoadBalancer == "" || made {
			continue
		}
		n := slices.IndexFunc(all, func(b *Balancer) bool { return b.Name == group.LoadBalancer })
		if n < 0 {
			n = len(all)
			all = append(all, &Balancer{
				Region: r, Name: group.LoadBalancer, Scheme: "internal", Tags: Tags{}, Created: r.World.start.Add(-provisioning),
			})
		}
		if len(all[n].Listeners) == 0 {
			all[n].Listeners = []Listener{{ARN: listenerARN(all[n], 80), Port: 80, Group: group}}
		}
	}
	return append(all, r.LoadBalancing.balancers.all()...)
}

func listenerARN(b *Balancer, port int) string {
	digits := strings.Repeat("0", 16) + strconv.Itoa(port)
	return strings.Replace(b.ARN(), ":loadbalancer/", ":listener/", 1) + "/" + digits[len(digits)-16:]
}

// Balancer finds a load balancer by its ARN.
func (r *Region) Balancer(arn string) (*Balancer, error) {
	for _, balancer := range r.Balancers() {
		if balancer.ARN() == arn {
			return balancer, nil
		}
	}
	return nil, api.Errorf("LoadBalancerNotFound", "Load balancer '%s' not found", arn)
}

// CreateBalancer makes a load balancer, or returns the one of the same settings.
func (r *Region) CreateBalancer(made Balancer) (*Balancer, error) {
	if !targetGroupName.MatchString(made.Name) || strings.HasPrefix(made.Name, "internal-") {
		return nil, api.Errorf("ValidationError", "The load balancer name '%s' is not valid", made.Name)
	}
	for _, old := range r.Balancers() {
		if old.Name != made.Name {
			continue
		}
		if old.Scheme == made.Scheme && slices.Equal(old.Subnets, made.Subnets) &&
			slices.Equal(old.SecurityGroups, made.SecurityGroups) {
			return old, nil
		}
		return nil, api.Errorf(
			"DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings",
			made.Name,
		)
	}
	made.Region, made.Created = r, r.World.now
	r.LoadBalancing.balancers.put(made.Name, &made)
	r.Changed("target", made.ARN(), "load balancer made")
	return &made, nil
}

// Listen forwards a port of a load balancer to a target group, whose targets are checked from now on.
func (b *Balancer) Listen(port int, group *TargetGroup) (Listener, error) {
	switch {
	case slices.ContainsFunc(b.Listeners, func(l Listener) bool { return l.Port == port }):
		return Listener{}, api.Errorf("DuplicateListener", "A listener already exists on this port for this load balancer")
	case group.LoadBalancer != "" && group.LoadBalancer != b.Name:
		return Listener{}, api.Errorf(
			"TargetGroupAssociationLimit",
			"The following target groups cannot be associated with more than one load balancer: %s", group.ARN,
		)
	}
	listener := Listener{ARN: listenerARN(b, port), Port: port, Group: group}
	b.Listeners = append(b.Listeners, listener)
	group.LoadBalancer = b.Name
	for _, target := range group.targets {
		target.become(TargetInitial, "Elb.RegistrationInProgress")
	}
	b.Region.resettle()
	return listener, nil
}

// StopListening ends a listener; a target group that no listener of a load balancer forwards to is unused.
func (r *Region) StopListening(arn string) error {
	for _, balancer := range r.LoadBalancing.balancers.all() {
		n := slices.IndexFunc(balancer.Listeners, func(l Listener) bool { return l.ARN == arn })
		if n < 0 {
			continue
		}
		group := balancer.Listeners[n].Group
		balancer.Listeners = slices.Delete(balancer.Listeners, n, n+1)
		if !slices.ContainsFunc(balancer.Listeners, func(l Listener) bool { return l.Group == group }) {
			group.unused()
		}
		r.resettle()
		return nil
	}
	if slices.ContainsFunc(r.Balancers(), func(b *Balancer) bool {
		return slices.ContainsFunc(b.Listeners, func(l Listener) bool { return l.ARN == arn })
	}) {
		return api.NotModelled("deleting a listener that the scenario made")
	}
	return api.Errorf("ListenerNotFound", "One or more listeners not found")
}

func (g *TargetGroup) unused() {
	g.LoadBalancer = ""
	for _, target := range g.Targets() {
		target.cancel()
		target.become(TargetUnused, "Target.NotInUse")
	}
}

// DeleteBalancer forgets a load balancer and its listeners; one that is gone is no error.
func (r *Region) DeleteBalancer(arn string) error {
	balancer, err := r.Balancer(arn)
	if err != nil {
		return nil //nolint:nilerr // "if it does not exist, the call succeeds", says the API reference
	}
	if _, made := r.LoadBalancing.balancers.get(balancer.Name); !made {
		return api.NotModelled("deleting a load balancer that the scenario made")
	}
	for _, listener := range slices.Clone(balancer.Listeners) {
		if err := r.StopListening(listener.ARN); err != nil {
			return err
		}
	}
	r.LoadBalancing.balancers.drop(balancer.Name)
	return nil
}
