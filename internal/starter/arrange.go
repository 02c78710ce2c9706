package starter

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Plan is one plan of the file: groups of one role and one operating system.
type Plan struct {
	Name, Baseline string
	Stages         []Stage
}

// Stage is the groups that are patched before those of the next stage.
type Stage struct {
	Name       string
	Production bool
	Groups     []Group
}

// Health is what all groups of the stage can be judged by: their first HTTP check where they agree.
func (s Stage) Health() *HTTPCheck {
	first := s.Groups[0].Check
	for _, group := range s.Groups {
		if group.Check == nil || *group.Check != *first {
			return nil
		}
	}
	return first
}

// Plans arranges groups: one plan for each role and baseline, with what is not production before what is.
func Plans(groups []Group) []Plan {
	type key struct{ role, baseline string }
	byKey := map[key][]Group{}
	roles := map[string]map[string]bool{} // names already, with their baselines
	for _, group := range groups {
		name := word(group.Role)
		byKey[key{name, group.Baseline}] = append(byKey[key{name, group.Baseline}], group)
		if roles[name] == nil {
			roles[name] = map[string]bool{}
		}
		roles[name][group.Baseline] = true
	}
	var plans []Plan
	for k, members := range byKey {
		plan := Plan{Name: k.role, Baseline: k.baseline}
		if len(roles[k.role]) > 1 {
			plan.Name = word(k.role + "-" + k.baseline)
		}
		var before, production []Group
		for _, group := range members {
			if isBefore(group) {
				before = append(before, group)
			} else {
				production = append(production, group)
			}
		}
		for _, stage := range []Stage{{"staging", false, before}, {"production", true, production}} {
			if len(stage.Groups) > 0 {
				slices.SortFunc(stage.Groups, func(a, b Group) int {
					return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name(), b.Name()))
				})
				plan.Stages = append(plan.Stages, stage)
			}
		}
		plans = append(plans, plan)
	}
	slices.SortFunc(plans, func(a, b Plan) int { return cmp.Compare(a.Name, b.Name) })
	return plans
}

// notProduction are words in the names of environments and accounts. What has none of them counts as production: a
// mistake then asks for an approval too many.
var notProduction = []string{"stag", "stg", "test", "dev", "qa", "sandbox", "preprod", "nonprod"}

func isBefore(group Group) bool {
	said := strings.ToLower(cmp.Or(group.Environment, group.Account))
	return slices.ContainsFunc(
		notProduction, func(part string) bool { return strings.Contains(strings.ReplaceAll(said, "-", ""), part) },
	)
}

// word makes a name that a configuration takes: of letters, digits, dots, dashes and underscores, at most 63.
func word(text string) string {
	text = strings.Trim(regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(text, "-"), "-._")
	return cmp.Or(text[:min(len(text), 63)], "fleet")
}
