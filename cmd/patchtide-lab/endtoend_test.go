package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/lab/drive"
	"github.com/patchtide/patchtide/internal/patch"
)

// endToEnd runs the whole demo as a person does: embedded Temporal and its UI, the product's worker, and the simulated
// AWS over HTTP. It returns what stdout, and nothing else, said, and what had an effect in AWS, counted by operation: a
// call may be repeated on a busy machine, its effect may not.
func endToEnd(t *testing.T, scenario string) (report console.Report, effects map[string]int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	root := newRoot(func(ctx context.Context, in workerInput) (func(), error) {
		stop, err := startWorker(ctx, in)
		return func() {
			stop()
			effects = effectsAt(t, os.Getenv("AWS_ENDPOINT_URL"))
		}, err
	})
	root.SetArgs([]string{"demo", "--json", "--scenario", scenario})
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	require.NoError(t, root.ExecuteContext(t.Context()), stderr.String())
	if scenario == "healthy" {
		require.NotContains(t, stderr.String(), "level=", "what is normal is no warning")
	}
	decoder := json.NewDecoder(&stdout)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&report))
	_, err := decoder.Token()
	require.ErrorIs(t, err, io.EOF, "one document and nothing else")
	require.Equal(t, scenario, report.Scenario)
	require.Empty(t, report.Stranded)
	require.Len(t, report.Stages, 2)
	for _, stage := range report.Stages {
		for _, group := range stage.Groups {
			require.LessOrEqual(t, group.MaxOutOfService, 1, group.Name)
		}
	}
	return report, effects
}

// effectsAt asks a simulated AWS for its log.
func effectsAt(t *testing.T, url string) map[string]int {
	t.Helper()
	response, err := http.Get(url + "/_sim/events")
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	var log struct{ Events []awssim.Event }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&log))
	effects := map[string]int{}
	for _, event := range log.Events {
		if event.Effect {
			effects[event.Operation]++
		}
	}
	return effects
}

// instances lists a stage's only group.
func instances(t *testing.T, stage console.ReportStage) []console.ReportInstance {
	t.Helper()
	require.Len(t, stage.Groups, 1)
	return stage.Groups[0].Instances
}

func TestAHealthyWaveEndToEnd(t *testing.T) {
	report, effects := endToEnd(t, "healthy")
	require.Equal(t, patch.Succeeded, report.Outcome)
	require.Len(t, instances(t, report.Stages[0]), 2)
	require.Len(t, instances(t, report.Stages[1]), 4)
	executions := map[string]bool{}
	for _, stage := range report.Stages {
		require.Equal(t, 1, stage.Groups[0].MaxOutOfService, "measured by the simulator: an instance was out, and never two")
		for _, instance := range instances(t, stage) {
			require.Equal(t, patch.Patched, instance.Outcome, instance.ID)
			require.Equal(t, 6, instance.MissingBefore, instance.ID)
			require.Zero(t, instance.MissingAfter, instance.ID)
			executions[instance.AutomationExecutionID] = true
		}
	}
	require.Len(t, executions, 6, "an execution of its own for each instance")
	require.Equal(t, 6, effects["StartAutomationExecution"])
	require.Equal(t, 6, effects["CreateSnapshot"])
	require.GreaterOrEqual(
		t, report.AWSCalls["ssm:StartAutomationExecution"], 6, "calls are counted by service and operation",
	)
}

func TestABadPatchIsPutBackEndToEnd(t *testing.T) {
	report, effects := endToEnd(t, "bad-patch")
	require.Equal(t, patch.RolledBack, report.Outcome)
	for _, instance := range instances(t, report.Stages[0]) {
		require.Equal(t, patch.Patched, instance.Outcome, "staging takes the patch well and keeps it")
	}
	production := instances(t, report.Stages[1])
	require.Equal(t, patch.RolledBack, production[0].Outcome)
	require.Equal(t, production[0].MissingBefore, production[0].MissingAfter, "its root volume is the one from before")
	require.Contains(t, production[0].Reason, "unhealthy", "why it was put back")
	require.Contains(t, report.Reason, "rolled back by "+drive.Actor)
	for _, instance := range production[1:] {
		require.Equal(t, patch.NotStarted, instance.Outcome, "nobody else is touched")
		require.Equal(t, []int{6, 6}, []int{instance.MissingBefore, instance.MissingAfter}, "it misses what it missed")
	}
	require.Equal(t, console.Missing{Before: 36, After: 24}, report.Missing, "of all six")
	require.Equal(t, 1, effects["CreateReplaceRootVolumeTask"])
}
