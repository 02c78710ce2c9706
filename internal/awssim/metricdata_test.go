package awssim

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// putWeb puts what a service saw in some minutes: values by how many minutes ago they begin.
func (f *fleet) putWeb(name string, values map[int]float64) {
	f.t.Helper()
	for ago, value := range values {
		_, err := f.watch.PutMetricData(f.ctx, &cloudwatch.PutMetricDataInput{
			Namespace: aws.String("Web"), MetricData: []types.MetricDatum{{
				MetricName: &name, Value: &value,
				Timestamp: aws.Time(f.clock().Truncate(time.Minute).Add(-time.Duration(ago) * time.Minute)),
			}},
		})
		require.NoError(f.t, err)
	}
}

// sumOf asks for a metric's sum each minute.
func sumOf(id, name string) types.MetricDataQuery {
	return types.MetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: aws.String("Web"), MetricName: &name}, Period: aws.Int32(60),
		Stat: aws.String("Sum"),
	}}
}

func (f *fleet) getData(queries ...types.MetricDataQuery) (*cloudwatch.GetMetricDataOutput, error) {
	f.t.Helper()
	now := f.clock().Truncate(time.Minute)
	return f.watch.GetMetricData(f.ctx, &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(now.Add(-5 * time.Minute)), EndTime: &now, ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: queries,
	})
}

func TestMetricMath(t *testing.T) {
	f := newFleet(t)
	f.putWeb("Requests", map[int]float64{5: 100, 4: 200, 3: 0, 1: 50})
	f.putWeb("Errors", map[int]float64{5: 1, 4: 4})
	for _, c := range []struct {
		expression string
		want       []float64
		code       string
	}{
		{expression: "errors", want: []float64{1, 4}},
		{expression: "100 * errors / requests", want: []float64{1, 2}},
		{expression: "FILL(errors, 0)", want: []float64{1, 4, 0, 0, 0}},
		{expression: "100 * FILL(errors, 0) / requests", want: []float64{1, 2, 0}}, // nothing is divided by 0
		{expression: "FILL(nothing, 0)", want: []float64{}},
		{expression: "-(requests - 50) ^ 2 / 50", want: []float64{50, 450, 50, 0}},
		{expression: "IF(requests > 60, requests, 0 - 1)", want: []float64{100, 200, -1, -1}},
		{expression: "IF(1 > 0, errors, 0)", want: []float64{1, 4}},
		{expression: "ABS(errors - 3)", want: []float64{2, 1}},
		{expression: "errors + ", code: "ValidationError"},
		{expression: "(errors", code: "ValidationError"},
		{expression: "errors)", code: "ValidationError"},
		{expression: "errors # 2", code: "ValidationError"},
		{expression: "FILL(errors)", code: "ValidationError"},
		{expression: "unknown * 2", code: "ValidationError"},
		{expression: "e", code: "ValidationError"},
		{expression: "2 + 2", code: "ValidationError"},
		{expression: "RATE(errors)", code: "NotModelled"},
	} {
		t.Run(c.expression, func(t *testing.T) {
			out, err := f.getData(
				sumOf("errors", "Errors"), sumOf("requests", "Requests"), sumOf("nothing", "Nothing"),
				types.MetricDataQuery{Id: aws.String("e"), Expression: &c.expression},
			)
			if c.code != "" {
				requireCode(t, err, c.code)
				return
			}
			require.NoError(t, err)
			require.Len(t, out.MetricDataResults, 1, "what is not to be returned is not")
			require.Equal(t, types.StatusCodeComplete, out.MetricDataResults[0].StatusCode)
			require.Equal(t, c.want, out.MetricDataResults[0].Values)
		})
	}
}

// What is put late is shown late.
func TestPointsComeLate(t *testing.T) {
	f := newFleet(t)
	f.Inspect(func(w *world.World) {
		for _, account := range w.Accounts() {
			for _, region := range account.Regions() {
				region.Alarms.Lag = 3 * time.Minute
			}
		}
	})
	f.putWeb("Requests", map[int]float64{1: 7})
	query := sumOf("requests", "Requests")
	query.ReturnData = nil
	for _, want := range []int{0, 0, 0, 1} {
		out, err := f.getData(query)
		require.NoError(t, err)
		require.Len(t, out.MetricDataResults[0].Values, want)
		f.pass(time.Minute)
	}
}

func TestMetricDataComesInPages(t *testing.T) {
	f := newFleet(t)
	f.putWeb("Requests", map[int]float64{5: 1, 4: 2, 3: 3, 2: 4, 1: 5})
	f.putWeb("Errors", map[int]float64{2: 6, 1: 7})
	ask := func(token *string, queries ...types.MetricDataQuery) *cloudwatch.GetMetricDataOutput {
		now := f.clock().Truncate(time.Minute)
		for i := range queries {
			queries[i].ReturnData = nil
		}
		out, err := f.watch.GetMetricData(f.ctx, &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(now.Add(-5 * time.Minute)), EndTime: &now, ScanBy: types.ScanByTimestampAscending,
			MaxDatapoints: aws.Int32(3), NextToken: token, MetricDataQueries: queries,
		})
		require.NoError(t, err)
		return out
	}
	got, token, status := map[string][]float64{}, (*string)(nil), []types.StatusCode{}
	for range 3 {
		out := ask(token, sumOf("requests", "Requests"), sumOf("errors", "Errors"))
		for _, result := range out.MetricDataResults {
			got[*result.Id] = append(got[*result.Id], result.Values...)
		}
		status = append(status, out.MetricDataResults[0].StatusCode)
		if token = out.NextToken; token == nil {
			break
		}
	}
	require.Equal(t, map[string][]float64{"requests": {1, 2, 3, 4, 5}, "errors": {6, 7}}, got)
	complete := types.StatusCodeComplete
	require.Equal(t, []types.StatusCode{types.StatusCodePartialData, complete, complete}, status)

	double := types.MetricDataQuery{Id: aws.String("e"), Expression: aws.String("requests * 2")}
	out := ask(nil, sumOf("requests", "Requests"), double)
	require.Nil(t, out.NextToken, "of metric math there is no second page")
	require.Equal(t, types.StatusCodePartialData, out.MetricDataResults[0].StatusCode)
}

func TestMetricDataThatIsRefused(t *testing.T) {
	f := newFleet(t)
	var many []types.MetricDataQuery
	for n := range 501 {
		many = append(many, sumOf(fmt.Sprintf("m%d", n), "Requests"))
	}
	for _, c := range []struct {
		name    string
		queries []types.MetricDataQuery
	}{
		{"more than 500 queries", many},
		{"an id twice", []types.MetricDataQuery{sumOf("m", "Requests"), sumOf("m", "Errors")}},
		{"an id that begins with a capital", []types.MetricDataQuery{sumOf("M", "Requests")}},
		{"neither a metric nor an expression", []types.MetricDataQuery{{Id: aws.String("m")}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := f.getData(c.queries...)
			requireCode(t, err, "ValidationError")
		})
	}
	_, err := f.getData(many[:500]...)
	require.NoError(t, err)
}
