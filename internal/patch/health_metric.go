package patch

import (
	"fmt"
	"slices"
	"time"
)

// MetricCheck judges by what CloudWatch has of an instance, or of something else, in the whole periods since the
// instance came back. It has exactly one of AtMost, AtLeast and Peers.
type MetricCheck struct {
	Name    string   `json:"name"`    // for people: "error rate"
	Metrics []Metric `json:"metrics"` // at least one
	// Expression is metric math of the metrics' ids; "": the first metric itself.
	Expression string          `json:"expression,omitempty"`
	Period     Duration        `json:"period"` // by AWS's clock, as Delay
	Delay      Duration        `json:"delay"`  // so long after its end a period may still grow: it is not looked at before
	AtMost     *float64        `json:"at_most,omitempty"`
	AtLeast    *float64        `json:"at_least,omitempty"`
	Peers      *MetricPeers    `json:"peers,omitempty"`
	Requests   *MetricRequests `json:"requests,omitempty"`
	Missing    MissingData     `json:"missing"`
}

// Metric is one series of CloudWatch. In the values of its dimensions {instance} stands for an instance's id.
type Metric struct {
	ID         string            `json:"id"` // a lower-case letter, then letters, digits and _
	Namespace  string            `json:"namespace"`
	Name       string            `json:"metric"`
	Statistic  string            `json:"statistic"` // CloudWatch's: Sum, Average, p99
	Dimensions map[string]string `json:"dimensions,omitempty"`
}

// MetricPeers compares with the members of the group that the wave has not begun yet, and serve as this one does.
type MetricPeers struct {
	Within int     `json:"within"` // percent of theirs by which it may be worse
	Margin float64 `json:"margin,omitempty"`
	Worse  Worse   `json:"worse"`
}

// Worse is which way a metric is worse.
type Worse string

// The ways.
const (
	WorseHigher Worse = "higher" // the default: errors, latency
	WorseLower  Worse = "lower"  // what succeeds
)

// MetricRequests is how much has to be seen before anything is told by it. Periods weigh as much as they have of it.
type MetricRequests struct {
	Of      string `json:"of"` // the id of a metric, a Sum
	AtLeast int    `json:"at_least"`
}

// MissingData is what too little data comes to at the end of the bake.
type MissingData string

// What it may come to.
const (
	MissingFails MissingData = "fail" // the default: what nobody has seen well is put back
	MissingIsOK  MissingData = "ok"   // told, and not judged
)

// InstanceWord stands for the id of an instance in a dimension's value.
const InstanceWord = "{instance}"

// MostPeers bounds those with which an instance is compared: their names travel with it.
const MostPeers = 20

// Needs is how long a bake must be for the check to see at least one whole period in it: up to one is cut by the
// return, one is whole, and then it has to be there. By AWS's clock.
func (c MetricCheck) Needs() Duration { return 2*c.Period + c.Delay }

// ValueOf is the id of the metric that is judged where there is no expression.
func (c MetricCheck) ValueOf() string { return c.Metrics[0].ID }

// metricHealth: what CloudWatch has of the instance since its return must be within what the plan says. Too little is
// never well: while it may still come it decides nothing, and at the end of the bake it is what the plan says.
var metricHealth = HealthKind{
	Key:  "metric",
	Asks: func(check HealthCheck) bool { return check.Metric != nil },
	Judge: func(health *Health, view HealthView) {
		for _, seen := range view.Now.Metrics {
			verdict, said := seen.Judge()
			final := seen.Final && (verdict == MetricUnread || seen.Check.Missing != MissingIsOK)
			switch {
			case verdict == MetricBad, verdict != MetricWell && final:
				health.wait("%s", said)
			case verdict != MetricWell:
				health.Unsaid = append(health.Unsaid, said)
			}
		}
	},
}

// Metrics are the metric checks among checks.
func Metrics(checks []HealthCheck) (metrics []MetricCheck) {
	for _, check := range checks {
		if check.Metric != nil {
			metrics = append(metrics, *check.Metric)
		}
	}
	return metrics
}

// MetricLines are the metric checks among checks, a line each for people.
func MetricLines(checks []HealthCheck) (lines []string) {
	for _, check := range Metrics(checks) {
		lines = append(lines, check.String())
	}
	return lines
}

// WithoutMetrics are the checks that need no data of CloudWatch's metrics. Only a bake, and what comes before an
// instance goes out, asks for those: right after the return there are none, and what is put back is not judged by them.
func WithoutMetrics(checks []HealthCheck) []HealthCheck {
	return slices.DeleteFunc(slices.Clone(checks), func(check HealthCheck) bool { return check.Metric != nil })
}

// WithoutPeers are the checks that need nobody to compare with: while a stage soaks, all of it is patched.
func WithoutPeers(checks []HealthCheck) []HealthCheck {
	return slices.DeleteFunc(slices.Clone(checks), func(check HealthCheck) bool {
		return check.Metric != nil && check.Metric.Peers != nil
	})
}

// ComparesPeers reports whether some check compares an instance with its peers.
func ComparesPeers(checks []HealthCheck) bool {
	return slices.ContainsFunc(Metrics(checks), func(check MetricCheck) bool { return check.Peers != nil })
}

// MetricWait is how much longer than anything else the last look at metrics may have to wait: for a period to end, and
// to be there.
func MetricWait(checks []HealthCheck) (longest Duration) {
	for _, check := range Metrics(checks) {
		longest = max(longest, check.Needs())
	}
	return longest
}

// MetricLook is which data metric checks are about.
type MetricLook struct {
	// Since is AWS's time from which on whole periods count; zero: those of the time Back before the look.
	Since time.Time `json:"since,omitzero"`
	Back  Duration  `json:"back,omitempty"` // in the plan's time; 0: fifteen periods
	// Went is AWS's time at which the instance was looked at before it went out: one that has no peers left is compared
	// with itself, for as long as Back before that.
	Went  time.Time `json:"went,omitzero"`
	Peers []string  `json:"peers,omitempty"` // ids of those that may be peers
	Final bool      `json:"final,omitempty"` // the end of the bake: what has not come by now is missing
}

// String is the check in a few words, for a plan: "error rate at most 5".
func (c MetricCheck) String() string {
	said := c.Name
	switch {
	case c.Peers != nil:
		said += fmt.Sprintf(" within %d%%", c.Peers.Within)
		if c.Peers.Margin > 0 {
			said += " and " + number(c.Peers.Margin)
		}
		said += " of its unpatched peers"
	case c.AtMost != nil:
		said += " at most " + number(*c.AtMost)
	case c.AtLeast != nil:
		said += " at least " + number(*c.AtLeast)
	}
	if c.Requests != nil {
		said += fmt.Sprintf(", by %d %s or more", c.Requests.AtLeast, c.Requests.Of)
	}
	return said
}
