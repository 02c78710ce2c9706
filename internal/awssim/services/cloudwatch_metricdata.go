package services

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Limits of GetMetricData (its API reference): queries of a call, and points of a page.
const (
	mostQueries    = 500
	mostDatapoints = 100_800
)

// queryID is how a query may be called (API reference of MetricDataQuery).
var queryID = regexp.MustCompile("^[a-z][a-zA-Z0-9_]*$")

// getData answers metrics and metric math. A page ends in the middle of a series, which then is PartialData and goes on
// in the next; where a query has an expression there is no token, and the rest stays untold.
func (s watchService) getData(call api.Call, in *cw.GetMetricDataInput) (*cw.GetMetricDataOutput, error) {
	if in.StartTime == nil || in.EndTime == nil || !in.StartTime.Before(*in.EndTime) {
		return nil, api.Errorf("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
	}
	if len(in.MetricDataQueries) == 0 || len(in.MetricDataQueries) > mostQueries {
		return nil, api.Errorf("ValidationError", "The collection MetricDataQueries must have a size between 1 and %d.",
			mostQueries)
	}
	math, err := s.metricMath(call, in)
	if err != nil {
		return nil, err
	}
	from, err := pageStart(in.NextToken)
	if err != nil {
		return nil, err
	}
	most := mostDatapoints
	if asked := int(deref(in.MaxDatapoints)); asked > 0 {
		most = min(most, asked)
	}
	out, told := &cw.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{}}, 0
	ails := types.StatusCode(regionOf(s.w, call).Alarms.Ails)
	for _, query := range in.MetricDataQueries {
		if query.ReturnData != nil && !*query.ReturnData {
			continue
		}
		series, err := math.series(deref(query.Id))
		if err != nil {
			return nil, err
		}
		result, cut := resultOf(query, series, in.ScanBy, from-told, from+most-told)
		told += len(series)
		if cut {
			result.StatusCode = types.StatusCodePartialData
			if !math.hasExpression {
				out.NextToken = ref(base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(from + most))))
			}
		}
		if ails != "" {
			result.StatusCode, out.NextToken = ails, nil
			result.Messages = []types.MessageData{{Code: ref(string(ails)), Value: ref("injected by the simulator's faults")}}
			if ails != types.StatusCodePartialData {
				result.Timestamps, result.Values = []time.Time{}, []float64{}
			}
		}
		out.MetricDataResults = append(out.MetricDataResults, result)
	}
	return out, nil
}

// pageStart is how many points the pages before have told.
func pageStart(token *string) (int, error) {
	if deref(token) == "" {
		return 0, nil
	}
	bad := api.Errorf("InvalidNextToken", "The next token specified is invalid.")
	text, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil {
		return 0, bad
	}
	from, err := strconv.Atoi(string(text))
	if err != nil || from < 0 {
		return 0, bad
	}
	return from, nil
}

// resultOf is a series as it is told, from one of its points up to before another; cut says that there are more.
func resultOf(
	query types.MetricDataQuery, series map[time.Time]float64, order types.ScanBy, from, to int,
) (result types.MetricDataResult, cut bool) {
	result = types.MetricDataResult{
		Id: query.Id, Label: query.Id, StatusCode: types.StatusCodeComplete, Timestamps: []time.Time{}, Values: []float64{},
	}
	if query.MetricStat != nil {
		result.Label = query.MetricStat.Metric.MetricName
	}
	if query.Label != nil {
		result.Label = query.Label
	}
	times := slices.SortedFunc(maps.Keys(series), time.Time.Compare)
	if order != types.ScanByTimestampAscending { // the newest come first unless asked otherwise
		slices.Reverse(times)
	}
	for n, at := range times {
		if n >= from && n < to {
			result.Timestamps, result.Values = append(result.Timestamps, at), append(result.Values, series[at])
		}
	}
	return result, len(times) > to
}

// metricMath computes the queries of a call.
type metricMath struct {
	queries       map[string]types.MetricDataQuery
	known         map[string]map[time.Time]float64 // by the query's id
	computing     map[string]bool
	read          func(types.MetricDataQuery) (map[time.Time]float64, error)
	start, end    time.Time
	period        time.Duration // of all metrics of the call
	hasExpression bool
}

func (s watchService) metricMath(call api.Call, in *cw.GetMetricDataInput) (*metricMath, error) {
	m := &metricMath{
		queries: map[string]types.MetricDataQuery{}, known: map[string]map[time.Time]float64{}, computing: map[string]bool{},
		start: in.StartTime.UTC(), end: in.EndTime.UTC(),
	}
	for _, query := range in.MetricDataQueries {
		id := deref(query.Id)
		_, twice := m.queries[id]
		switch stat := query.MetricStat; {
		case !queryID.MatchString(id):
			return nil, api.Errorf("ValidationError", "The value %s for parameter MetricDataQueries.member.Id is not valid.", id)
		case twice:
			return nil, api.Errorf("ValidationError", "The values for parameter id in MetricDataQueries are not unique.")
		case (query.Expression == nil) == (stat == nil):
			return nil, api.Errorf("ValidationError", "Query %s has neither an Expression nor a MetricStat, or both.", id)
		case stat != nil && stat.Metric == nil:
			return nil, api.Errorf("ValidationError", "The parameter MetricStat.Metric of %s is required.", id)
		case query.AccountId != nil || stat != nil && stat.Unit != "":
			return nil, api.NotModelled("account or unit of a query of monitoring:GetMetricData")
		case stat == nil:
			m.hasExpression = true
		default:
			period, err := metricPeriod(stat.Period)
			if err != nil {
				return nil, err
			}
			m.period = max(m.period, period)
		}
		m.queries[id] = query
	}
	for _, query := range in.MetricDataQueries {
		if m.hasExpression && query.MetricStat != nil && time.Duration(*query.MetricStat.Period)*time.Second != m.period {
			return nil, api.NotModelled("metrics of several periods beside an expression of monitoring:GetMetricData")
		}
	}
	m.read = func(query types.MetricDataQuery) (map[time.Time]float64, error) {
		stat := query.MetricStat
		period, err := metricPeriod(stat.Period)
		if err != nil {
			return nil, err
		}
		points, err := s.series(call, stat.Metric, in.StartTime.Truncate(min(period, time.Minute)), *in.EndTime, period)
		if err != nil {
			return nil, err
		}
		series := map[time.Time]float64{}
		for _, point := range points {
			value, ok := point.Statistic(deref(stat.Stat))
			if !ok {
				return nil, api.NotModelled("statistic %q of monitoring:GetMetricData", deref(stat.Stat))
			}
			series[point.At.UTC()] = value
		}
		return series, nil
	}
	return m, nil
}

// series is what a query comes to.
func (m *metricMath) series(id string) (map[time.Time]float64, error) {
	if found, ok := m.known[id]; ok {
		return found, nil
	}
	query, ok := m.queries[id]
	switch {
	case !ok:
		return nil, api.Errorf("ValidationError", "Error in expression: %s is not the id of a query.", id)
	case m.computing[id]:
		return nil, api.Errorf("ValidationError", "Error in expression '%s': it refers to itself.", id)
	}
	m.computing[id] = true
	var series map[time.Time]float64
	var err error
	if query.Expression == nil {
		series, err = m.read(query)
	} else {
		series, err = m.evaluate(id, *query.Expression)
	}
	m.known[id] = series
	return series, err
}
