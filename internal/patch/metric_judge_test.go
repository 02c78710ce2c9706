package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func counted(value, requests float64) patch.MetricSample {
	return patch.MetricSample{Value: value, Requests: requests, Periods: 5}
}

func TestAMetricIsJudged(t *testing.T) {
	bound := func(change func(*patch.MetricCheck)) patch.MetricCheck {
		check := errorRate
		change(&check)
		return check
	}
	requests := &patch.MetricRequests{Of: "requests", AtLeast: 200}
	most := bound(func(c *patch.MetricCheck) { c.Requests = requests })
	least := bound(func(c *patch.MetricCheck) { c.AtMost, c.AtLeast = nil, ref(99.5) })
	peers := bound(func(c *patch.MetricCheck) {
		c.AtMost, c.Requests, c.Peers = nil, requests, &patch.MetricPeers{Within: 20, Worse: patch.WorseHigher}
	})
	lower := peers
	lower.Peers = &patch.MetricPeers{Within: 20, Worse: patch.WorseLower}
	margin := peers
	margin.Peers = &patch.MetricPeers{Within: 20, Margin: 0.1, Worse: patch.WorseHigher}
	ok := most
	ok.Missing = patch.MissingIsOK
	five := 5 * time.Minute
	for _, c := range []struct {
		name    string
		check   patch.MetricCheck
		own     patch.MetricSample
		other   patch.MetricSample
		peers   int
		span    time.Duration // of what was asked; 0: five minutes
		why     string
		want    patch.MetricVerdict
		says    string
		waits   bool // in the middle of a bake
		waitsAt bool // at its end
	}{
		{
			name: "at the bound", check: most, own: counted(5, 300), want: patch.MetricWell,
			says: "error rate is 5, and may be at most 5; seen in 5m from 2026-11-22T12:00:00Z (300 requests)",
		},
		{
			name: "above it", check: most, own: counted(5.01, 300), want: patch.MetricBad,
			says: "error rate is 5.01, and may be at most 5", waits: true, waitsAt: true,
		},
		{name: "at least", check: least, own: counted(99.5, 0), want: patch.MetricWell, says: "may be at least 99.5"},
		{
			name: "less than that", check: least, own: counted(99.4, 0), want: patch.MetricBad, says: "error rate is 99.4",
			waits: true, waitsAt: true,
		},
		{
			name: "above it, by too few requests", check: most, own: counted(50, 199), want: patch.MetricTooLittle,
			says: "error rate: not enough to judge: 199 requests, and it takes 200, in 5m", waitsAt: true,
		},
		{
			name: "too few requests, which the plan takes", check: ok, own: counted(0, 3), want: patch.MetricTooLittle,
			says: "not enough to judge",
		},
		{
			name: "no data is never well", check: most, want: patch.MetricTooLittle, says: "not enough to judge: no data, in 5m",
			waitsAt: true,
		},
		{
			name: "no period yet", check: most, span: -time.Minute, want: patch.MetricTooLittle,
			says: "no whole period of 1m0s has ended", waitsAt: true,
		},
		{
			name: "no data is 0 of nothing", check: bound(func(*patch.MetricCheck) {}), want: patch.MetricTooLittle,
			says: "no data", waitsAt: true,
		},
		{
			name: "CloudWatch is in trouble", check: ok, why: "InternalError", want: patch.MetricUnread,
			says: "error rate is not told: InternalError", waitsAt: true,
		},
		{
			name: "as bad as may be", check: peers, own: counted(1.2, 300), other: counted(1, 900), peers: 3,
			want: patch.MetricWell, says: "may be at most 1.2: 1 of 3 unpatched peers (900 requests)",
		},
		{
			name: "worse than that", check: peers, own: counted(1.21, 300), other: counted(1, 900), peers: 1,
			want: patch.MetricBad, says: "of 1 unpatched peer (900 requests)", waits: true, waitsAt: true,
		},
		{
			name: "a fifth of nothing is nothing", check: peers, own: counted(0.05, 300), other: counted(0, 900), peers: 3,
			want: patch.MetricBad, says: "may be at most 0: 0 of 3", waits: true, waitsAt: true,
		},
		{
			name: "but for a margin", check: margin, own: counted(0.05, 300), other: counted(0, 900), peers: 3,
			want: patch.MetricWell, says: "may be at most 0.1",
		},
		{
			name: "lower is worse", check: lower, own: counted(79, 300), other: counted(100, 900), peers: 3,
			want: patch.MetricBad, says: "may be at least 80: 100 of 3", waits: true, waitsAt: true,
		},
		{
			name: "higher is no worse then", check: lower, own: counted(200, 300), other: counted(100, 900), peers: 3,
			want: patch.MetricWell,
		},
		{
			name: "the peers have seen too little", check: peers, own: counted(9, 300), other: counted(1, 20), peers: 3,
			want: patch.MetricTooLittle, says: "20 requests, and it takes 200, of 3 unpatched peers", waitsAt: true,
		},
		{
			name: "no peer is left", check: peers, own: counted(2, 300), other: counted(1, 400), want: patch.MetricBad,
			says: "1 of itself before it went out, for no peer is unpatched (400 requests)", waits: true, waitsAt: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			span := five
			if c.span != 0 {
				span = c.span
			}
			seen := patch.MetricObservation{
				Check: c.check, From: noon, Until: noon.Add(span), Own: c.own, Other: c.other, Peers: c.peers, Why: c.why,
			}
			verdict, said := seen.Judge()
			require.Equal(t, c.want, verdict, said)
			require.Contains(t, said, c.says)
			for _, final := range []bool{false, true} {
				seen.Final = final
				health := patch.JudgeHealth(nil, nil, patch.HealthObservation{
					Member: well(1, "a"), Metrics: []patch.MetricObservation{seen},
				}, noon)
				waits := c.waits
				if final {
					waits = c.waitsAt
				}
				require.Equal(t, !waits, health.Healthy(), "final %v: %s", final, health)
				require.Equal(t, verdict != patch.MetricWell && !waits, len(health.Unsaid) == 1, "what is not judged is said")
			}
		})
	}
}

// While the instance still serves, what would never pass is a refusal.
func TestAMetricBeforeTheWay(t *testing.T) {
	ok := errorRate
	ok.Missing = patch.MissingIsOK
	for _, c := range []struct {
		name  string
		seen  patch.MetricObservation
		says  string // "": nothing stands against it
		mends string
	}{
		{name: "well", seen: patch.MetricObservation{Check: errorRate, Own: counted(1, 0)}},
		{
			name: "bad already", seen: patch.MetricObservation{Check: errorRate, Own: counted(7, 0)},
			says: "error rate is 7", mends: "mend what it reports",
		},
		{
			name: "no data", seen: patch.MetricObservation{Check: errorRate}, says: "not enough to judge",
			mends: "missing: ok",
		},
		{name: "no data, which the plan takes", seen: patch.MetricObservation{Check: ok}},
		{
			name: "not told", seen: patch.MetricObservation{Check: ok, Why: "InternalError"}, says: "InternalError",
			mends: "then retry",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.seen.From, c.seen.Until = noon, noon.Add(time.Minute)
			refusal := patch.First(patch.LevelInstance, patch.View{
				Group: webGroup, Instance: "i-01", Machine: &patch.MachineAnswer{
					Facts:   &patch.MachineFacts{BootID: "b", Elsewhere: []string{}, Patchers: []string{}, Broken: []string{}},
					Metrics: []patch.MetricObservation{c.seen},
				},
			})
			if c.says == "" {
				require.Nil(t, refusal)
				return
			}
			require.Equal(t, patch.RefusedUnhealthyBefore, refusal.Code)
			require.Contains(t, refusal.Error(), c.says)
			require.Contains(t, refusal.WhatToDo, c.mends)
		})
	}
}

func TestWhatAMetricNeeds(t *testing.T) {
	require.Equal(t, patch.Duration(4*time.Minute), errorRate.Needs(), "two periods, and the delay")
	checks := []patch.HealthCheck{{Alarm: "web-5xx"}, {Metric: &errorRate}}
	require.Equal(t, errorRate.Needs(), patch.MetricWait(checks))
	require.Equal(t, checks[:1], patch.WithoutMetrics(checks))
	require.Equal(t, []string{"error rate at most 5"}, patch.MetricLines(checks))
	require.False(t, patch.ComparesPeers(checks))
	compares := errorRate
	compares.AtMost, compares.Peers = nil, &patch.MetricPeers{Within: 20, Margin: 0.5}
	compares.Requests = &patch.MetricRequests{Of: "requests", AtLeast: 100}
	require.True(t, patch.ComparesPeers([]patch.HealthCheck{{Metric: &compares}}))
	require.Equal(t, checks, patch.WithoutPeers(append(checks, patch.HealthCheck{Metric: &compares})))
	require.Equal(t, "error rate within 20% and 0.5 of its unpatched peers, by 100 requests or more", compares.String())
}
