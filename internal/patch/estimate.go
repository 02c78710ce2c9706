package patch

import "time"

// Draining is the longest deregistration delay of the target groups.
func Draining(groups []TargetGroup) Duration {
	var longest Duration
	for _, group := range groups {
		longest = max(longest, group.DeregistrationDelay)
	}
	return longest
}

// SlowStart is the longest time for which one of the target groups sends less than its share to a target that is new to
// it: a bake that ended before would have watched a machine at rest.
func SlowStart(groups []TargetGroup) Duration {
	var longest Duration
	for _, group := range groups {
		longest = max(longest, group.SlowStart)
	}
	return longest
}

// alarmMargin is what an alarm may take beyond its evaluation periods: metrics arrive late.
const alarmMargin = Duration(time.Minute)

// AlarmTime is how long after trouble began an alarm may still ring.
func AlarmTime(period Duration, evaluationPeriods int) Duration {
	return period*Duration(max(evaluationPeriods, 1)) + alarmMargin
}
