package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// HealthCheck is one condition that must hold before an instance counts as healthy. Exactly one field is set: each is a
// kind, and each kind has a file of its own, here to judge it and in activities to observe it.
type HealthCheck struct {
	TargetGroup string        `json:"target_group,omitempty"` // "auto": every one that the instance was healthy in before
	HTTP        *HTTPCheck    `json:"http,omitempty"`
	HTTPS       *HTTPSCheck   `json:"https,omitempty"`
	Command     *CommandCheck `json:"command,omitempty"`
	Alarm       string        `json:"alarm,omitempty"` // a CloudWatch alarm's name
	Metric      *MetricCheck  `json:"metric,omitempty"`
}

// HealthKind is one kind of health check, beside EC2's own checks, which every instance has to pass.
type HealthKind struct {
	Key  string                 // of the configuration, and in JSON
	Asks func(HealthCheck) bool // whether a check is of this kind
	// Judge notes in the judgement what of this kind is not as it must be.
	Judge func(*Health, HealthView)
}

// HealthView is what there is to judge by.
type HealthView struct {
	Before   []Target // as read before the instance went out
	Checks   []HealthCheck
	Now      HealthObservation
	Returned time.Time // our exit from standby, on AWS's clock
}

// HealthKinds is every kind, in the order in which they are observed and judged.
func HealthKinds() []HealthKind {
	return []HealthKind{targetGroupHealth, httpHealth, httpsHealth, commandHealth, alarmHealth, metricHealth}
}

// Kind is the check's kind; ok is false where it has none that is known, or several.
func (c HealthCheck) Kind() (kind HealthKind, ok bool) {
	for _, k := range HealthKinds() {
		if !k.Asks(c) {
			continue
		}
		if ok {
			return HealthKind{}, false
		}
		kind, ok = k, true
	}
	return kind, ok
}

// HealthObservation is what one look at an instance saw.
type HealthObservation struct {
	Member  Member
	Serving Serving
	Answers []Answer // to the checks that ask the instance, in their order
	Alarms  []AlarmObservation
	Metrics []MetricObservation // of the metric checks, in their order
	At      time.Time           // AWS's clock
}

// Health is a judgement: Healthy, or Waiting for what a further look may find healthy, or Failed for what no wait will
// mend.
type Health struct {
	Waiting []string `json:"waiting,omitempty"`
	Failed  []string `json:"failed,omitempty"`
	Unsaid  []string `json:"unsaid,omitempty"` // what could not be judged, and is said
}

// Healthy reports whether every judged condition holds.
func (h Health) Healthy() bool { return len(h.Waiting) == 0 && len(h.Failed) == 0 }

func (h *Health) wait(format string, args ...any) {
	h.Waiting = append(h.Waiting, fmt.Sprintf(format, args...))
}

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
	if now.Member.State != "running" {
		health.wait("EC2 says the instance is %q", now.Member.State)
	} else if !now.Member.StatusOK {
		health.wait("%s", unchecked(now.Member))
	}
	view := HealthView{Before: before, Checks: checks, Now: now, Returned: returned}
	for _, kind := range HealthKinds() {
		kind.Judge(&health, view)
	}
	return health
}
