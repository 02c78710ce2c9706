package world

import (
	"fmt"
	"strings"
	"time"
)

// on reports whether the alarm is on that metric.
func (a *Alarm) on(m *Metric) bool {
	return a.Metric == m.Name && a.Namespace == m.Namespace && metricKey(a.Namespace, a.Metric, a.Dimensions) == metricKey(
		m.Namespace, m.Name, m.Dimensions,
	)
}

// judged reports whether the alarm's state follows from its metric. Nobody can put data into a metric of AWS's own, so
// one that is not counted here says nothing, and neither does an alarm that follows an application.
func (a *Alarm) judged() bool {
	if a.follows != nil || a.Metric == "" || a.Period <= 0 {
		return false
	}
	return !strings.HasPrefix(a.Namespace, "AWS/") || a.Region.Metric(a.Namespace, a.Metric, a.Dimensions) != nil
}

// watch lets the alarm look at its metric every minute, until what happened at a moment can change nothing any more.
func (a *Alarm) watch(because time.Time) {
	if !a.judged() {
		return
	}
	w := a.Region.World
	if because.Before(w.now) {
		because = w.now
	}
	if quiet := because.Add(
		a.Period*time.Duration(a.EvaluationPeriods+sparePeriods+1) + metricMinute,
	); quiet.After(a.quiet) {
		a.quiet = quiet
	}
	if a.look == nil {
		a.look = w.After(w.now.Truncate(metricMinute).Add(metricMinute).Sub(w.now), a.lookAtMetric)
	}
}

func (a *Alarm) lookAtMetric() {
	w := a.Region.World
	a.look = nil
	state, reason := a.verdict()
	if state != a.State {
		a.become(state, reason)
	}
	if w.now.Before(a.quiet) {
		a.look = w.After(metricMinute, a.lookAtMetric)
	}
}

// verdict judges the periods that are over.
func (a *Alarm) verdict() (state, reason string) {
	rule := judgement{
		periods: a.EvaluationPeriods, toAlarm: a.DatapointsToAlarm, ifMissing: a.TreatMissingData, state: a.State,
	}
	if rule.toAlarm == 0 {
		rule.toAlarm = rule.periods
	}
	end := a.Region.World.now.Truncate(a.Period)
	start := end.Add(-a.Period * time.Duration(rule.periods+sparePeriods))
	breaches := make([]*bool, rule.periods+sparePeriods)
	found, values := 0, ""
	if metric := a.Region.Metric(a.Namespace, a.Metric, a.Dimensions); metric != nil {
		for _, point := range metric.Series(start, end, a.Period) {
			value, _ := point.Statistic(a.Statistic)
			breach := a.breaches(value)
			breaches[len(breaches)-1-int(point.At.Sub(start)/a.Period)] = &breach
			found, values = found+1, fmt.Sprintf("%v (%s)", value, point.At.UTC().Format("02/01/06 15:04:05"))
		}
	}
	state = rule.judge(breaches)
	words := map[bool]string{true: "Threshold Crossed", false: "Threshold not crossed"}[state == AlarmRaised]
	if found == 0 {
		reason = fmt.Sprintf(
			"%s: no datapoints were received for %d periods and missing datapoints are treated as [%s].", words, rule.periods,
			a.TreatMissingData,
		)
	} else {
		reason = fmt.Sprintf("%s: %d of the last %d datapoints were received, the newest %s; %s is %v and %d must breach it.",
			words, min(found, rule.periods), rule.periods, values, a.Comparison, a.Threshold, rule.toAlarm)
	}
	return state, reason
}

func (a *Alarm) breaches(value float64) bool {
	switch a.Comparison {
	case "GreaterThanOrEqualToThreshold":
		return value >= a.Threshold
	case "GreaterThanThreshold":
		return value > a.Threshold
	case "LessThanThreshold":
		return value < a.Threshold
	}
	return value <= a.Threshold // LessThanOrEqualToThreshold; no other is taken
}
