package config_test

import (
	"fmt"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/patch"
)

// Every kind of health check has a key with docs and an example, which is decoded to a check of that kind; and no key
// is of no kind.
func TestEveryKindOfHealthCheckHasAKey(t *testing.T) {
	page, err := os.ReadFile("../docs/configuration.md")
	require.NoError(t, err)
	keys := map[string]reflect.StructTag{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[config.HealthCheck]()) {
		keys[field.Tag.Get("yaml")] = field.Tag
	}
	require.Len(t, keys, len(patch.HealthKinds()), "a key that is of no kind: %v", keys)
	for _, kind := range patch.HealthKinds() {
		t.Run(kind.Key, func(t *testing.T) {
			require.Contains(t, keys, kind.Key)
			tag := keys[kind.Key]
			require.NotEmpty(t, tag.Get("doc"))
			require.Contains(t, string(page), "\n| `"+kind.Key+"` |")

			text := replaced(t, "- alarm: web-5xx #", fmt.Sprintf("- %s: %s #", kind.Key, tag.Get("example")))
			loaded, err := config.Parse("f.yaml", []byte(text), nil)
			require.NoError(t, err)
			plan, err := loaded.Plan("web")
			require.NoError(t, err)
			checks := plan.Stages[1].Health
			is, ok := checks[len(checks)-1].Kind()
			require.True(t, ok)
			require.Equal(t, kind.Key, is.Key, "it is decoded to another kind, or to none")
		})
	}
}

// A metric check is decoded whole, its defaults with it.
func TestAMetricCheck(t *testing.T) {
	text := replaced(t, "- alarm: web-5xx #", `- metric:
              name: latency
              metrics:
                - {id: ms, namespace: Web, metric: Latency, statistic: p99, dimensions: {InstanceId: '{instance}'}}
                - {id: requests, namespace: Web, metric: Latency, statistic: SampleCount, dimensions: {InstanceId: '{instance}'}}
              expression: ms / 1000
              peers: {within: 20%, margin: 0.05}
              requests: {of: requests, at_least: 200} #`)
	loaded, err := config.Parse("f.yaml", []byte(text), nil)
	require.NoError(t, err)
	plan, err := loaded.Plan("web")
	require.NoError(t, err)
	checks, of := patch.Metrics(plan.Stages[1].Health), map[string]string{"InstanceId": patch.InstanceWord}
	require.Equal(t, []patch.MetricCheck{{
		Name: "latency", Expression: "ms / 1000", Period: patch.Duration(time.Minute), Delay: patch.Duration(2 * time.Minute),
		Metrics: []patch.Metric{
			{ID: "ms", Namespace: "Web", Name: "Latency", Statistic: "p99", Dimensions: of},
			{ID: "requests", Namespace: "Web", Name: "Latency", Statistic: "SampleCount", Dimensions: of},
		},
		Peers:    &patch.MetricPeers{Within: 20, Margin: 0.05, Worse: patch.WorseHigher},
		Requests: &patch.MetricRequests{Of: "requests", AtLeast: 200}, Missing: patch.MissingFails,
	}}, checks)
	require.NoError(t, compiled(t).Validate(asJSON(t, []byte(text))))
}
