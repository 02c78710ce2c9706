package patch

import (
	"fmt"
	"time"
)

// AlarmRings is the state of an alarm that has something to report.
const AlarmRings = "ALARM"

// AlarmWell is the state of one that has nothing to report.
const AlarmWell = "OK"

// AlarmObservation is one alarm's state.
type AlarmObservation struct {
	Name  string
	State string    // OK, ALARM, INSUFFICIENT_DATA
	Since time.Time // AWS's clock
	// Needs is how long a bake must be for the alarm to ring in it, in the plan's time; 0 when nobody can tell, as of a
	// composite alarm.
	Needs Duration
}

// alarmHealth: an alarm must not ring after the time from which on alarms count: our return, and once the bake is over
// the moment before the instance went out. One that rang before that says nothing of us, which is said; that it is OK
// before a group and before each instance is looked at apart, by a check.
var alarmHealth = HealthKind{
	Key:  "alarm",
	Asks: func(check HealthCheck) bool { return check.Alarm != "" },
	Judge: func(health *Health, view HealthView) {
		for _, alarm := range view.Now.Alarms {
			if alarm.State != AlarmRings {
				continue
			}
			said := fmt.Sprintf("alarm %s entered ALARM at %s", alarm.Name, alarm.Since.Format(time.RFC3339))
			if alarm.Since.After(view.Returned) {
				health.Failed = append(health.Failed, said)
			} else {
				health.Unsaid = append(health.Unsaid, said+" and is not judged")
			}
		}
	},
}
