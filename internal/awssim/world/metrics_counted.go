package world

import (
	"strings"
	"time"
)

// Namespaces of the metrics that AWS counts itself and that are modelled. Group metrics are there without being asked
// for, as the console sets groups up.
const (
	balancerNamespace = "AWS/ApplicationELB"
	scalingNamespace  = "AWS/AutoScaling"
)

// counts are what AWS counts of one thing, and were last noted.
type counts struct {
	noted bool
	of    [8]int
}

// differ notes new counts and reports whether they are other ones.
func (c *counts) differ(of [8]int) bool {
	other := !c.noted || c.of != of
	c.noted, c.of = true, of
	return other
}

var (
	hostCounts  = []string{"HealthyHostCount", "UnHealthyHostCount"}
	groupCounts = []string{
		"GroupInServiceInstances", "GroupPendingInstances", "GroupStandbyInstances", "GroupTerminatingInstances",
		"GroupTotalInstances",
		"GroupDesiredCapacity", "GroupMinSize", "GroupMaxSize",
	}
)

// count notes what AWS counts, as it is at a moment: hosts by health, and instances of groups by lifecycle.
func (r *Region) count(at time.Time) {
	for _, group := range r.LoadBalancing.groups.all() {
		if group.LoadBalancer != "" && group.counts.differ(group.hosts()) {
			r.note(at, balancerNamespace, hostCounts, group.dimensions(), group.counts.of)
		}
	}
	for _, group := range r.AutoScaling.groups.all() {
		if group.counts.differ(group.sizes()) {
			r.note(at, scalingNamespace, groupCounts, [][2]string{{"AutoScalingGroupName", group.Name}}, group.counts.of)
		}
	}
}

// hosts are the numbers of hostCounts.
func (g *TargetGroup) hosts() (n [8]int) {
	for _, target := range g.targets {
		switch {
		case target.State == TargetHealthy:
			n[0]++
		case target.unwell():
			n[1]++
		}
	}
	return n
}

// sizes are the numbers of groupCounts.
func (g *ScalingGroup) sizes() (n [8]int) {
	for _, member := range g.members {
		switch {
		case member.State == LifecycleInService:
			n[0]++
		case member.arriving():
			n[1]++
		case member.State == LifecycleStandby:
			n[2]++
		case member.Leaving():
			n[3]++
		}
	}
	n[4], n[5], n[6], n[7] = len(g.members), g.Desired, g.Min, g.Max
	return n
}

// note keeps each count that is another than before.
func (r *Region) note(at time.Time, namespace string, names []string, dimensions [][2]string, of [8]int) {
	for n, name := range names {
		metric := r.metric(namespace, name, dimensions)
		metric.counts = true
		if last := len(metric.points) - 1; last < 0 || metric.points[last].Sum != float64(of[n]) {
			metric.add(measured(at, float64(of[n])))
		}
	}
}

func (g *TargetGroup) dimensions() [][2]string {
	return [][2]string{
		{"TargetGroup", afterAccount(g.ARN)},
		{"LoadBalancer", strings.TrimPrefix(afterAccount(g.Region.LoadBalancerARN(g.LoadBalancer)), "loadbalancer/")},
	}
}

// afterAccount is the part of an ARN that CloudWatch's dimensions name a resource by.
func afterAccount(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	return parts[len(parts)-1]
}
