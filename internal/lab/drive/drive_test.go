package drive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// wave is a Temporal with one wave in it, whose states follow each other: a state that waits for a verb goes on when
// told, the others after one look. It fails the test on anything a driver has no reason to do.
type wave struct {
	t      *testing.T
	states []patch.WaveStatus
	result patch.WaveResult
	err    error
	refuse int // updates to refuse first

	at     int
	told   []string
	closed chan struct{}
}

func (w *wave) ExecuteWorkflow(
	_ context.Context, options client.StartWorkflowOptions, workflow any, args ...any,
) (client.WorkflowRun, error) {
	require.Equal(w.t, names.PatchWave, workflow)
	require.Equal(
		w.t, client.StartWorkflowOptions{ID: "wave-web-1", TaskQueue: names.TaskQueue, StaticSummary: "a demonstration wave"},
		options,
	)
	require.Equal(w.t, []any{map[string]string{"plan": "web"}}, args)
	return run{w}, nil
}

type run struct{ *wave }

func (run) GetID() string    { return "wave-web-1" }
func (run) GetRunID() string { return "run" }

func (run) GetFirstExecutionRunID() string { return "run" }

func (r run) Get(_ context.Context, into any) error {
	<-r.closed
	*into.(*patch.WaveResult) = r.result
	return r.err
}

func (r run) GetWithOptions(context.Context, any, client.WorkflowRunGetOptions) error {
	return errors.New("not modelled")
}

func (w *wave) QueryWorkflow(_ context.Context, workflowID, _, query string, _ ...any) (converter.EncodedValue, error) {
	require.Equal(w.t, names.QueryStatus, query)
	switch workflowID {
	case "wave-web-1":
		status := w.states[w.at]
		waits := status.State == patch.StateOnHold || status.State == patch.StateAwaitingApproval
		if w.at == len(w.states)-1 {
			w.close()
		} else if !waits {
			w.at++
		}
		return value{status}, nil
	case "group":
		return value{
			patch.GroupStatus{
				Current: []string{"instance", "gone"}, Instances: []patch.InstanceResult{{ID: "i-0a", Outcome: patch.NotStarted}},
			},
		}, nil
	case "instance":
		return value{patch.InstanceStatus{ID: "i-0a", Step: patch.StepInstall}}, nil
	}
	return nil, fmt.Errorf("no workflow %s", workflowID)
}

func (w *wave) close() {
	select {
	case <-w.closed:
	default:
		close(w.closed)
	}
}

func (w *wave) UpdateWorkflow(
	_ context.Context, options client.UpdateWorkflowOptions,
) (client.WorkflowUpdateHandle, error) {
	require.Equal(w.t, "wave-web-1", options.WorkflowID)
	require.Len(w.t, options.Args, 1)
	sent, err := json.Marshal(options.Args[0])
	require.NoError(w.t, err)
	if w.refuse > 0 {
		w.refuse--
		return nil, errors.New("the worker is busy")
	}
	w.told = append(w.told, options.UpdateName+" "+string(sent))
	w.at++
	return handle{}, nil
}

type handle struct{ client.WorkflowUpdateHandle }

func (handle) Get(context.Context, any) error { return nil }

// value is an answer that travels as JSON, as on the wire.
type value struct{ of any }

func (value) HasValue() bool { return true }

func (v value) Get(into any) error {
	data, err := json.Marshal(v.of)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func state(at int, s patch.WaveState) patch.WaveStatus {
	return patch.WaveStatus{
		WaveID: "wave-web-1", State: s, Stage: "production", Since: time.Unix(int64(at), 0), Verbs: patch.VerbsIn(s, false),
		Awaiting: "a decision",
		Stages: []patch.StageStatus{{Name: "production", Groups: []patch.GroupCounts{{
			Group: "production/ap-northeast-1/web", WorkflowID: "group", Phase: patch.GroupPatching,
		}}}},
	}
}

func drive(t *testing.T, w *wave, decide patch.Verb) (patch.WaveResult, string, error) {
	t.Helper()
	w.t, w.closed = t, make(chan struct{})
	ticks := make(chan time.Time)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		for {
			select {
			case ticks <- time.Time{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	var out bytes.Buffer
	d := &Driver{
		Temporal: w, Decide: decide, Ticks: ticks, Console: console.New(&out, nil, func() time.Time { return time.Time{} }),
	}
	result, err := d.Run(ctx, "wave-web-1", map[string]string{"plan": "web"})
	return result, out.String(), err
}

func TestDriverApprovesAndDecides(t *testing.T) {
	w := &wave{
		states: []patch.WaveStatus{
			state(1, patch.StateRunning), state(2, patch.StateAwaitingApproval), state(3, patch.StateRunning),
			state(4, patch.StateOnHold), state(5, patch.StateRollingBack), state(6, patch.StateClosed),
		},
		result: patch.WaveResult{WaveID: "wave-web-1", Outcome: patch.RolledBack},
		refuse: 1,
	}
	result, text, err := drive(t, w, patch.RollBack)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome)
	require.Equal(t, []string{
		`approve {"actor":"patchtide-lab","reason":"the demo approves by itself","stage":"production"}`,
		`roll_back {"actor":"patchtide-lab","reason":"the scenario's decision","stage":"production"}`,
	}, w.told, "each once, the refused one again")
	require.Contains(t, text, "The laboratory approves stage production by itself; in production a person does.")
	require.Contains(t, text, "The wave did not take approve: the worker is busy. It will be told again.")
	require.Contains(t, text, "! wave  on hold: production: a decision")
	require.Contains(t, text, "production/ap-northeast-1/web i-0a  install")
}

func TestDriverDecidesAtOnceWhatThePlanWouldAfterItsTime(t *testing.T) {
	hold := state(1, patch.StateOnHold)
	hold.Otherwise = patch.RollBack
	w := &wave{states: []patch.WaveStatus{hold, state(2, patch.StateClosed)}}
	_, text, err := drive(t, w, "")
	require.NoError(t, err)
	require.Equal(
		t,
		[]string{`roll_back {"actor":"patchtide-lab","reason":"the plan's decision, if nobody answers","stage":"production"}`},
		w.told,
	)
	require.Contains(t, text, "The laboratory decides roll back, as the plan would if nobody answered")
}

func TestDriverLeavesAHoldToPeopleWhereNeitherScenarioNorPlanDecides(t *testing.T) {
	w := &wave{t: t, closed: make(chan struct{})}
	var out bytes.Buffer
	d := &Driver{
		Temporal: w, answered: map[time.Time]bool{},
		Console: console.New(&out, nil, func() time.Time { return time.Time{} }),
	}
	d.answer(t.Context(), state(1, patch.StateOnHold))
	d.answer(t.Context(), state(1, patch.StateOnHold))
	require.Empty(t, w.told)
	require.Equal(
		t, "00:00  Neither scenario nor plan decides: answer it yourself, in the Temporal UI or by `patchtide wave`.\n",
		out.String(), "said once",
	)
}

func TestDriverSaysWhatTheWaveDoesNotTake(t *testing.T) {
	w := &wave{t: t, closed: make(chan struct{})}
	var out bytes.Buffer
	d := &Driver{
		Temporal: w, Decide: patch.Approve, answered: map[time.Time]bool{},
		Console: console.New(&out, nil, func() time.Time { return time.Time{} }),
	}
	d.answer(t.Context(), state(1, patch.StateOnHold))
	require.Empty(t, w.told)
	require.Contains(
		t, out.String(), "The wave does not take approve now, only [retry skip roll_back abort set_concurrency].",
	)
}

func TestDriverReturnsTheErrorOfAWaveThatFailed(t *testing.T) {
	w := &wave{
		states: []patch.WaveStatus{state(1, patch.StatePreflight), state(2, patch.StateClosed)},
		err:    errors.New("AccessDenied: production"),
	}
	_, _, err := drive(t, w, "")
	require.EqualError(t, err, "wave wave-web-1: AccessDenied: production")
}
