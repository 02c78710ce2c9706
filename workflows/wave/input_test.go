package wave_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// typed on the Start form: what the Temporal UI sends is JSON, as it stands there.
func typed(text string) converter.RawValue {
	payload, err := converter.GetDefaultDataConverter().ToPayload(json.RawMessage(text))
	if err != nil {
		panic(err)
	}
	return converter.NewRawValue(payload)
}

func TestWrongInputIsAnsweredWithARightExample(t *testing.T) {
	for _, c := range []struct{ name, input, want string }{
		{"empty object", `{}`, "plan: is missing"},
		{"null", `null`, "plan: is missing"},
		{"a number", `3`, "must be one JSON object, not 3"},
		{"a text", `"3"`, `must be one JSON object, not "3"`},
		{"a list", `["web"]`, `must be one JSON object, not ["web"]`},
		{"a misspelt field", `{"plan": "web", "reasn": "x"}`, `unknown field "reasn"`},
		{"a field that does not exist", `{"plan": "web", "dryrun": true}`, `unknown field "dryrun"`},
		{"a wrong type", `{"plan": 3}`, "plan: must be a string, not a number"},
		{"a plan of blanks", `{"plan": "  "}`, "plan: is missing"},
		{"a plan that does not exist", `{"plan": "wob"}`, `there is no plan "wob"`},
	} {
		for _, workflowType := range []string{names.PatchWave, names.ScanFleet} {
			t.Run(workflowType+"/"+c.name, func(t *testing.T) {
				scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
				scene.Env.ExecuteWorkflow(workflowType, typed(c.input))
				var failure *temporal.ApplicationError
				require.True(t, errors.As(scene.Env.GetWorkflowError(), &failure), "%v", scene.Env.GetWorkflowError())
				require.Equal(t, activities.ErrInvalidInput, failure.Type())
				require.True(t, failure.NonRetryable(), "a wrong input must not be tried again for ever")
				require.ErrorContains(t, failure, c.want)
				require.ErrorContains(t, failure, `{"plan": "web"`)
				require.Empty(t, scene.Sim.Calls(), "AWS was called")
			})
		}
	}
}

func TestNoInputAtAll(t *testing.T) {
	for _, workflowType := range []string{names.PatchWave, names.ScanFleet} {
		t.Run(workflowType, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Env.ExecuteWorkflow(workflowType)
			var failure *temporal.ApplicationError
			require.True(t, errors.As(scene.Env.GetWorkflowError(), &failure), "%v", scene.Env.GetWorkflowError())
			require.Equal(t, activities.ErrInvalidInput, failure.Type())
			require.Empty(t, scene.Sim.Calls())
		})
	}
}

func FuzzInput(f *testing.F) {
	for _, seed := range []string{
		`{"plan":"web"}`, `{"plan":"web","actor":"me","reason":"why"}`, `{}`, `null`, `3`, `"3"`, `[]`, `{"plan":3}`,
		`{"plan":"web","x":1}`,
		`{"actor":"me","reason":"why","scope":"wave"}`, `{"plan":"web"} {}`, `{"plan":"web"`, ``, "\xff",
		`"` + strings.Repeat("é", 30) + `"`, `{"plan":"\ud800"}`, `{"PLAN":"web"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var wave workflows.WaveRequest
		var scan workflows.ScanRequest
		var verb workflows.VerbRequest
		// Called as the decoder calls it: it must keep every error for Validate.
		require.NoError(t, wave.UnmarshalJSON(data))
		require.NoError(t, scan.UnmarshalJSON(data))
		require.NoError(t, verb.UnmarshalJSON(data))
		valid(t, wave.Validate(), wave.Plan != "")
		valid(t, scan.Validate(), scan.Plan != "")
		valid(t, verb.Validate(patch.Skip), verb.Actor != "" && verb.Reason != "")
		valid(t, verb.Validate(patch.RollBack), verb.Actor != "" && verb.Reason != "")
	})
}

// valid: an input is complete, or it is refused for good with an example.
func valid(t *testing.T, err error, complete bool) {
	if err == nil {
		require.True(t, complete)
		return
	}
	var failure *temporal.ApplicationError
	require.True(t, errors.As(err, &failure))
	require.Equal(t, activities.ErrInvalidInput, failure.Type())
	require.True(t, failure.NonRetryable())
	require.Contains(t, failure.Message(), "a right input looks like {")
	require.True(t, utf8.ValidString(failure.Message()), "Temporal could not store %q", failure.Message())
}

// twoWaves is a root that starts two waves of one plan; the test environment has only one.
func twoWaves(ctx workflow.Context) ([]string, error) {
	ends := make([]string, 2)
	wait := workflow.NewWaitGroup(ctx)
	for i := range ends {
		wait.Add(1)
		workflow.Go(ctx, func(c workflow.Context) {
			defer wait.Done()
			if i == 1 {
				if err := workflow.Sleep(c, 10*time.Minute); err != nil { // the first is in staging by then
					ends[i] = err.Error()
					return
				}
			}
			child := workflow.WithChildOptions(c, workflow.ChildWorkflowOptions{WorkflowID: fmt.Sprint("wave-", i+1)})
			var result patch.WaveResult
			if err := workflow.ExecuteChildWorkflow(child, names.PatchWave, wavetest.WebWave).Get(child, &result); err != nil {
				ends[i] = err.Error()
				return
			}
			ends[i] = string(result.Outcome)
		})
	}
	wait.Wait(ctx)
	return ends, nil
}

func TestTheSecondWaveOnAGroupIsRefusedAndNamesTheFirst(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config:   wavetest.PlanWith("approval: {required: true, timeout: 24h}", "approval: {required: false}"),
	})
	scene.Locks["patch-group/"+wavetest.Production+"/"+wavetest.Tokyo+"/web"] = "wave-1"
	scene.Locks["patch-group/"+wavetest.Staging+"/"+wavetest.Tokyo+"/Role=web"] = "wave-1"
	scene.Before = scene.Snapshot()
	scene.Env.RegisterWorkflow(twoWaves)
	scene.Env.ExecuteWorkflow(twoWaves)
	require.NoError(t, scene.Env.GetWorkflowError())
	var ends []string
	require.NoError(t, scene.Env.GetWorkflowResult(&ends))
	require.Equal(t, "succeeded", ends[0], "the first wave is not disturbed")
	require.Contains(t, ends[1], "GroupLocked")
	require.Contains(t, ends[1], "is being patched by wave wave-1")
	require.Contains(t, ends[1], "wait until it has ended, or abort it")
	var refused activities.WaveDocument
	require.NoError(t, scene.Store.GetWave(t.Context(), "wave-2", &refused))
	require.Equal(t, patch.Refused, refused.Status.Outcome)
	require.Contains(t, strings.Join(strings.Fields(console.Status(refused.Status, patch.Waits{}, console.Page{})), " "),
		"Why: GroupLocked: ", "what `wave show` prints")
	require.Len(t, scene.Effects("StartAutomationExecution"), 6)
	scene.RequireInvariants(nil, wavetest.Except{})
}
