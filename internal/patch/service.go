package patch

import (
	"slices"
	"strings"
)

// Service is what several groups serve together, and what is therefore promised for all of them at once: they are taken
// one group at a time.
type Service struct {
	Name   string // as the plan names it, or the ARN of a target group that groups of one stage share
	Groups []Group
}

// String names it for people: "service web", "target group web".
func (s Service) String() string {
	if called := TargetGroupCalled(s.Name); called != s.Name {
		return called
	}
	return "service " + s.Name
}

// Behind are the target groups that a group is behind, by ARN.
type Behind struct {
	All    []string
	Shared []string // those of them that hold others as well
}

// Behind tells which target groups serve the group; All is never nil.
func (s GroupState) Behind() Behind {
	behind := Behind{All: []string{}}
	for _, target := range s.TargetGroups {
		behind.All = append(behind.All, target.ARN)
		if target.Others {
			behind.Shared = append(behind.Shared, target.ARN)
		}
	}
	return behind
}

// Services lists, by name, every `service:` of the stages, every target group that two groups of one stage share, and
// every one that holds others, of which another wave may take out one; each with its groups in the stages' order.
// targets are by Group.String().
func Services(stages []Stage, targets map[string]Behind) []Service {
	services := []Service{}
	for _, stage := range stages {
		var behind []Service
		for _, group := range stage.Groups {
			if stage.Service != "" {
				services = join(services, stage.Service, group)
			}
			for _, arn := range targets[group.String()].All {
				behind = join(behind, arn, group)
			}
			for _, arn := range targets[group.String()].Shared {
				services = join(services, arn, group)
			}
		}
		for _, target := range behind {
			if len(target.Groups) < 2 {
				continue
			}
			for _, group := range target.Groups {
				services = join(services, target.Name, group)
			}
		}
	}
	slices.SortFunc(services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	return services
}

// join adds a group to the service of that name, once.
func join(services []Service, name string, group Group) []Service {
	at := slices.IndexFunc(services, func(s Service) bool { return s.Name == name })
	if at < 0 {
		return append(services, Service{Name: name, Groups: []Group{group}})
	}
	if !slices.ContainsFunc(services[at].Groups, func(g Group) bool { return g.String() == group.String() }) {
		services[at].Groups = append(services[at].Groups, group)
	}
	return services
}

// ServicesOf lists, sorted, the names of what an instance of the group may serve together with others: every `service:`
// of a stage that holds the group, and the group's target groups, which may hold others. A group of no stage serves
// with nobody.
func ServicesOf(stages []Stage, group Group, targets []string) []string {
	names := []string{}
	for _, stage := range stages {
		if !slices.ContainsFunc(stage.Groups, func(g Group) bool { return g.String() == group.String() }) {
			continue
		}
		if stage.Service != "" {
			names = append(names, stage.Service)
		}
		names = append(names, targets...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
