package aws_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// errorRate is of an instance's own metrics.
func errorRate() patch.MetricCheck {
	of := map[string]string{"InstanceId": patch.InstanceWord}
	return patch.MetricCheck{
		Name: "error rate", Expression: "100 * FILL(errors, 0) / requests", Period: patch.Duration(time.Minute),
		Metrics: []patch.Metric{
			{ID: "errors", Namespace: "Web", Name: "Errors", Statistic: "Sum", Dimensions: of},
			{ID: "requests", Namespace: "Web", Name: "Requests", Statistic: "Sum", Dimensions: of},
		},
		Delay: patch.Duration(2 * time.Minute), Missing: patch.MissingFails,
		Peers:    &patch.MetricPeers{Within: 20, Worse: patch.WorseHigher},
		Requests: &patch.MetricRequests{Of: "requests", AtLeast: 100},
	}
}

// told has an instance tell what it has seen in a minute; negative: it does not tell.
func told(f *simtest.Fleet, at time.Time, id string, requests, errors float64) {
	f.Change(func(region *world.Region, _ *world.ScalingGroup) {
		for name, value := range map[string]float64{"Requests": requests, "Errors": errors} {
			if value >= 0 {
				region.PutMetric("Web", name, [][2]string{{"InstanceId", id}}, world.Datapoint{
					At: at, Count: 1, Sum: value, Min: value, Max: value,
				})
			}
		}
	})
}

// cloudWatch changes what is asked of CloudWatch, and counts.
type cloudWatch struct {
	aws.CloudWatchAPI
	change func(*cloudwatch.GetMetricDataInput)
	calls  int
}

func (c *cloudWatch) GetMetricData(
	ctx context.Context, in *cloudwatch.GetMetricDataInput, opts ...func(*cloudwatch.Options),
) (*cloudwatch.GetMetricDataOutput, error) {
	c.calls++
	if c.change != nil {
		c.change(in)
	}
	return c.CloudWatchAPI.GetMetricData(ctx, in, opts...)
}

func TestWhatCloudWatchTellsOfAnInstance(t *testing.T) {
	tag := func(f *simtest.Fleet, id string) {
		f.Change(func(region *world.Region, _ *world.ScalingGroup) {
			region.Instance(id).Tags[names.TagJournal] = "another wave"
		})
	}
	for _, c := range []struct {
		name   string
		change func(f *simtest.Fleet, ids []string, now time.Time)
		check  func(*patch.MetricCheck)
		look   func(*patch.MetricLook)
		page   int32
		want   patch.MetricObservation // Own, Other, Peers and Why
		err    string
	}{
		{
			name: "of it, and of three peers", want: patch.MetricObservation{
				Own: patch.MetricSample{Value: 2, Requests: 1000, Periods: 10}, Peers: 3,
				Other: patch.MetricSample{Value: 1, Requests: 3000, Periods: 30},
			},
		},
		{
			name: "each minute weighs as much as it has seen", change: func(f *simtest.Fleet, ids []string, now time.Time) {
				told(f, now.Add(-5*time.Minute), ids[0], 900, 0)
			}, want: patch.MetricObservation{
				Own: patch.MetricSample{Value: 100 * 20.0 / 1900, Requests: 1900, Periods: 10}, Peers: 3,
				Other: patch.MetricSample{Value: 1, Requests: 3000, Periods: 30},
			},
		},
		{
			name: "in many pages, without an expression", page: 3, check: func(c *patch.MetricCheck) {
				c.Expression = ""
			}, want: patch.MetricObservation{
				Own: patch.MetricSample{Value: 2, Requests: 1000, Periods: 10}, Peers: 3,
				Other: patch.MetricSample{Value: 1, Requests: 3000, Periods: 30},
			},
		},
		{
			name: "of metric math there is no second page", page: 3,
			want: patch.MetricObservation{Why: "CloudWatch answered PartialData: no further word"},
		},
		{
			name: "a peer that another wave has begun is none", change: func(f *simtest.Fleet, ids []string, _ time.Time) {
				tag(f, ids[1])
			}, want: patch.MetricObservation{
				Own: patch.MetricSample{Value: 2, Requests: 1000, Periods: 10}, Peers: 2,
				Other: patch.MetricSample{Value: 1, Requests: 2000, Periods: 20},
			},
		},
		{
			name: "one that serves nobody is no peer", change: func(f *simtest.Fleet, ids []string, _ time.Time) {
				f.Change(func(region *world.Region, _ *world.ScalingGroup) {
					require.NoError(t, region.TargetGroups()[0].Deregister(ids[1], 80))
				})
			}, want: patch.MetricObservation{
				Own: patch.MetricSample{Value: 2, Requests: 1000, Periods: 10}, Peers: 2,
				Other: patch.MetricSample{Value: 1, Requests: 2000, Periods: 20},
			},
		},
		{
			name: "what came before the return does not count", look: func(l *patch.MetricLook) {
				l.Since = l.Since.Add(5*time.Minute + time.Second) // in the middle of a minute
			}, want: patch.MetricObservation{
				Own: patch.MetricSample{Value: 2, Requests: 400, Periods: 4}, Peers: 3,
				Other: patch.MetricSample{Value: 1, Requests: 1200, Periods: 12},
			},
		},
		{
			name: "what is on its way does not count", change: func(f *simtest.Fleet, ids []string, now time.Time) {
				f.Change(func(region *world.Region, _ *world.ScalingGroup) { region.Alarms.Lag = time.Hour })
				for n := range 10 {
					told(f, now.Add(-time.Duration(n)*time.Minute), ids[0], 1000, 1000)
				}
			}, want: patch.MetricObservation{
				Own: patch.MetricSample{Value: 2, Requests: 1000, Periods: 10}, Peers: 3,
				Other: patch.MetricSample{Value: 1, Requests: 3000, Periods: 30},
			},
		},
		{
			name: "no peer is left: it as it was", look: func(l *patch.MetricLook) {
				l.Peers, l.Went, l.Back = nil, l.Since.Add(-time.Hour), patch.Duration(10*time.Minute)
			}, change: func(f *simtest.Fleet, ids []string, now time.Time) {
				for n := range 20 {
					told(f, now.Add(-time.Hour-time.Duration(10+n)*time.Minute), ids[0], 50, 1.5)
				}
			}, want: patch.MetricObservation{
				Own:   patch.MetricSample{Value: 2, Requests: 1000, Periods: 10},
				Other: patch.MetricSample{Value: 3, Requests: 500, Periods: 10},
			},
		},
		{
			name: "it tells nothing", look: func(l *patch.MetricLook) { l.Since = l.Since.Add(time.Hour) },
			want: patch.MetricObservation{},
		},
		{
			name: "CloudWatch is in trouble", change: func(f *simtest.Fleet, _ []string, _ time.Time) {
				f.Change(func(region *world.Region, _ *world.ScalingGroup) { region.Alarms.Ails = "InternalError" })
			}, want: patch.MetricObservation{
				Why: "CloudWatch answered InternalError: InternalError injected by the simulator's faults",
			},
		},
		{
			name: "it is kept from us", change: func(f *simtest.Fleet, _ []string, _ time.Time) {
				f.Change(func(region *world.Region, _ *world.ScalingGroup) { region.Alarms.Ails = "Forbidden" })
			}, err: "allow cloudwatch:GetMetricData",
		},
		{
			name: "an expression that it does not take", check: func(c *patch.MetricCheck) { c.Expression += " +" },
			err: "correct its metrics and expression in the plan's health",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := simtest.New(t, simtest.Options{})
			ids, now := f.Instances(simtest.Production.Account.ID), f.Clock().Truncate(time.Minute)
			for n := range 10 { // until two minutes ago
				for i, id := range ids {
					errors := 1.0
					if i == 0 {
						errors = 2
					}
					told(f, now.Add(-time.Duration(3+n)*time.Minute), id, 100, errors)
				}
			}
			check, look := errorRate(), patch.MetricLook{Since: now.Add(-12 * time.Minute), Peers: ids[1:4]}
			if c.change != nil {
				c.change(f, ids, now)
			}
			if c.check != nil {
				c.check(&check)
			}
			if c.look != nil {
				c.look(&look)
			}
			s := f.Services(simtest.Production)
			asked := &cloudWatch{CloudWatchAPI: s.CloudWatch, change: func(in *cloudwatch.GetMetricDataInput) {
				if c.page > 0 {
					in.MaxDatapoints = &c.page
				}
			}}
			s.CloudWatch = asked
			query := aws.HealthQuery{
				Instance: aws.Instance{Group: simtest.Production, ID: ids[0]}, Checks: []patch.HealthCheck{{Metric: &check}},
				Metrics: look,
			}
			require.NoError(t, query.Validate())
			sent := aws.Commands{}
			seen, waitingFor, err := aws.Observer{}.Observe(t.Context(), s, query, sent)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				require.NotEqual(t, aws.Passing, aws.KindOf(err))
				return
			}
			require.NoError(t, err)
			require.Empty(t, waitingFor)
			require.Len(t, seen.Metrics, 1)
			got := seen.Metrics[0]
			require.InDelta(t, c.want.Own.Value, got.Own.Value, 1e-9)
			got.Own.Value = c.want.Own.Value
			require.Equal(t, []any{c.want.Own, c.want.Other, c.want.Peers, c.want.Why},
				[]any{got.Own, got.Other, got.Peers, got.Why})

			// Until another period has ended nothing is asked again, but for what was not told.
			calls := asked.calls
			sent.Forget()
			again, _, err := aws.Observer{}.Observe(t.Context(), s, query, sent)
			require.NoError(t, err)
			require.Equal(t, seen.Metrics[0].Own, again.Metrics[0].Own)
			require.Equal(t, c.want.Why != "" || calls == 0, asked.calls > calls || calls == 0, "%d calls", asked.calls)
		})
	}
}

// What is tried before a wave finds what can never be told by.
func TestMetricsAreTried(t *testing.T) {
	f := simtest.New(t, simtest.Options{})
	s, check := f.Services(simtest.Production), errorRate()
	try := func(checks ...patch.MetricCheck) error {
		return aws.TryMetrics(t.Context(), s, simtest.Production, checks, nowhere, f.Clock())
	}
	require.NoError(t, try())
	require.Zero(t, f.Calls("GetMetricData"))
	require.NoError(t, try(check), "that there are no data is another question")
	check.Expression = "100 * (errors / requests"
	require.Equal(t, aws.InvalidInput, aws.KindOf(try(check)))
	check.Metrics = nil
	require.ErrorContains(t, try(check), "it has no metrics")
}
