package patch

import (
	"slices"
	"strings"
)

// Service is what several groups serve together, and what is therefore promised for all of them at once: they are taken one
// instance at a time in all.
type Service struct {
	Name   string // as the plan names it, or the ARN of a target group that groups of one stage share
	Groups []Group
}

// Services lists, by name, every `service:` of the stages and every target group that two groups of one stage share, each
// with its groups in the stages' order. targets are the ARNs of a group's target groups, by Group.String().
func Services(stages []Stage, targets map[string][]string) []Service {
	groups := map[string][]Group{}
	join := func(name string, group Group) {
		if !slices.ContainsFunc(groups[name], func(g Group) bool { return g.String() == group.String() }) {
			groups[name] = append(groups[name], group)
		}
	}
	for _, stage := range stages {
		behind := map[string][]Group{}
		for _, group := range stage.Groups {
			if stage.Service != "" {
				join(stage.Service, group)
			}
			for _, arn := range targets[group.String()] {
				behind[arn] = append(behind[arn], group)
			}
		}
		for arn, sharing := range behind {
			if len(sharing) < 2 {
				continue
			}
			for _, group := range sharing {
				join(arn, group)
			}
		}
	}
	services := make([]Service, 0, len(groups))
	for name, members := range groups {
		services = append(services, Service{Name: name, Groups: members})
	}
	slices.SortFunc(services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	return services
}
