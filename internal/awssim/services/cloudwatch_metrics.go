package services

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// metricStore keeps what PutMetricData brought, by account and region. Of AWS's own metrics only the host counts of target
// groups are modelled, as they are at the moment of asking.
type metricStore struct {
	w       *world.World
	metrics map[string][]*metric
}

type metric struct {
	namespace, name string
	dimensions      []types.Dimension
	points          []point
}

type point struct {
	at    time.Time
	value float64
}

const (
	metricsPage   = 500
	metricMemory  = 15 * 24 * time.Hour // how long single points are kept
	hostNamespace = "AWS/ApplicationELB"
)

func registerMetrics(r *api.Registry, w *world.World) {
	m := &metricStore{w: w, metrics: map[string][]*metric{}}
	api.Handle(r, "monitoring", "PutMetricData", []string{"Namespace", "MetricData"}, m.put)
	api.Handle(r, "monitoring", "ListMetrics", []string{"Namespace", "MetricName", "Dimensions", "NextToken"}, m.list)
	api.Handle(r, "monitoring", "GetMetricData", []string{"MetricDataQueries", "StartTime", "EndTime", "ScanBy", "MaxDatapoints"}, m.get)
}

func place(call api.Call) string { return call.Account + "/" + call.Region }

// put accepts metrics; alarms here follow the health of applications, not metrics.
func (m *metricStore) put(call api.Call, in *cw.PutMetricDataInput) (*cw.PutMetricDataOutput, error) {
	if deref(in.Namespace) == "" || len(in.MetricData) == 0 {
		return nil, api.Errorf("MissingParameter", "Namespace and MetricData are required")
	}
	if strings.HasPrefix(*in.Namespace, "AWS/") {
		return nil, api.Errorf("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
	}
	for _, datum := range in.MetricData {
		if deref(datum.MetricName) == "" || datum.Value == nil && len(datum.Values) == 0 && datum.StatisticValues == nil {
			return nil, api.Errorf("MissingParameter", "Every datum needs a MetricName and a value")
		}
	}
	for _, datum := range in.MetricData {
		found := m.find(call, *in.Namespace, *datum.MetricName, datum.Dimensions)
		if found == nil {
			found = &metric{namespace: *in.Namespace, name: *datum.MetricName, dimensions: datum.Dimensions}
			m.metrics[place(call)] = append(m.metrics[place(call)], found)
		}
		at := call.Time
		if datum.Timestamp != nil {
			at = *datum.Timestamp
		}
		values := datum.Values
		if datum.Value != nil {
			values = append(slices.Clone(values), *datum.Value)
		}
		if set := datum.StatisticValues; set != nil {
			values = append(slices.Clone(values), deref(set.Sum)/max(deref(set.SampleCount), 1))
		}
		for _, value := range values {
			found.points = append(found.points, point{at, value})
		}
		found.points = slices.DeleteFunc(found.points, func(p point) bool { return p.at.Before(call.Time.Add(-metricMemory)) })
	}
	return nil, nil
}

func (m *metricStore) find(call api.Call, namespace, name string, dimensions []types.Dimension) *metric {
	for _, each := range m.all(call) {
		if each.namespace == namespace && each.name == name && sameDimensions(each.dimensions, dimensions) {
			return each
		}
	}
	return nil
}

// all are the stored metrics and the host counts of this moment.
func (m *metricStore) all(call api.Call) []*metric {
	all := slices.Clone(m.metrics[place(call)])
	region := regionOf(m.w, call)
	for _, group := range region.TargetGroups() {
		if group.LoadBalancer == "" {
			continue
		}
		counts := map[string]float64{}
		for _, target := range group.Targets() {
			counts[target.State]++
		}
		for name, count := range map[string]float64{"HealthyHostCount": counts[world.TargetHealthy], "UnHealthyHostCount": counts[world.TargetUnhealthy]} {
			all = append(all, &metric{
				namespace: hostNamespace, name: name, points: []point{{call.Time, count}},
				dimensions: []types.Dimension{
					{Name: ref("TargetGroup"), Value: ref(afterAccount(group.ARN))},
					{Name: ref("LoadBalancer"), Value: ref(strings.TrimPrefix(afterAccount(region.LoadBalancerARN(group.LoadBalancer)), "loadbalancer/"))},
				},
			})
		}
	}
	slices.SortStableFunc(all, func(a, b *metric) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
	})
	return all
}

// afterAccount is the part of an ARN that CloudWatch's dimensions name a resource by.
func afterAccount(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	return parts[len(parts)-1]
}

func sameDimensions(a, b []types.Dimension) bool {
	return len(a) == len(b) && hasDimensions(a, b)
}

func hasDimensions(of, wanted []types.Dimension) bool {
	for _, each := range wanted {
		if !slices.ContainsFunc(of, func(d types.Dimension) bool {
			return deref(d.Name) == deref(each.Name) && deref(d.Value) == deref(each.Value)
		}) {
			return false
		}
	}
	return true
}

func (m *metricStore) list(call api.Call, in *cw.ListMetricsInput) (*cw.ListMetricsOutput, error) {
	found := []types.Metric{}
	for _, each := range m.all(call) {
		matches := (in.Namespace == nil || *in.Namespace == each.namespace) && (in.MetricName == nil || *in.MetricName == each.name)
		for _, wanted := range in.Dimensions {
			matches = matches && slices.ContainsFunc(each.dimensions, func(d types.Dimension) bool {
				return deref(d.Name) == deref(wanted.Name) && (wanted.Value == nil || *wanted.Value == deref(d.Value))
			})
		}
		if matches {
			found = append(found, types.Metric{Namespace: &each.namespace, MetricName: &each.name, Dimensions: each.dimensions})
		}
	}
	found, next, err := page(found, in.NextToken, nil, metricsPage, &api.Error{Code: "InvalidParameterValue", Message: "Invalid nextToken", Status: http.StatusBadRequest})
	return &cw.ListMetricsOutput{Metrics: found, NextToken: next}, err
}

func (m *metricStore) get(call api.Call, in *cw.GetMetricDataInput) (*cw.GetMetricDataOutput, error) {
	if in.StartTime == nil || in.EndTime == nil || !in.StartTime.Before(*in.EndTime) {
		return nil, api.Errorf("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
	}
	out := &cw.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{}}
	for _, query := range in.MetricDataQueries {
		if query.MetricStat == nil || query.MetricStat.Metric == nil || query.Expression != nil {
			return nil, api.NotModelled("a query of monitoring:GetMetricData without MetricStat")
		}
		stat := query.MetricStat
		period := time.Duration(deref(stat.Period)) * time.Second
		if period < time.Second || statistic(deref(stat.Stat), []float64{0}) == nil {
			return nil, api.NotModelled("statistic %q, period %s of monitoring:GetMetricData", deref(stat.Stat), period)
		}
		result := types.MetricDataResult{Id: query.Id, Label: stat.Metric.MetricName, StatusCode: types.StatusCodeComplete, Timestamps: []time.Time{}, Values: []float64{}}
		if query.Label != nil {
			result.Label = query.Label
		}
		if found := m.find(call, deref(stat.Metric.Namespace), deref(stat.Metric.MetricName), stat.Metric.Dimensions); found != nil {
			result.Timestamps, result.Values = found.series(*in.StartTime, *in.EndTime, period, *stat.Stat, in.ScanBy)
		}
		out.MetricDataResults = append(out.MetricDataResults, result)
	}
	return out, nil
}

// series sums points up by period, the newest first unless asked otherwise.
func (m *metric) series(start, end time.Time, period time.Duration, stat string, order types.ScanBy) ([]time.Time, []float64) {
	byPeriod := map[time.Time][]float64{}
	for _, p := range m.points {
		if !p.at.Before(start) && p.at.Before(end.Add(time.Nanosecond)) {
			at := p.at.Truncate(period)
			byPeriod[at] = append(byPeriod[at], p.value)
		}
	}
	times := []time.Time{}
	for at := range byPeriod {
		times = append(times, at)
	}
	slices.SortFunc(times, func(a, b time.Time) int { return b.Compare(a) })
	if order == types.ScanByTimestampAscending {
		slices.Reverse(times)
	}
	values := make([]float64, 0, len(times))
	for _, at := range times {
		values = append(values, *statistic(stat, byPeriod[at]))
	}
	return times, values
}

// statistic computes one of CloudWatch's plain statistics; nil for others.
func statistic(name string, values []float64) *float64 {
	sum := 0.0
	for _, value := range values {
		sum += value
	}
	switch name {
	case "Sum":
		return &sum
	case "Average":
		return ref(sum / float64(len(values)))
	case "Minimum":
		return ref(slices.Min(values))
	case "Maximum":
		return ref(slices.Max(values))
	case "SampleCount":
		return ref(float64(len(values)))
	}
	return nil
}
