package contract_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/contract"
	"github.com/patchtide/patchtide/internal/awssim/contract/shapes"
)

// byChance begins the reason of a divergence that is not met every time.
const byChance = "by chance: "

// play runs every scenario against an endpoint. Divergences are "scenario/step", a step that must fail there, or
// "scenario", one that must not reach its end, with the reason: when such a one passes, its entry is out of date and
// the test says so.
func play(t *testing.T, endpoint *contract.Endpoint, divergences map[string]string) {
	t.Helper()
	known := map[string]bool{}
	for _, scenario := range contract.Scenarios() {
		clients := endpoint.Dial()
		steps := scenario.Steps(clients)
		known[scenario.Name] = true
		for _, step := range steps {
			known[scenario.Name+"/"+step.Name] = true
		}
		t.Run(scenario.Name, func(t *testing.T) {
			if scenario.Needs != nil && scenario.Needs(endpoint) != "" {
				t.Skipf("%s lacks %s", endpoint.Name, scenario.Needs(endpoint))
			}
			t.Cleanup(func() {
				if err := clients.CleanUp(context.Background()); err != nil {
					t.Logf("clean up: %v", err)
				}
			})
			playSteps(t, endpoint.Name, scenario.Name, steps, divergences)
		})
	}
	for name := range divergences {
		require.True(t, known[name], "%s: no scenario has the step of the divergence %q", endpoint.Name, name)
	}
}

func playSteps(t *testing.T, endpoint, scenario string, steps []contract.Step, divergences map[string]string) {
	t.Helper()
	whole, unfinished := divergences[scenario]
	for _, step := range steps {
		err := step.Do(context.Background())
		reason, diverges := divergences[scenario+"/"+step.Name]
		switch {
		case err != nil && unfinished:
			t.Skipf("%s does not have this (%s): %s: %v", endpoint, whole, step.Name, err)
		case diverges && err == nil && strings.HasPrefix(reason, byChance):
			t.Logf("this time as AWS: %s", step.Name)
		case diverges:
			require.Errorf(t, err, "%s now does %q as AWS does; strike it from the list of divergences", endpoint, step.Name)
			t.Logf("diverges, as known (%s): %s: %v", reason, step.Name, err)
		default:
			require.NoError(t, err, step.Name)
		}
	}
	require.False(t, unfinished, "%s now has all of %q; strike it from the list of divergences", endpoint, scenario)
}

// checked lets every reply be compared with AWS's own descriptions.
func checked(t *testing.T, next http.RoundTripper) *shapes.Transport {
	t.Helper()
	models, err := shapes.Default()
	require.NoError(t, err)
	return &shapes.Transport{Next: next, Models: models, Report: func(reply shapes.Reply, problems []string) {
		t.Errorf(
			"%s %s: the reply is not as AWS describes it: %s", reply.Service, reply.Operation, strings.Join(problems, "; "),
		)
	}}
}
