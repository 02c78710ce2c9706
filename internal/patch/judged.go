package patch

import (
	"fmt"
	"slices"
	"strings"
)

// Unjudged tells of the targets that the checks name and whose health says nothing, for a note in the result.
func Unjudged(before []Target, checks []HealthCheck) []string {
	var notes []string
	for _, target := range before {
		if target.Judged() || !slices.ContainsFunc(checks, func(check HealthCheck) bool { return check.names(target) }) {
			continue
		}
		notes = append(
			notes, fmt.Sprintf("it was %s in %s, so its health there was not judged", target.Health, target.Where()),
		)
	}
	return notes
}

// names reports whether the check is about the target.
func (c HealthCheck) names(target Target) bool {
	return c.TargetGroup == "auto" || c.TargetGroup != "" && strings.Contains(
		target.TargetGroupARN, ":targetgroup/"+c.TargetGroup+"/",
	)
}
