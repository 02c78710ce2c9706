package patch_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// ill is, for each kind, a check and what is seen where it does not hold.
var ill = map[string]struct {
	check  patch.HealthCheck
	before []patch.Target
	now    patch.HealthObservation
}{
	"target_group": {
		check:  patch.HealthCheck{TargetGroup: "auto"},
		before: []patch.Target{{TargetGroupARN: targetGroup, ID: "i-01", Port: 80, Health: patch.TargetHealthy}},
		now:    seen(),
	},
	"http": {
		check: patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "/healthz", Port: 80}},
		now:   answers(500),
	},
	"https": {
		check: patch.HealthCheck{HTTPS: &patch.HTTPSCheck{HTTPCheck: patch.HTTPCheck{Path: "/", Port: 443}, Insecure: true}},
		now: thatAnswers(patch.Answer{Check: patch.HealthCheck{
			HTTPS: &patch.HTTPSCheck{HTTPCheck: patch.HTTPCheck{Path: "/", Port: 443}, Insecure: true},
		}, Said: "a certificate of another name"}),
	},
	"command": {
		check: patch.HealthCheck{Command: &patch.CommandCheck{Run: "systemctl is-active web"}},
		now: thatAnswers(patch.Answer{
			Check: patch.HealthCheck{Command: &patch.CommandCheck{Run: "systemctl is-active web"}}, Status: 3,
		}),
	},
	"alarm": {
		check: patch.HealthCheck{Alarm: "web-5xx"},
		now: patch.HealthObservation{
			Member: well(1, "a"),
			Alarms: []patch.AlarmObservation{{Name: "web-5xx", State: "ALARM", Since: noon.Add(time.Minute)}},
		},
	},
	"metric": {
		check: patch.HealthCheck{Metric: &errorRate},
		now: patch.HealthObservation{
			Member: well(1, "a"),
			Metrics: []patch.MetricObservation{{
				Check: errorRate, From: noon, Until: noon.Add(5 * time.Minute), Own: patch.MetricSample{Value: 6, Periods: 5},
			}},
		},
	},
}

var errorRate = patch.MetricCheck{
	Name: "error rate", Metrics: []patch.Metric{{ID: "errors"}}, Period: patch.Duration(time.Minute), AtMost: ref(5.0),
	Delay: patch.Duration(2 * time.Minute), Missing: patch.MissingFails,
}

func ref[T any](value T) *T { return &value }

func thatAnswers(answers ...patch.Answer) patch.HealthObservation {
	return patch.HealthObservation{Member: well(1, "a"), Answers: answers}
}

// Whoever adds a kind of health check learns here what it lacks: a judgement, or docs. What it lacks elsewhere is told
// by the tests that range over the kinds in config and activities.
func TestEveryKindOfHealthCheckJudges(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	require.Len(t, ill, len(patch.HealthKinds()))
	for _, kind := range patch.HealthKinds() {
		t.Run(kind.Key, func(t *testing.T) {
			require.Contains(t, ill, kind.Key, "nobody has tried it")
			c := ill[kind.Key]
			found, ok := c.check.Kind()
			require.True(t, ok)
			require.Equal(t, kind.Key, found.Key, "no other kind claims its check")

			var health patch.Health
			checks := []patch.HealthCheck{c.check}
			kind.Judge(&health, patch.HealthView{Before: c.before, Checks: checks, Now: c.now, Returned: noon})
			require.False(t, health.Healthy(), "it judges nothing")
			require.Equal(t, health, patch.JudgeHealth(c.before, checks, c.now, noon), "it is not judged by")

			require.Contains(t, string(page), "\n| `"+kind.Key+"` |", "docs/configuration.md does not name it")
		})
	}
}

func TestAHealthCheckIsOfOneKind(t *testing.T) {
	_, ok := patch.HealthCheck{}.Kind()
	require.False(t, ok)
	_, ok = patch.HealthCheck{Alarm: "web-5xx", TargetGroup: "auto"}.Kind()
	require.False(t, ok, "which of the two")
}
