package awssim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// How much the page lists: beyond that it counts.
const (
	listInstances = 400 // in all: each has a row of its own
	dotInstances  = 2500
)

// detail is how closely the page looks, which depends on the size of the fleet.
type detail struct{ rows, dots bool }

func detailFor(instances int) detail {
	return detail{rows: instances <= listInstances, dots: instances <= dotInstances}
}

func (s *Sim) regionView(region *world.Region, d detail) regionView {
	view := regionView{Name: region.Name}
	targets := targetsOf(region)
	listed := map[*world.Instance]bool{}
	for _, group := range region.ScalingGroups() {
		g := groupView{
			Name: group.Name, Desired: group.Desired, MaxOut: s.service.maxOut(region.Account.ID, region.Name, group.Name),
			Capacity: "min " + strconv.Itoa(group.Min) + " · desired " + strconv.Itoa(group.Desired) + " · max " +
				strconv.Itoa(group.Max),
		}
		var suspended []string
		for name := range group.Suspended {
			suspended = append(suspended, name)
		}
		slices.Sort(suspended)
		g.Suspended = strings.Join(suspended, ", ")
		for _, member := range group.Members() {
			listed[member.Instance] = true
			i := s.instanceView(member.Instance, targets[member.Instance])
			i.Lifecycle, i.Health = string(member.State), member.HealthStatus()
			g.add(i)
		}
		s.draw(&g, levelKey{region, group.Name}, d)
		view.Groups = append(view.Groups, g)
	}
	alone := groupView{Name: "outside Auto Scaling groups"}
	for _, instance := range region.Machines() {
		if !listed[instance] && instance.State != world.Terminated {
			alone.add(s.instanceView(instance, targets[instance]))
		}
	}
	if alone.Count > 0 {
		alone.Desired = alone.Count
		s.draw(&alone, levelKey{region, ""}, d)
		view.Groups = append(view.Groups, alone)
	}
	for _, alarm := range region.AllAlarms() {
		view.Alarms = append(view.Alarms, alarmView{Name: alarm.Name, State: alarm.State})
	}
	return view
}

// add takes an instance into the group and its sums.
func (g *groupView) add(i instanceView) {
	g.Instances = append(g.Instances, i)
	g.Count++
	g.lackView.add(i.lackView)
	if i.Serving {
		g.Serving++
	}
	for _, target := range i.targets {
		at := slices.IndexFunc(g.Targets, func(c countView) bool { return c.Name == target.State })
		if at < 0 {
			at = len(g.Targets)
			g.Targets = append(g.Targets, countView{Name: target.State})
		}
		g.Targets[at].Count++
	}
	at := slices.IndexFunc(g.States, func(c countView) bool { return c.Name == i.Word() })
	if at < 0 {
		at = len(g.States)
		g.States = append(g.States, countView{Name: i.Word(), Class: i.Class()})
	}
	g.States[at].Count++
}

// draw adds the chart, and drops what a fleet of this size has no room for.
func (s *Sim) draw(g *groupView, key levelKey, d detail) {
	byName := func(a, b countView) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortFunc(g.States, byName)
	slices.SortFunc(g.Targets, byName)
	if l := s.service.levels[key]; l != nil {
		g.Chart = chart(l.points, g.Desired, s.world.Start(), s.world.Now())
	}
	g.Rows, g.Dots = d.rows, d.dots
	if !d.dots {
		g.Instances = nil
	}
}

func (s *Sim) instanceView(instance *world.Instance, targets []*world.Target) instanceView {
	view := instanceView{
		ID: instance.ID, Name: instance.Name(), Zone: instance.Zone, State: string(instance.State), Application: "down",
		lackView: lackView{Missing: instance.Missing()}, targets: targets,
	}
	view.Newer = instance.BehindBy() - view.Missing
	if instance.AppHealthy() {
		view.Application = "healthy"
	} else if instance.Up() {
		view.Application = "unhealthy"
	}
	var states []string
	for _, target := range targets {
		states = append(states, target.Group.Name+": "+target.State)
	}
	view.Targets = strings.Join(states, ", ")
	if record := s.service.byID[instance]; record != nil {
		view.Serving = record.served && !record.out && !record.leaving
	}
	return view
}

// Word is the state that matters: of the lifecycle in a group, else of the instance.
func (i instanceView) Word() string {
	if i.Lifecycle != "" {
		return i.Lifecycle
	}
	return i.State
}

// Class is the colour of the state: in service, on its way, standing by, leaving, or wrong.
func (i instanceView) Class() string {
	switch word := i.Word(); {
	case i.Serving:
		return "ok"
	case strings.HasPrefix(word, "EnteringStandby"), word == "Standby":
		return "standby"
	case strings.HasPrefix(word, "Pending"), word == "pending":
		return "coming"
	case strings.HasPrefix(word, "Terminat"), word == "shutting-down", word == "terminated", word == "Detaching":
		return "leaving"
	}
	return "bad"
}
