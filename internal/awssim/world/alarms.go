package world

import (
	"fmt"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Alarms is the part of a region that CloudWatch keeps.
type Alarms struct {
	alarms  shelf[*Alarm]
	metrics shelf[*Metric] // by metricKey

	// Lag is how long after it was put a point is shown to nobody: load balancers' come minutes later.
	Lag time.Duration
	// Ails is the StatusCode with which GetMetricData answers instead of Complete; "": it is well.
	Ails string
}

// Alarm is a metric alarm. A scenario's, with a target group, follows the health of its targets in use. One on a metric
// that is known here follows that, and any other, on a metric of AWS that is not modelled, keeps the state it was set
// to.
type Alarm struct {
	Region            *Region
	Name              string
	ARN               string
	Description       string
	Metric, Namespace string
	Period            time.Duration
	EvaluationPeriods int
	DatapointsToAlarm int // 0: all of EvaluationPeriods
	Threshold         float64
	Comparison        string // GreaterThanOrEqualToThreshold and the like
	Statistic         string
	TreatMissingData  string
	Dimensions        [][2]string // name, value
	ActionsEnabled    bool
	AlarmActions      []string
	OKActions         []string
	Tags              Tags
	Rule              string // of a composite alarm; "" for a metric alarm

	State        string // OK, ALARM or INSUFFICIENT_DATA
	Reason       string
	Updated      time.Time // of the state's last report
	Transitioned time.Time // when the state last became another
	Configured   time.Time

	rule    alarmRule // of a composite alarm that a client put; nil: it keeps the state it was set to
	about   []string  // the alarms that the rule names
	history []AlarmEvent

	follows *TargetGroup
	change  *Event
	to      string

	look  *Event    // when it looks at its metric
	quiet time.Time // until when that may change its state
}

const configured = "ConfigurationUpdate"

// States of an alarm.
const (
	AlarmOK      = "OK"
	AlarmRaised  = "ALARM"
	AlarmUnknown = "INSUFFICIENT_DATA"
)

func (r *Region) buildAlarms(spec RegionSpec) error {
	for _, s := range spec.Alarms {
		alarm := &Alarm{
			Name: s.Name, Metric: s.Metric, Namespace: "AWS/ApplicationELB", Period: s.Period.or(time.Minute),
			EvaluationPeriods: max(s.EvaluationPeriods, 1), Threshold: 1, Comparison: "GreaterThanOrEqualToThreshold",
			Statistic: "Sum", TreatMissingData: "notBreaching", ActionsEnabled: true,
		}
		if s.TargetGroup != "" {
			group, err := r.targetGroupNamed(s.TargetGroup)
			if err != nil {
				return fmt.Errorf("alarm %s: %w", s.Name, err)
			}
			alarm.follows = group
			alarm.Dimensions = [][2]string{{"TargetGroup", group.ARN}}
		}
		r.PutAlarm(alarm)
		day := r.World.now.Add(-24 * time.Hour)
		alarm.State, alarm.Reason, alarm.Updated, alarm.Transitioned = AlarmOK, "Threshold not crossed", day, day
	}
	return nil
}

// AlarmEvent is a change of an alarm.
type AlarmEvent struct {
	At               time.Time
	Kind             string // StateUpdate or ConfigurationUpdate
	From, To, Reason string // of a StateUpdate
}

// Summary is the event in one phrase.
func (e AlarmEvent) Summary() string {
	if e.Kind == "StateUpdate" {
		return "Alarm updated from " + e.From + " to " + e.To
	}
	return e.Reason
}

// History are the alarm's changes, the oldest first.
func (a *Alarm) History() []AlarmEvent { return a.history }

// PutAlarm creates an alarm, or replaces the configuration of one and keeps its state and its tags, as CloudWatch does.
func (r *Region) PutAlarm(alarm *Alarm) {
	alarm.Region, alarm.ARN, alarm.Configured = r, r.ARN("cloudwatch", "alarm:"+alarm.Name), r.World.now
	if old, ok := r.Alarms.alarms.get(alarm.Name); ok {
		old.cancel()
		alarm.State, alarm.Reason, alarm.Updated, alarm.Transitioned = old.State, old.Reason, old.Updated, old.Transitioned
		if alarm.follows == nil {
			alarm.follows = old.follows
		}
		alarm.Tags = old.Tags // those of a later put are passed over (API reference of PutMetricAlarm)
		alarm.history = append(old.history, AlarmEvent{At: r.World.now, Kind: configured, Reason: "Alarm updated"})
	} else {
		alarm.history = []AlarmEvent{{At: r.World.now, Kind: configured, Reason: "Alarm created"}}
		alarm.State, alarm.Reason = AlarmUnknown, "Unchecked: Initial alarm creation"
		alarm.Updated, alarm.Transitioned = r.World.now, r.World.now
	}
	if alarm.Tags == nil {
		alarm.Tags = Tags{}
	}
	r.Alarms.alarms.put(alarm.Name, alarm)
	alarm.watch(r.World.now)
	r.resettle()
}

// AllAlarms lists the region's alarms in the order they were made.
func (r *Region) AllAlarms() []*Alarm { return r.Alarms.alarms.all() }

// SetAlarm sets an alarm's state until its next evaluation finds otherwise; an unknown name is ResourceNotFound.
func (r *Region) SetAlarm(name, state, reason string) error {
	alarm, ok := r.Alarms.alarms.get(name)
	if !ok {
		return &api.Error{Code: "ResourceNotFound", Message: "Alarm " + name + " does not exist", Status: 404}
	}
	alarm.cancel()
	alarm.become(state, reason)
	alarm.watch(r.World.now)
	r.resettle()
	return nil
}

func (a *Alarm) become(state, reason string) {
	now := a.Region.World.now
	a.Updated, a.Reason = now, reason
	if a.State != state {
		a.history = append(a.history, AlarmEvent{At: now, Kind: "StateUpdate", From: a.State, To: state, Reason: reason})
		a.State, a.Transitioned = state, now
		defer a.Region.followRules()
		a.Region.Changed("alarm", a.Name, state)
	}
}

func (a *Alarm) cancel() {
	a.change.Stop()
	a.change, a.to = nil, ""
	a.look.Stop()
	a.look = nil
}

// breaching reports whether a target that receives requests answers with errors.
func (a *Alarm) breaching() bool {
	for _, target := range a.follows.targets {
		if (target.State == TargetHealthy || target.State == TargetUnavailable || target.unwell()) && !target.passes() {
			return true
		}
	}
	return false
}

// reevaluate begins or ends the periods that lead to another state.
func (a *Alarm) reevaluate() {
	if a.follows == nil {
		return
	}
	want, after, reason := AlarmOK, a.Period, "Threshold not crossed: no errors in the last period"
	if a.breaching() {
		want, after = AlarmRaised, a.Period*time.Duration(a.EvaluationPeriods)
		reason = fmt.Sprintf(
			"Threshold Crossed: %d datapoints were greater than or equal to the threshold", a.EvaluationPeriods,
		)
	}
	if a.State == want {
		a.cancel()
		return
	}
	if a.to == want {
		return
	}
	a.cancel()
	a.to = want
	a.change = a.Region.World.After(after, func() {
		a.change, a.to = nil, ""
		a.become(want, reason)
	})
}
