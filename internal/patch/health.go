package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// HealthObservation is what one look at an instance saw.
type HealthObservation struct {
	Member Member
	HTTP   []HTTPObservation
	Alarms []AlarmObservation
	At     time.Time // AWS's clock
}

// HTTPObservation is one HTTP check's answer; Status is 0 when nothing answered.
type HTTPObservation struct {
	Check  HTTPCheck
	Status int
	Error  string
}

// AlarmObservation is one alarm's state.
type AlarmObservation struct {
	Name  string
	State string    // OK, ALARM, INSUFFICIENT_DATA
	Since time.Time // AWS's clock
	// Needs is how long a bake must be for the alarm to ring in it, in the plan's time; 0 when nobody can tell, as of a
	// composite alarm.
	Needs Duration
}

// Health is a judgement: Healthy, or Waiting for what a further look may find healthy, or Failed for what no wait will mend.
type Health struct {
	Waiting []string `json:"waiting,omitempty"`
	Failed  []string `json:"failed,omitempty"`
	Unsaid  []string `json:"unsaid,omitempty"` // what could not be judged, and is said
}

// Healthy reports whether every judged condition holds.
func (h Health) Healthy() bool { return len(h.Waiting) == 0 && len(h.Failed) == 0 }

// String tells a person what is wrong.
func (h Health) String() string {
	if h.Healthy() {
		return "healthy"
	}
	return strings.Join(append(slices.Clone(h.Failed), h.Waiting...), "; ")
}

// JudgeHealth compares what is seen now with the targets read before the instance went out: what was healthy must be
// healthy again. An alarm counts only if it entered ALARM after returned, our exit from standby.
func JudgeHealth(before []Target, checks []HealthCheck, now HealthObservation, returned time.Time) Health {
	var health Health
	wait := func(format string, args ...any) {
		health.Waiting = append(health.Waiting, fmt.Sprintf(format, args...))
	}
	if now.Member.State != "running" {
		wait("EC2 says the instance is %q", now.Member.State)
	} else if !now.Member.StatusOK {
		wait("EC2's status checks have not passed")
	}
	for _, check := range checks {
		if check.TargetGroup == "" {
			continue
		}
		for _, was := range before {
			if !check.names(was) {
				continue
			}
			if !was.Judged() {
				health.Unsaid = append(health.Unsaid, fmt.Sprintf("%s was %s and is not judged", was.TargetGroupARN, was.Health))
				continue
			}
			if is := findTarget(now.Member.Targets, was); is == nil {
				wait("not registered in %s", was.TargetGroupARN)
			} else if is.Health != TargetHealthy {
				wait("%s in %s %s", is.Health, was.TargetGroupARN, is.Reason)
			}
		}
	}
	for _, http := range now.HTTP {
		if http.Status < 200 || http.Status > 399 {
			wait("http %s answers %d %s", http.Check.Path, http.Status, http.Error)
		}
	}
	for _, alarm := range now.Alarms {
		if alarm.State == "ALARM" && alarm.Since.After(returned) {
			health.Failed = append(health.Failed, fmt.Sprintf("alarm %s entered ALARM at %s", alarm.Name, alarm.Since.Format(time.RFC3339)))
		}
	}
	return health
}

func findTarget(targets []Target, like Target) *Target {
	for i, target := range targets {
		if target.TargetGroupARN == like.TargetGroupARN && target.ID == like.ID && target.Port == like.Port {
			return &targets[i]
		}
	}
	return nil
}
