package main

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/internal/names"
)

func TestListQuery(t *testing.T) {
	const waves = "WorkflowType IN ('PatchWave', 'RollBackWave')"
	for _, c := range []struct {
		name   string
		filter listFilter
		want   string
	}{
		{"all", listFilter{}, waves},
		{
			"previews, too",
			listFilter{all: true},
			"WorkflowType IN ('PatchWave', 'RollBackWave', 'PreviewWave')",
		},
		{"a plan", listFilter{plan: "web"}, waves + " AND PatchtidePlan = 'web'"},
		{
			"a plan that would end the literal",
			listFilter{plan: "w' OR 'a'='a"},
			waves + " AND PatchtidePlan = 'w'' OR ''a''=''a'",
		},
		{"a state", listFilter{state: "running"}, waves + " AND PatchtideState = 'running'"},
		{
			"waiting",
			listFilter{waiting: true},
			waves + " AND ExecutionStatus = 'Running'",
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.filter.query()) })
	}
}

// pages is a visibility store of so many waves that answers in pages.
type pages struct {
	t     *testing.T
	waves []*workflowpb.WorkflowExecutionInfo
	asked int
}

func (p *pages) ListWorkflow(
	_ context.Context, request *workflowservice.ListWorkflowExecutionsRequest,
) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	p.asked++
	require.Positive(p.t, request.GetPageSize())
	at := 0
	if token := request.GetNextPageToken(); len(token) > 0 {
		var err error
		at, err = strconv.Atoi(string(token))
		require.NoError(p.t, err)
	}
	end := min(at+int(request.GetPageSize()), len(p.waves))
	reply := &workflowservice.ListWorkflowExecutionsResponse{Executions: p.waves[at:end]}
	if end < len(p.waves) {
		reply.NextPageToken = []byte(strconv.Itoa(end))
	}
	return reply, nil
}

func execution(
	t *testing.T, id string, status enums.WorkflowExecutionStatus, state string,
) *workflowpb.WorkflowExecutionInfo {
	t.Helper()
	fields := map[string]*commonpb.Payload{}
	for name, value := range map[string]string{names.AttributePlan: "web", names.AttributeState: state, names.AttributeStage: "production"} {
		payload, err := converter.GetDefaultDataConverter().ToPayload(value)
		require.NoError(t, err)
		fields[name] = payload
	}
	began := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	info := &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: id}, Type: &commonpb.WorkflowType{Name: names.PatchWave},
		Status:    status,
		StartTime: timestamppb.New(began), SearchAttributes: &commonpb.SearchAttributes{IndexedFields: fields},
	}
	if status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		info.CloseTime = timestamppb.New(began.Add(time.Hour))
	}
	return info
}

func TestListWavesPages(t *testing.T) {
	store := &pages{t: t}
	for i := range 250 {
		store.waves = append(
			store.waves, execution(t, "wave-"+strconv.Itoa(i), enums.WORKFLOW_EXECUTION_STATUS_RUNNING, "on_hold"),
		)
	}
	for _, c := range []struct{ most, want, asked int }{{1, 1, 1}, {100, 100, 1}, {101, 101, 2}, {1000, 250, 3}} {
		t.Run(strconv.Itoa(c.most), func(t *testing.T) {
			store.asked = 0
			waves, err := listWaves(t.Context(), store, listFilter{most: c.most})
			require.NoError(t, err)
			require.Len(t, waves, c.want)
			require.Equal(t, c.asked, store.asked)
			require.Equal(t, "wave-0", waves[0].WaveID)
			require.Equal(t, "web", waves[0].Plan)
			require.Equal(t, "on_hold", waves[0].State)
		})
	}
}

// A wave that somebody terminated never said that it closed: the list must not show it as running.
func TestATerminatedWaveIsToldAsSuch(t *testing.T) {
	store := &pages{
		t: t,
		waves: []*workflowpb.WorkflowExecutionInfo{
			execution(t, "wave-1", enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, "on_hold"),
		},
	}
	waves, err := listWaves(t.Context(), store, listFilter{most: 5})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, listFilter{}.print(&out, waves))
	require.Contains(t, out.String(), "terminated while on hold")
}

// One that no worker has taken has neither plan nor state yet, which is said.
func TestAWaveThatNoWorkerHasBegunIsToldAsSuch(t *testing.T) {
	store := &pages{
		t: t, waves: []*workflowpb.WorkflowExecutionInfo{execution(t, "wave-1", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, "")},
	}
	waves, err := listWaves(t.Context(), store, listFilter{most: 5})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, listFilter{}.print(&out, waves))
	require.Contains(t, out.String(), "no worker has begun it")
}

type away struct{}

func (away) ListWorkflow(
	context.Context, *workflowservice.ListWorkflowExecutionsRequest,
) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return nil, errors.New("no such attribute")
}

func TestListTellsWhatMayBeMissing(t *testing.T) {
	_, err := listWaves(t.Context(), away{}, listFilter{most: 1})
	require.ErrorContains(t, err, "search attributes")
}

// What never became a wave, such as a start of a misspelt plan, is listed only where it is asked for.
func TestListLeavesOutWhatNeverBegan(t *testing.T) {
	const failed = enums.WORKFLOW_EXECUTION_STATUS_FAILED
	store := &pages{t: t, waves: []*workflowpb.WorkflowExecutionInfo{
		execution(t, "misspelt", failed, "resolving"), execution(t, "wrong-input", failed, ""),
		execution(t, "refused", failed, "closed"),
		execution(t, "starts", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, "resolving"),
	}}
	listedIDs := func(filter listFilter) (ids []string) {
		waves, err := listWaves(t.Context(), store, filter)
		require.NoError(t, err)
		for _, wave := range waves {
			ids = append(ids, wave.WaveID)
		}
		return ids
	}
	require.Equal(t, []string{"starts", "refused"}, listedIDs(listFilter{most: 4}), "what runs comes first")
	require.Equal(t, []string{"starts", "misspelt", "wrong-input", "refused"}, listedIDs(listFilter{most: 4, all: true}))
}

func TestTheOrderOfTheList(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 22, 2, minute, 0, 0, time.UTC) }
	closed := func(id string, minute int) listed {
		end := at(minute)
		return listed{WaveID: id, Closed: &end, Started: at(9)}
	}
	waves := sorted([]listed{
		closed("closed first", 10),
		{WaveID: "older", Started: at(1)},
		closed("closed last", 20),
		{WaveID: "newer", Started: at(2)},
	})
	var ids []string
	for _, wave := range waves {
		ids = append(ids, wave.WaveID)
	}
	require.Equal(t, []string{"newer", "older", "closed last", "closed first"}, ids)
}
