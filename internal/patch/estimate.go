package patch

import "time"

// Estimate is how long one instance is likely to be on its way, from leaving service until its bake has ended. It is made of
// what the plan and the target groups say; nothing better is known before an instance of the group has been patched.
func Estimate(t Timing, bake Duration, groups []TargetGroup) Duration {
	var drain Duration
	for _, group := range groups {
		drain = max(drain, group.DeregistrationDelay)
	}
	return t.Instance + drain + bake + SlowStart(groups)
}

// SlowStart is the longest time for which one of the target groups sends less than its share to a target that is new to it: a
// bake that ended before would have watched a machine at rest.
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
