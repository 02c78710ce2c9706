package patch

import (
	"fmt"
	"time"
)

// AlarmObservation is one alarm's state.
type AlarmObservation struct {
	Name  string
	State string    // OK, ALARM, INSUFFICIENT_DATA
	Since time.Time // AWS's clock
	// Needs is how long a bake must be for the alarm to ring in it, in the plan's time; 0 when nobody can tell, as of a
	// composite alarm.
	Needs Duration
}

// alarmHealth: an alarm must not ring after our return. One that rang before says nothing of us; that it is OK before
// the first instance is looked at apart, by GateRefusals.
var alarmHealth = HealthKind{
	Key:  "alarm",
	Asks: func(check HealthCheck) bool { return check.Alarm != "" },
	Judge: func(health *Health, view HealthView) {
		for _, alarm := range view.Now.Alarms {
			if alarm.State == "ALARM" && alarm.Since.After(view.Returned) {
				said := fmt.Sprintf("alarm %s entered ALARM at %s", alarm.Name, alarm.Since.Format(time.RFC3339))
				health.Failed = append(health.Failed, said)
			}
		}
	},
}
