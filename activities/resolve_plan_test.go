package activities_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

type plans map[string]patch.Plan

func (p plans) Plan(name string) (patch.Plan, error) { return p[name], nil }

func (p plans) Window(name string, _ time.Time) (*patch.Window, error) { return p[name].Window, nil }

func (p plans) Over(string, time.Time) []string { return nil }

func (p plans) Places() []patch.Place { return nil }

func (p plans) PlanNames() []string {
	var names []string
	for name := range p {
		names = append(names, name)
	}
	return names
}

func TestResolvePlan(t *testing.T) {
	hour := patch.Duration(time.Hour)
	web := patch.Plan{Name: "web", Stages: []patch.Stage{{Name: "staging", Bake: hour}}, Timing: patch.DefaultTiming()}
	control := &activities.Control{Plans: plans{"web": web}}
	resolved, err := control.ResolvePlan(t.Context(), activities.ResolvePlanInput{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, web, resolved.Plan)
	require.Len(t, resolved.Hash, 64)

	t.Run("another occurrence of the window and another speed are the same plan", func(t *testing.T) {
		later := web
		later.Window = &patch.Window{Opens: time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)}
		again, err := (&activities.Control{Plans: plans{"web": later}, Speed: 60}).ResolvePlan(
			t.Context(), activities.ResolvePlanInput{Plan: "web"},
		)
		require.NoError(t, err)
		require.Equal(t, resolved.Hash, again.Hash)
		require.Equal(t, patch.Duration(time.Minute), again.Plan.Stages[0].Bake)
		require.Equal(t, later.Window, again.Plan.Window)
	})
	t.Run("another bake is another plan", func(t *testing.T) {
		other := web
		other.Stages = []patch.Stage{{Name: "staging", Bake: 2 * hour}}
		again, err := (&activities.Control{Plans: plans{"web": other}}).ResolvePlan(
			t.Context(), activities.ResolvePlanInput{Plan: "web"},
		)
		require.NoError(t, err)
		require.NotEqual(t, resolved.Hash, again.Hash)
	})
	for name, c := range map[string]struct {
		known plans
		asked string
		says  string
	}{
		"misspelt":       {plans{"web": web}, "wbe", "it knows web"},
		"empty":          {plans{"web": web}, "", `{"plan": "web"}`},
		"no plan at all": {plans{}, "web", "has no plans"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := (&activities.Control{Plans: c.known}).ResolvePlan(t.Context(), activities.ResolvePlanInput{Plan: c.asked})
			var typed *temporal.ApplicationError
			require.ErrorAs(t, err, &typed)
			require.Equal(t, activities.ErrInvalidInput, typed.Type())
			require.True(t, typed.NonRetryable())
			require.Contains(t, typed.Message(), c.says)
		})
	}
}

// store remembers what was written and answers with err.
type store struct {
	err     error
	wave    any
	waves   []string
	journal map[string]any
}

func (s *store) PutWave(_ context.Context, _ string, document any) error {
	s.wave = document
	return s.err
}

func (s *store) GetWave(_ context.Context, id string, into any) error {
	if s.err != nil {
		return s.err
	}
	document, known := s.wave.(activities.WaveDocument)
	if !known {
		return &evidence.NotFoundError{Name: id}
	}
	*into.(*activities.WaveDocument) = document
	return nil
}

func (s *store) PutInstance(context.Context, string, string, any) (string, error) { return "", s.err }

func (s *store) ListInstances(context.Context, string) ([]string, error) { return nil, s.err }

func (s *store) GetInstance(_ context.Context, _, id string, _ any) error {
	return &evidence.NotFoundError{Name: id}
}

func (s *store) ProvenInstance(ctx context.Context, wave, id string, into any) error {
	return s.GetInstance(ctx, wave, id, into)
}

func (s *store) PutDraft(context.Context, string, int, []byte) error { return s.err }

func (s *store) GetDraft(context.Context, string, int) ([]byte, error) { return nil, s.err }

func (s *store) ProvenWave(ctx context.Context, id string, into any) error {
	return s.GetWave(ctx, id, into)
}

func (s *store) ProvenVersion(ctx context.Context, id string, into any) (int, error) {
	return 1, s.GetWave(ctx, id, into)
}

func (s *store) PutVersion(ctx context.Context, id string, _ int, document any) error {
	return s.PutWave(ctx, id, document)
}

func (s *store) ListWaves(context.Context) ([]string, error) { return s.waves, s.err }

func (s *store) AppendJournal(_ context.Context, wave, name string, record any) error {
	s.journal = map[string]any{wave + " " + name: record}
	return s.err
}

func (s *store) RenewJournal(ctx context.Context, wave, name string, record any) error {
	return s.AppendJournal(ctx, wave, name, record)
}

func (s *store) ReadJournal(context.Context, string, string) (json.RawMessage, error) {
	return nil, s.err
}

func (s *store) ListJournal(context.Context, string) ([]json.RawMessage, []string, error) {
	return nil, nil, s.err
}

func (s *store) ListVersions(context.Context, string) ([]json.RawMessage, []string, error) {
	return nil, nil, s.err
}

func TestEvidence(t *testing.T) {
	kept := &store{}
	control := &activities.Control{Evidence: kept}
	document := activities.WaveDocument{Version: 1, Hash: "abc"}
	require.NoError(t, control.SaveWave(t.Context(), activities.SaveWaveInput{WaveID: "w", Document: &document}))
	require.Equal(t, document, kept.wave)
	record := activities.AppendJournalInput{Record: journal.Record{
		WaveID: "w", Instance: "i-1", Group: patch.Group{Account: patch.Account{ID: "1"}, Region: "r"},
	}}
	require.NoError(t, control.AppendJournal(t.Context(), record))
	require.Equal(t, map[string]any{"w 1/r/i-1": record.Record}, kept.journal)

	for _, c := range []struct {
		name      string
		err       error
		retryable bool
	}{
		{"a store that is away comes back", errors.New("no route"), true},
		{"somebody else wrote meanwhile: read again", &evidence.ConflictError{Name: "x"}, true},
		{
			"a record that cannot be trusted is a person's", &evidence.InvalidRecordError{Name: "x", Reason: "is unsigned"},
			false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept.err = c.err
			var typed *temporal.ApplicationError
			require.ErrorAs(t, control.AppendJournal(t.Context(), record), &typed)
			require.Equal(t, activities.ErrEvidence, typed.Type())
			require.Equal(t, c.retryable, !typed.NonRetryable())
		})
	}
}

// server answers for one workflow.
type server struct {
	status enums.WorkflowExecutionStatus
	parent string
	wave   string
	closed time.Time
	err    error
}

func (s server) DescribeWorkflowExecution(
	context.Context, string, string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if s.err != nil {
		return nil, s.err
	}
	info := &workflow.WorkflowExecutionInfo{Status: s.status}
	if !s.closed.IsZero() {
		info.CloseTime = timestamppb.New(s.closed)
	}
	if s.wave != "" {
		value, err := converter.GetDefaultDataConverter().ToPayload(s.wave)
		if err != nil {
			return nil, err
		}
		info.SearchAttributes = &common.SearchAttributes{
			IndexedFields: map[string]*common.Payload{names.AttributeWave: value},
		}
	}
	if s.parent != "" {
		info.ParentExecution = &common.WorkflowExecution{WorkflowId: s.parent}
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, nil
}

func TestLockHolder(t *testing.T) {
	const lock = "patch-group/111122223333/ap-northeast-1/web"
	for _, c := range []struct {
		name   string
		server server
		want   activities.LockHolder
	}{
		{
			"a wave's group",
			server{status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING, parent: "wave-1"},
			activities.LockHolder{WorkflowID: lock, Parent: "wave-1"},
		},
		{
			"one that works for a wave that is gone",
			server{status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING, parent: names.ReconcileID, wave: "wave-1"},
			activities.LockHolder{WorkflowID: lock, Parent: names.ReconcileID, Wave: "wave-1"},
		},
		{"nobody's child", server{status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING}, activities.LockHolder{WorkflowID: lock}},
		{
			"closed since", server{status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, parent: "wave-1"}, activities.LockHolder{},
		},
		{"never there", server{err: serviceerror.NewNotFound("no")}, activities.LockHolder{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			control := &activities.Control{Locks: activities.NewLocks(c.server)}
			holder, err := control.LockHolder(t.Context(), activities.LockHolderInput{WorkflowID: lock})
			require.NoError(t, err)
			require.Equal(t, c.want, *holder)
		})
	}
	control := &activities.Control{Locks: activities.NewLocks(server{err: serviceerror.NewUnavailable("away")})}
	_, err := control.LockHolder(t.Context(), activities.LockHolderInput{WorkflowID: lock})
	require.ErrorContains(t, err, "away")
}
