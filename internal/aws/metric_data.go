package aws

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// wrongQueryCodes are those with which CloudWatch says that it does not take a query (errors of GetMetricData, and of
// every operation of it).
var wrongQueryCodes = []string{
	CodeValidation, "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter",
	"MissingRequiredParameter",
}

// mostMetricPages bounds the pages of one answer: a page has up to 100,800 points, and nothing of ours asks for more
// than a few thousand.
const mostMetricPages = 50

// metricData is an answer of CloudWatch: by the number of the instance it is of, by time.
type metricData struct {
	values, requests []map[time.Time]float64
	why              string // it was in trouble, and told nothing or only a part; "": it told all
}

// readMetricData asks for one check's value, and its requests, of some instances: one call, and the pages of its
// answer.
func readMetricData(
	ctx context.Context, s *Services, where string, check patch.MetricCheck, instances []string, from, until time.Time,
) (data metricData, err error) {
	in := &cloudwatch.GetMetricDataInput{
		StartTime: &from, EndTime: &until, ScanBy: cwtypes.ScanByTimestampAscending,
	}
	for n, id := range instances {
		in.MetricDataQueries = append(in.MetricDataQueries, queriesOf(check, n, id)...)
	}
	points, status := map[string]map[time.Time]float64{}, map[string]cwtypes.MetricDataResult{}
	for page := 1; ; page++ {
		out, err := s.CloudWatch.GetMetricData(ctx, in)
		switch {
		case HasCode(err, wrongQueryCodes...):
			return data, Final(InvalidInput, "%s: CloudWatch does not take the metric check %q: %s; correct its metrics and "+
				"expression in the plan's health", where, check.Name, words(err))
		case err != nil:
			return data, Wrap(fmt.Sprintf("read the metrics of %q", check.Name), where, err)
		}
		for _, result := range out.MetricDataResults {
			id := Deref(result.Id)
			if result.StatusCode == cwtypes.StatusCodeForbidden {
				return data, Final(Denied, "%s: CloudWatch keeps the metrics of %q from our role: %s; allow "+
					"cloudwatch:GetMetricData on \"Resource\": \"*\"", where, check.Name, said(result.Messages))
			}
			status[id] = result
			if points[id] == nil {
				points[id] = map[time.Time]float64{}
			}
			for i, at := range result.Timestamps {
				if i < len(result.Values) {
					points[id][at.UTC()] = result.Values[i]
				}
			}
		}
		if len(out.Messages) > 0 {
			data.why = said(out.Messages)
		}
		if Deref(out.NextToken) == "" {
			break
		}
		if page == mostMetricPages {
			data.why = fmt.Sprintf("its answer has more than %d pages", page)
			break
		}
		in.NextToken = out.NextToken
	}
	for n := range instances {
		value, requests := valueID(check, n), requestsID(check, n)
		for _, id := range []string{value, requests} {
			if id == "" {
				continue
			}
			switch last, told := status[id]; {
			case !told:
				data.why = "it says nothing of " + id
			case last.StatusCode == cwtypes.StatusCodePartialData, last.StatusCode == cwtypes.StatusCodeInternalError:
				data.why = fmt.Sprintf("CloudWatch answered %s: %s", last.StatusCode, said(last.Messages))
			}
		}
		whole := func(id string) map[time.Time]float64 {
			return wholePeriods(points[id], from, until, check.Period.D())
		}
		data.values, data.requests = append(data.values, whole(value)), append(data.requests, whole(requests))
	}
	return data, nil
}

// wholePeriods leaves out what is no number and what does not lie wholly within the time.
func wholePeriods(points map[time.Time]float64, from, until time.Time, period time.Duration) map[time.Time]float64 {
	kept := maps.Clone(points)
	maps.DeleteFunc(kept, func(at time.Time, value float64) bool {
		return at.Before(from) || at.Add(period).After(until) || math.IsNaN(value) || math.IsInf(value, 0)
	})
	return kept
}

func said(messages []cwtypes.MessageData) string {
	text := "no further word"
	for i, message := range messages {
		if i == 0 {
			text = ""
		} else {
			text += "; "
		}
		text += Deref(message.Code) + " " + Deref(message.Value)
	}
	return text
}

// sample sums up the instances from one number up to before another: the mean of all periods that have a value, each by
// its requests.
func (d metricData) sample(check patch.MetricCheck, from, to int) (sample patch.MetricSample) {
	total, weight := 0.0, 0.0
	for n := from; n < to; n++ {
		for _, at := range slices.SortedFunc(maps.Keys(d.values[n]), time.Time.Compare) { // in order, for the sum's sake
			requests := 1.0
			if check.Requests != nil {
				if requests = d.requests[n][at]; requests <= 0 {
					continue
				}
				sample.Requests += requests
			}
			sample.Periods++
			total, weight = total+d.values[n][at]*requests, weight+requests
		}
	}
	if weight > 0 {
		sample.Value = total / weight
	}
	return sample
}

// metricID is the id of a metric of one of the instances, by its number: a check's ids stand once for each.
func metricID(n int, id string) string { return fmt.Sprintf("i%d_%s", n, id) }

// valueID is the id of what is judged.
func valueID(check patch.MetricCheck, n int) string {
	if check.Expression == "" {
		return metricID(n, check.ValueOf())
	}
	return fmt.Sprintf("value%d", n)
}

// requestsID is the id of what weighs; "": nothing does.
func requestsID(check patch.MetricCheck, n int) string {
	if check.Requests == nil {
		return ""
	}
	return metricID(n, check.Requests.Of)
}

// queriesOf are the queries for one of the instances.
func queriesOf(check patch.MetricCheck, n int, instance string) []cwtypes.MetricDataQuery {
	period, known := int32(check.Period.D()/time.Second), map[string]bool{}
	var queries []cwtypes.MetricDataQuery
	for _, metric := range check.Metrics {
		known[metric.ID] = true
		id := metricID(n, metric.ID)
		stat := &cwtypes.MetricStat{
			Metric: &cwtypes.Metric{Namespace: Ptr(metric.Namespace), MetricName: Ptr(metric.Name)},
			Period: &period, Stat: Ptr(metric.Statistic),
		}
		for _, name := range slices.Sorted(maps.Keys(metric.Dimensions)) {
			stat.Metric.Dimensions = append(stat.Metric.Dimensions, cwtypes.Dimension{
				Name: Ptr(name), Value: Ptr(ofInstance(metric.Dimensions[name], instance)),
			})
		}
		queries = append(queries, cwtypes.MetricDataQuery{
			Id: &id, MetricStat: stat, ReturnData: Ptr(id == valueID(check, n) || id == requestsID(check, n)),
		})
	}
	if check.Expression == "" {
		return queries
	}
	expression := patch.ReplaceMathWords(check.Expression, func(word string) string {
		if known[word] {
			return metricID(n, word)
		}
		return word
	})
	return append(queries, cwtypes.MetricDataQuery{
		Id: Ptr(valueID(check, n)), Expression: &expression, ReturnData: Ptr(true), Period: &period,
	})
}
