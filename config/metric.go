package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// MetricCheck is what CloudWatch has to tell of an instance.
type MetricCheck struct {
	Name       string         `yaml:"name" required:"true" pattern:"^[ -~]{1,60}$" example:"error rate" doc:"What it is called in status, notices and evidence."`
	Metrics    []Metric       `yaml:"metrics" required:"true" example:"[{id: errors, namespace: Web, metric: Errors, statistic: Sum, dimensions: {InstanceId: '{instance}'}}]" doc:"The series that are read, one to ten."`
	Expression string         `yaml:"expression" computed:"the first metric itself" pattern:"^[A-Za-z0-9_ .,+*/^()<>=!&|-]{1,1000}$" example:"100 * FILL(errors, 0) / requests" doc:"CloudWatch's metric math of their ids, which comes to one series. FILL says what a period without data is: a metric of errors may have none while all is well."`
	Period     patch.Duration `yaml:"period" min:"1m" max:"1h" default:"1m" example:"5m" doc:"How long each point is: whole minutes that divide an hour."`
	Delay      patch.Duration `yaml:"delay" min:"1m" max:"30m" default:"2m" example:"5m" doc:"How long after its end a period may still grow, and is not looked at."`
	AtMost     *float64       `yaml:"at_most" example:"5" doc:"The mean of the periods, each by its requests, may be at most this."`
	AtLeast    *float64       `yaml:"at_least" example:"99.5" doc:"Or it has to be at least this."`
	Peers      *MetricPeers   `yaml:"peers" example:"{within: 20%}" doc:"Or it may be only so much worse than that of the unpatched others of its group. It needs a metric of a single instance, and requests."`
	Requests   *Requests      `yaml:"requests" example:"{of: requests, at_least: 200}" doc:"How much has to be seen before anything is told by it; of the peers, of all of them together."`
	Missing    string         `yaml:"missing" enum:"fail,ok" default:"fail" example:"fail" doc:"What it is when by the end of the bake there is too little to judge by: fail puts the instance back, ok tells it and goes on."`
}

// Metric is one series of CloudWatch.
type Metric struct {
	ID         string            `yaml:"id" required:"true" pattern:"^[a-z][A-Za-z0-9_]{0,63}$" example:"errors" doc:"Its name in expression and requests."`
	Namespace  string            `yaml:"namespace" required:"true" pattern:"^[^:\\x00-\\x1f][^\\x00-\\x1f]{0,254}$" example:"Web" doc:"CloudWatch's namespace."`
	Metric     string            `yaml:"metric" required:"true" pattern:"^[!-~][ -~]{0,254}$" example:"Errors" doc:"The metric's name."`
	Statistic  string            `yaml:"statistic" required:"true" pattern:"^(Sum|Average|Minimum|Maximum|SampleCount|IQM|(p|tm|ts|tc|wm)[0-9]{1,2}([.][0-9]{1,10})?|p100)$" example:"Sum" doc:"CloudWatch's statistic: Sum, Average, Minimum, Maximum, SampleCount, IQM, or one like p99 and tm90."`
	Dimensions map[string]string `yaml:"dimensions" example:"{InstanceId: '{instance}'}" doc:"Its dimensions, all of them: CloudWatch finds no series by a part of them. {instance} stands for the id of the instance."`
}

// MetricPeers compares with the unpatched.
type MetricPeers struct {
	Within string  `yaml:"within" required:"true" pattern:"^[0-9]{1,3}%$" example:"20%" doc:"By how much of theirs it may be worse."`
	Margin float64 `yaml:"margin" min:"0" default:"0" example:"0.1" doc:"What it may be worse by beside that, in the metric's own unit: a fifth of nothing is nothing."`
	Worse  string  `yaml:"worse" enum:"higher,lower" default:"higher" example:"lower" doc:"Which way it is worse."`
}

// Requests are how much has to be seen.
type Requests struct {
	Of      string `yaml:"of" required:"true" pattern:"^[a-z][A-Za-z0-9_]{0,63}$" example:"requests" doc:"The id of a metric with statistic Sum or SampleCount."`
	AtLeast int    `yaml:"at_least" required:"true" min:"1" max:"1000000000" example:"200" doc:"So many of them, since the return."`
}

// mostMetrics bounds those of a check: with as many peers as there may be, one call of CloudWatch asks for all.
const mostMetrics = 10

// manySeries are functions of metric math that come to several series, or read other metrics than those that stand in
// the check.
var manySeries = []string{
	"SEARCH", "METRICS", "SELECT", "INSIGHT_RULE_METRIC", "ANOMALY_DETECTION_BAND", "SLICE", "SORT",
}

func (v *validator) checkMetric(at string, check MetricCheck) {
	if len(check.Metrics) > mostMetrics {
		v.doc.Problem(at+".metrics", "has %d entries, and may have %d", len(check.Metrics), mostMetrics)
	}
	known, single := map[string]Metric{}, false
	for i, metric := range check.Metrics {
		if _, twice := known[metric.ID]; twice && metric.ID != "" {
			v.doc.Problem(fmt.Sprintf("%s.metrics[%d].id", at, i), "%s is given twice; give each an id of its own", metric.ID)
		}
		known[metric.ID] = metric
		single = v.checkDimensions(fmt.Sprintf("%s.metrics[%d].dimensions", at, i), metric) || single
	}
	v.checkExpression(at+".expression", check.Expression, known)
	v.exactlyOne(at, "at_most: 5", "at_most", "at_least", "peers")
	if minutes := check.Period.D(); minutes%time.Minute != 0 || minutes > 0 && time.Hour%minutes != 0 {
		v.doc.Problem(at+".period", "%s is no number of whole minutes that divides an hour; write it like period: 5m",
			shortDuration(minutes))
	}
	if check.Peers != nil && !single && len(check.Metrics) > 0 {
		v.doc.Problem(at+".peers", "no metric is of a single instance; write {instance} where its id stands in a dimension, "+
			"like dimensions: {InstanceId: '{instance}'}. Load balancers' metrics have no such dimension")
	}
	if check.Peers != nil && check.Requests == nil {
		v.doc.Problem(at+".peers", "needs requests, or the chance of a few would decide; write it like "+
			"requests: {of: requests, at_least: 200}")
	}
	v.checkRequests(at+".requests", check, known)
}

// checkDimensions reports whether the metric is of a single instance.
func (v *validator) checkDimensions(at string, metric Metric) (single bool) {
	for _, key := range slices.Sorted(maps.Keys(metric.Dimensions)) {
		value := metric.Dimensions[key]
		single = single || strings.Contains(value, patch.InstanceWord)
		if rest := strings.ReplaceAll(value, patch.InstanceWord, ""); strings.ContainsAny(rest, "{}") {
			v.doc.Problem(at+"."+key, "only {instance} is filled in; write it like InstanceId: '{instance}'")
		}
	}
	return single
}

func (v *validator) checkExpression(at, expression string, known map[string]Metric) {
	for _, word := range patch.MathWords(expression) {
		_, is := known[word]
		switch {
		case slices.Contains(manySeries, word):
			v.doc.Problem(at, "%s comes to several series, or reads others than those in metrics; write each under metrics",
				word)
		case !is && word[0] >= 'a' && word[0] <= 'z':
			v.doc.Problem(at, "there is no metric with the id %s; known: %s", word,
				strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
}

func (v *validator) checkRequests(at string, check MetricCheck, known map[string]Metric) {
	if check.Requests == nil || check.Requests.Of == "" {
		return
	}
	metric, is := known[check.Requests.Of]
	switch {
	case !is:
		v.doc.Problem(at+".of", "there is no metric with the id %s; known: %s", check.Requests.Of,
			strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	case metric.Statistic != "Sum" && metric.Statistic != "SampleCount":
		v.doc.Problem(at+".of", "%s is read as %s, which counts nothing; write statistic: Sum, or SampleCount, for it",
			metric.ID, metric.Statistic)
	case check.Peers != nil && !strings.Contains(fmt.Sprint(metric.Dimensions), patch.InstanceWord):
		v.doc.Problem(at+".of", "%s is not of a single instance, and so says nothing of how much one has seen; write "+
			"{instance} in one of its dimensions", metric.ID)
	}
}

// checkBake refuses a bake in which a metric that is to judge it would have no whole period.
func (v *validator) checkBake(at string, stage Stage) {
	for i, check := range stage.Health {
		if check.Metric == nil {
			continue
		}
		if needs := check.Metric.resolve().Needs(); stage.Bake < needs {
			v.doc.Problem(fmt.Sprintf("%s.health[%d].metric", at, i), "needs a bake of %s or more to see one whole period: two "+
				"periods, and the delay; this stage's is %s", shortDuration(needs.D()), shortDuration(stage.Bake.D()))
		}
	}
}

func (c MetricCheck) resolve() patch.MetricCheck {
	resolved := patch.MetricCheck{
		Name: c.Name, Expression: c.Expression, Period: c.Period, Delay: c.Delay, AtMost: c.AtMost, AtLeast: c.AtLeast,
		Missing: patch.MissingData(c.Missing),
	}
	for _, metric := range c.Metrics {
		resolved.Metrics = append(resolved.Metrics, patch.Metric{
			ID: metric.ID, Namespace: metric.Namespace, Name: metric.Metric, Statistic: metric.Statistic,
			Dimensions: metric.Dimensions,
		})
	}
	if c.Peers != nil {
		within, _ := strconv.Atoi(strings.TrimSuffix(c.Peers.Within, "%")) // its pattern lets nothing else through
		resolved.Peers = &patch.MetricPeers{Within: within, Margin: c.Peers.Margin, Worse: patch.Worse(c.Peers.Worse)}
	}
	if c.Requests != nil {
		resolved.Requests = &patch.MetricRequests{Of: c.Requests.Of, AtLeast: c.Requests.AtLeast}
	}
	return resolved
}
