package services

import (
	"net/http"
	"slices"
	"strings"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

const (
	metricsPage    = 500
	statisticsMost = 1440 // datapoints that GetMetricStatistics returns
)

func registerMetrics(r *api.Registry, w *world.World) {
	s := watchService{w}
	api.Handle(r, "monitoring", "PutMetricData", []string{"Namespace", "MetricData"}, s.putData)
	api.Handle(
		r,
		"monitoring",
		"ListMetrics",
		[]string{"Namespace", "MetricName", "Dimensions", "NextToken"},
		s.listMetrics,
	)
	api.Handle(
		r,
		"monitoring",
		"GetMetricData",
		[]string{"MetricDataQueries", "StartTime", "EndTime", "ScanBy", "MaxDatapoints", "NextToken"},
		s.getData,
	)
	api.Handle(r, "monitoring", "GetMetricStatistics", []string{
		"Namespace", "MetricName", "Dimensions", "StartTime", "EndTime", "Period", "Statistics",
	}, s.getStatistics)
}

func (s watchService) putData(call api.Call, in *cw.PutMetricDataInput) (*cw.PutMetricDataOutput, error) {
	if deref(in.Namespace) == "" || len(in.MetricData) == 0 {
		return nil, api.Errorf("MissingParameter", "Namespace and MetricData are required")
	}
	if strings.HasPrefix(*in.Namespace, "AWS/") {
		return nil, api.Errorf("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
	}
	region := regionOf(s.w, call)
	points := make([][]world.Datapoint, len(in.MetricData))
	for n, datum := range in.MetricData {
		var err error
		if points[n], err = datapoints(region, call.Time, datum); err != nil {
			return nil, err
		}
	}
	for n, datum := range in.MetricData {
		for _, point := range points[n] {
			region.PutMetric(*in.Namespace, *datum.MetricName, dimensionPairs(datum.Dimensions), point)
		}
	}
	return nil, nil
}

// datapoints are what one datum says: a value, values with their counts, or a set of statistics.
func datapoints(region *world.Region, now time.Time, datum types.MetricDatum) ([]world.Datapoint, error) {
	at := now
	if datum.Timestamp != nil {
		at = *datum.Timestamp
	}
	forms := 0
	for _, given := range []bool{datum.Value != nil, len(datum.Values) > 0, datum.StatisticValues != nil} {
		if given {
			forms++
		}
	}
	switch {
	case deref(datum.MetricName) == "" || forms == 0:
		return nil, api.Errorf("MissingParameter", "Every datum needs a MetricName and a value")
	case forms > 1:
		return nil, api.Errorf("InvalidParameterCombination", "The parameters Value, Values and StatisticValues are "+
			"mutually exclusive.")
	case len(datum.Counts) > 0 && len(datum.Counts) != len(datum.Values):
		return nil, api.Errorf("InvalidParameterValue", "The parameters Values and Counts must be of the same size.")
	case !region.AcceptsMetricAt(at):
		return nil, api.Errorf("InvalidParameterValue", "The parameter Timestamp must be no more than two weeks old and "+
			"two hours ahead.")
	case datum.Value != nil:
		return []world.Datapoint{{At: at, Count: 1, Sum: *datum.Value, Min: *datum.Value, Max: *datum.Value}}, nil
	case datum.StatisticValues != nil:
		set := datum.StatisticValues
		return []world.Datapoint{
			{At: at, Count: deref(set.SampleCount), Sum: deref(set.Sum), Min: deref(set.Minimum), Max: deref(set.Maximum)},
		}, nil
	}
	var points []world.Datapoint
	for n, value := range datum.Values {
		count := 1.0
		if len(datum.Counts) > 0 {
			count = datum.Counts[n]
		}
		points = append(points, world.Datapoint{At: at, Count: count, Sum: value * count, Min: value, Max: value})
	}
	return points, nil
}

func dimensionPairs(dimensions []types.Dimension) [][2]string {
	var pairs [][2]string
	for _, dimension := range dimensions {
		pairs = append(pairs, [2]string{deref(dimension.Name), deref(dimension.Value)})
	}
	return pairs
}

func dimensionViews(pairs [][2]string) []types.Dimension {
	views := []types.Dimension{}
	for _, pair := range pairs {
		views = append(views, types.Dimension{Name: &pair[0], Value: &pair[1]})
	}
	return views
}

func (s watchService) listMetrics(call api.Call, in *cw.ListMetricsInput) (*cw.ListMetricsOutput, error) {
	found := []types.Metric{}
	for _, each := range regionOf(s.w, call).Metrics() {
		matches := (in.Namespace == nil || *in.Namespace == each.Namespace) &&
			(in.MetricName == nil || *in.MetricName == each.Name)
		for _, wanted := range in.Dimensions {
			matches = matches && slices.ContainsFunc(each.Dimensions, func(d [2]string) bool {
				return d[0] == deref(wanted.Name) && (wanted.Value == nil || *wanted.Value == d[1])
			})
		}
		if matches {
			found = append(
				found,
				types.Metric{Namespace: &each.Namespace, MetricName: &each.Name, Dimensions: dimensionViews(each.Dimensions)},
			)
		}
	}
	found, next, err := page(
		found,
		in.NextToken,
		nil,
		metricsPage,
		&api.Error{Code: "InvalidParameterValue", Message: "Invalid nextToken", Status: http.StatusBadRequest},
	)
	return &cw.ListMetricsOutput{Metrics: found, NextToken: next}, err
}

// metricPeriod refuses what is no period: those of less than a minute are 1, 5, 10, 20 or 30 seconds.
func metricPeriod(seconds *int32) (time.Duration, error) {
	n := deref(seconds)
	if n < 1 || n%60 != 0 && !slices.Contains([]int32{1, 5, 10, 20, 30}, n) {
		return 0, api.Errorf("ValidationError", "Period %d is not 1, 5, 10, 20, 30 or a multiple of 60 seconds", n)
	}
	return time.Duration(n) * time.Second, nil
}

func (s watchService) series(
	call api.Call,
	of *types.Metric,
	start, end time.Time,
	period time.Duration,
) ([]world.Datapoint, error) {
	if deref(of.Namespace) == "" || deref(of.MetricName) == "" {
		return nil, api.Errorf("ValidationError", "The parameters Namespace and MetricName are required.")
	}
	metric := regionOf(s.w, call).Metric(*of.Namespace, *of.MetricName, dimensionPairs(of.Dimensions))
	if metric == nil {
		return nil, nil
	}
	return metric.Series(start, end, period), nil
}

func (s watchService) getStatistics(
	call api.Call,
	in *cw.GetMetricStatisticsInput,
) (*cw.GetMetricStatisticsOutput, error) {
	if in.StartTime == nil || in.EndTime == nil || !in.StartTime.Before(*in.EndTime) {
		return nil, api.Errorf("InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.")
	}
	period, err := metricPeriod(in.Period)
	if err != nil {
		return nil, err
	}
	if len(in.Statistics) == 0 {
		return nil, api.Errorf("MissingParameter", "At least one of the parameters Statistics and ExtendedStatistics must "+
			"be specified.")
	}
	if asked := in.EndTime.Sub(*in.StartTime) / period; asked > statisticsMost {
		return nil, api.Errorf("InvalidParameterCombination", "You have requested up to %d datapoints, which exceeds the "+
			"limit of %d.", asked, statisticsMost)
	}
	series, err := s.series(
		call,
		&types.Metric{Namespace: in.Namespace, MetricName: in.MetricName, Dimensions: in.Dimensions},
		*in.StartTime,
		*in.EndTime,
		period,
	)
	if err != nil {
		return nil, err
	}
	out := &cw.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	for _, point := range series {
		view := types.Datapoint{Timestamp: &point.At, Unit: types.StandardUnitNone}
		for _, name := range in.Statistics {
			value, ok := point.Statistic(string(name))
			if !ok {
				return nil, api.Errorf("InvalidParameterValue", "The value %s for parameter Statistics is invalid.", name)
			}
			*map[types.Statistic]**float64{
				types.StatisticSum: &view.Sum, types.StatisticAverage: &view.Average, types.StatisticMinimum: &view.Minimum,
				types.StatisticMaximum: &view.Maximum, types.StatisticSampleCount: &view.SampleCount,
			}[name] = &value
		}
		out.Datapoints = append(out.Datapoints, view)
	}
	return out, nil
}
