package awssim

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

var errorsMetric = types.Metric{
	Namespace: aws.String("Shop"), MetricName: aws.String("Errors"),
	Dimensions: []types.Dimension{{Name: aws.String("Service"), Value: aws.String("web")}},
}

func (f *fleet) putAlarm(change func(*cloudwatch.PutMetricAlarmInput)) {
	f.t.Helper()
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("alarm"), Namespace: errorsMetric.Namespace, MetricName: errorsMetric.MetricName,
		Dimensions: errorsMetric.Dimensions,
		Statistic:  types.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(3),
		DatapointsToAlarm: aws.Int32(2),
		Threshold:         aws.Float64(5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
	}
	change(in)
	_, err := f.watch.PutMetricAlarm(f.ctx, in)
	require.NoError(f.t, err)
}

func (f *fleet) alarm() types.MetricAlarm {
	f.t.Helper()
	out, err := f.watch.DescribeAlarms(f.ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"alarm"}})
	require.NoError(f.t, err)
	return out.MetricAlarms[0]
}

func (f *fleet) putErrors(values ...float64) error {
	_, err := f.watch.PutMetricData(
		f.ctx, &cloudwatch.PutMetricDataInput{Namespace: errorsMetric.Namespace, MetricData: []types.MetricDatum{{
			MetricName: errorsMetric.MetricName, Dimensions: errorsMetric.Dimensions, Values: values,
		}}})
	return err
}

func TestMetricsDriveAlarms(t *testing.T) {
	f := newFleet(t)
	f.putAlarm(func(*cloudwatch.PutMetricAlarmInput) {})
	require.Equal(t, types.StateValueInsufficientData, f.alarm().StateValue)
	f.pass(10 * time.Minute)
	require.Equal(t, types.StateValueInsufficientData, f.alarm().StateValue, "there is no data")

	minute := func(values ...float64) types.StateValue {
		require.NoError(t, f.putErrors(values...))
		f.pass(time.Minute)
		return f.alarm().StateValue
	}
	require.Equal(t, types.StateValueOk, minute(1, 2))
	require.Equal(t, types.StateValueOk, minute(3, 3), "one of two breaches")
	require.Equal(t, types.StateValueAlarm, minute(4, 2), "two of three breach")
	rang := f.clock()
	require.WithinDuration(t, rang, *f.alarm().StateTransitionedTimestamp, 0)
	require.Contains(t, *f.alarm().StateReason, "Threshold Crossed")
	require.Equal(t, types.StateValueAlarm, minute(0))
	require.Equal(t, types.StateValueOk, minute(0), "one of the last three breaches")
	f.pass(20 * time.Minute)
	require.Equal(
		t, types.StateValueInsufficientData, f.alarm().StateValue, "nothing was put for as long as it looks back",
	)
}

func TestStateThatWasSetLastsUntilTheNextLook(t *testing.T) {
	for _, tc := range []struct {
		name, namespace string
		want            types.StateValue
	}{
		{"a metric without data", "Shop", types.StateValueInsufficientData},
		{"a metric of AWS that is not modelled says nothing", "AWS/EC2", types.StateValueAlarm},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFleet(t)
			f.putAlarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Namespace = &tc.namespace })
			_, err := f.watch.SetAlarmState(
				f.ctx,
				&cloudwatch.SetAlarmStateInput{
					AlarmName: aws.String("alarm"), StateValue: types.StateValueAlarm, StateReason: aws.String("a rehearsal"),
				},
			)
			require.NoError(t, err)
			require.Equal(t, types.StateValueAlarm, f.alarm().StateValue)
			f.pass(time.Minute)
			require.Equal(t, tc.want, f.alarm().StateValue)
		})
	}
}

// Standby itself trips alarms on healthy hosts and on instances in service.
func TestStandbyTripsAlarmsOnCounts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		metric string
	}{
		{"healthy hosts", "HealthyHostCount"},
		{"instances in service", "GroupInServiceInstances"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFleet(t)
			list, err := f.watch.ListMetrics(f.ctx, &cloudwatch.ListMetricsInput{MetricName: &tc.metric})
			require.NoError(t, err)
			require.Len(t, list.Metrics, 1)
			f.putAlarm(func(in *cloudwatch.PutMetricAlarmInput) {
				metric := list.Metrics[0]
				in.Namespace, in.MetricName, in.Dimensions = metric.Namespace, metric.MetricName, metric.Dimensions
				in.Statistic, in.ComparisonOperator = types.StatisticMinimum, types.ComparisonOperatorLessThanThreshold
				in.Threshold = aws.Float64(4)
				in.EvaluationPeriods, in.DatapointsToAlarm = aws.Int32(2), nil
			})
			f.pass(time.Minute)
			require.Equal(t, types.StateValueOk, f.alarm().StateValue)
			id := f.ids()[0]
			require.NoError(t, f.enter(id, true))
			f.pass(90 * time.Second)
			require.Equal(t, types.StateValueOk, f.alarm().StateValue, "two whole minutes are looked at")
			f.pass(90 * time.Second)
			require.Equal(t, types.StateValueAlarm, f.alarm().StateValue)
			require.NoError(t, f.exit(id))
			f.pass(4 * time.Minute)
			require.Equal(t, types.StateValueOk, f.alarm().StateValue)
		})
	}
}

// An alarm looks only while something can change, so that a world at rest has nothing to do.
func TestAlarmsComeToRest(t *testing.T) {
	f := newFleet(t)
	f.putAlarm(func(*cloudwatch.PutMetricAlarmInput) {})
	require.NoError(t, f.putErrors(9))
	f.pass(time.Hour)
	f.Inspect(func(w *world.World) {
		at, due := w.Next()
		require.False(t, due, "due at %s", at)
	})
}

func TestWhatIsPutIsGot(t *testing.T) {
	f := newFleet(t)
	at := f.clock()
	_, err := f.watch.PutMetricData(
		f.ctx, &cloudwatch.PutMetricDataInput{Namespace: errorsMetric.Namespace, MetricData: []types.MetricDatum{
			{
				MetricName: errorsMetric.MetricName, Dimensions: errorsMetric.Dimensions, Value: aws.Float64(2),
				Timestamp: aws.Time(at.Add(-2 * time.Minute)),
			},
			{
				MetricName: errorsMetric.MetricName, Dimensions: errorsMetric.Dimensions, Values: []float64{1, 4},
				Counts: []float64{3, 1},
			},
			{MetricName: errorsMetric.MetricName, Dimensions: errorsMetric.Dimensions, StatisticValues: &types.StatisticSet{
				SampleCount: aws.Float64(6), Sum: aws.Float64(13), Minimum: aws.Float64(-1), Maximum: aws.Float64(9),
			}},
		}})
	require.NoError(t, err)
	out, err := f.watch.GetMetricStatistics(f.ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: errorsMetric.Namespace, MetricName: errorsMetric.MetricName, Dimensions: errorsMetric.Dimensions,
		Period:    aws.Int32(60),
		StartTime: aws.Time(at.Add(-time.Hour)), EndTime: aws.Time(at.Add(time.Minute)),
		Statistics: types.Statistic("").Values(),
	})
	require.NoError(t, err)
	require.Len(t, out.Datapoints, 2)
	last := out.Datapoints[1]
	require.Equal(
		t, []float64{10, 20, 2, -1, 9}, []float64{*last.SampleCount, *last.Sum, *last.Average, *last.Minimum, *last.Maximum},
	)

	ask := func(change func(*cloudwatch.GetMetricDataInput)) (*cloudwatch.GetMetricDataOutput, error) {
		in := &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(at.Add(-time.Hour)), EndTime: aws.Time(at.Add(time.Minute)),
			MetricDataQueries: []types.MetricDataQuery{
				{
					Id:         aws.String("m"),
					MetricStat: &types.MetricStat{Metric: &errorsMetric, Period: aws.Int32(60), Stat: aws.String("Sum")},
				},
			},
		}
		change(in)
		return f.watch.GetMetricData(f.ctx, in)
	}
	data, err := ask(func(*cloudwatch.GetMetricDataInput) {})
	require.NoError(t, err)
	require.Equal(t, []float64{20, 2}, data.MetricDataResults[0].Values, "the newest first")
	data, err = ask(func(in *cloudwatch.GetMetricDataInput) { in.ScanBy = types.ScanByTimestampAscending })
	require.NoError(t, err)
	require.Len(t, data.MetricDataResults[0].Timestamps, 2)
	require.WithinDuration(t, at.Add(-2*time.Minute), data.MetricDataResults[0].Timestamps[0], 0)

	for _, tc := range []struct {
		name, code, want string
		change           func(*cloudwatch.GetMetricDataInput)
	}{
		{"an expression of many series", "NotModelled", "SEARCH", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(
				in.MetricDataQueries, types.MetricDataQuery{Id: aws.String("e"), Expression: aws.String("SEARCH(m)")},
			)
		}},
		{
			"a percentile", "NotModelled", "p99",
			func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Stat = aws.String("p99") },
		},
		{
			"no period", "ValidationError", "61",
			func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Period = aws.Int32(61) },
		},
		{
			"an end before its start", "ValidationError", "StartTime",
			func(in *cloudwatch.GetMetricDataInput) { in.EndTime = aws.Time(at.Add(-2 * time.Hour)) },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ask(tc.change)
			requireCode(t, err, tc.code)
			require.ErrorContains(t, err, tc.want)
		})
	}
	_, err = f.watch.GetMetricStatistics(f.ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: errorsMetric.Namespace, MetricName: errorsMetric.MetricName, Period: aws.Int32(60),
		Statistics: []types.Statistic{types.StatisticSum},
		StartTime:  aws.Time(at.Add(-25 * time.Hour)), EndTime: &at,
	})
	requireCode(t, err, "InvalidParameterCombination")
}

func TestDataThatIsRefused(t *testing.T) {
	f := newFleet(t)
	for _, tc := range []struct {
		name, code string
		datum      types.MetricDatum
	}{
		{"no value", "MissingParameter", types.MetricDatum{}},
		{"a value and values", "InvalidParameterCombination", types.MetricDatum{Value: aws.Float64(1), Values: []float64{1}}},
		{
			"counts for other values", "InvalidParameterValue", types.MetricDatum{Values: []float64{1}, Counts: []float64{1, 2}},
		},
		{
			"from too long ago", "InvalidParameterValue",
			types.MetricDatum{Value: aws.Float64(1), Timestamp: aws.Time(f.clock().AddDate(0, 0, -15))},
		},
		{
			"from the future", "InvalidParameterValue",
			types.MetricDatum{Value: aws.Float64(1), Timestamp: aws.Time(f.clock().Add(3 * time.Hour))},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.datum.MetricName = errorsMetric.MetricName
			good := types.MetricDatum{MetricName: aws.String("Good"), Value: aws.Float64(1)}
			_, err := f.watch.PutMetricData(
				f.ctx,
				&cloudwatch.PutMetricDataInput{Namespace: errorsMetric.Namespace, MetricData: []types.MetricDatum{good, tc.datum}},
			)
			requireCode(t, err, tc.code)
			list, err := f.watch.ListMetrics(f.ctx, &cloudwatch.ListMetricsInput{Namespace: errorsMetric.Namespace})
			require.NoError(t, err)
			require.Empty(t, list.Metrics, "all of it is refused")
		})
	}
}

func TestAlarmsThatAreRefused(t *testing.T) {
	f := newFleet(t)
	for _, tc := range []struct {
		name, code string
		change     func(*cloudwatch.PutMetricAlarmInput)
	}{
		{
			"more to alarm than is looked at", "ValidationError",
			func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(4) },
		},
		{"no metric", "ValidationError", func(in *cloudwatch.PutMetricAlarmInput) { in.MetricName = nil }},
		{
			"over more than a week", "ValidationError",
			func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(2_000_000_000) },
		},
		{
			"unknown missing data", "ValidationError",
			func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("odd") },
		},
		{"anomalies", "NotModelled", func(in *cloudwatch.PutMetricAlarmInput) {
			in.ComparisonOperator = types.ComparisonOperatorGreaterThanUpperThreshold
		}},
		{
			"metric math", "NotModelled",
			func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics = []types.MetricDataQuery{{Id: aws.String("e")}} },
		},
		{"percentiles", "NotModelled", func(in *cloudwatch.PutMetricAlarmInput) { in.ExtendedStatistic = aws.String("p99") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := &cloudwatch.PutMetricAlarmInput{
				AlarmName: aws.String("alarm"), Namespace: errorsMetric.Namespace, MetricName: errorsMetric.MetricName,
				Statistic: types.StatisticSum,
				Period:    aws.Int32(60), EvaluationPeriods: aws.Int32(3), Threshold: aws.Float64(5),
				ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
			}
			tc.change(in)
			_, err := f.watch.PutMetricAlarm(f.ctx, in)
			requireCode(t, err, tc.code)
		})
	}
}
