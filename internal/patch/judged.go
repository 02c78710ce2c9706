package patch

import (
	"fmt"
	"slices"
	"strings"
)

// MayJudge refuses a bake in which an alarm that is to judge it would have no time to ring.
func MayJudge(group Group, bake Duration, gates []AlarmObservation) *Refusal {
	return first(JudgeRefusals(group, bake, gates))
}

// JudgeRefusals is MayJudge with every reason to refuse.
func JudgeRefusals(group Group, bake Duration, gates []AlarmObservation) []*Refusal {
	var found []*Refusal
	for _, alarm := range gates {
		if alarm.Needs > bake {
			found = append(found, &Refusal{
				Code: RefusedBake, Where: group.String(),
				What:     fmt.Sprintf("the bake of %s is too short for the alarm %s, which may take %s to ring", bake, alarm.Name, alarm.Needs),
				WhatToDo: fmt.Sprintf("write bake: %s or more in the plan, or take the alarm out of health", alarm.Needs),
			})
		}
	}
	return found
}

// GateRefusals refuse to begin while an alarm that is to judge does not say OK: it could not tell our harm from another's.
func GateRefusals(group Group, gates []AlarmObservation) []*Refusal {
	var found []*Refusal
	for _, alarm := range gates {
		if alarm.State != "OK" {
			found = append(found, &Refusal{
				Code: RefusedAlarm, Where: group.String(), What: fmt.Sprintf("alarm %s is %s before we began", alarm.Name, alarm.State),
				WhatToDo: "mend what it reports, then retry",
			})
		}
	}
	return found
}

// Unjudged tells of the targets that the checks name and whose health says nothing, for a note in the result.
func Unjudged(before []Target, checks []HealthCheck) []string {
	var notes []string
	for _, target := range before {
		if target.Judged() || !slices.ContainsFunc(checks, func(check HealthCheck) bool { return check.names(target) }) {
			continue
		}
		notes = append(notes, fmt.Sprintf("it was %s in %s, so its health there was not judged", target.Health, target.TargetGroupARN))
	}
	return notes
}

// names tells whether the check is about the target.
func (c HealthCheck) names(target Target) bool {
	return c.TargetGroup == "auto" || c.TargetGroup != "" && strings.Contains(target.TargetGroupARN, ":targetgroup/"+c.TargetGroup+"/")
}
