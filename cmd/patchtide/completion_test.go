package main

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows"
)

// frontend is Temporal's own protocol with two waves and one quarantined instance behind it. What it is not made for it
// refuses.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	t *testing.T
}

// serveTemporal serves frontend on this machine, and tells its address.
func serveTemporal(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, frontend{t: t})
	go func() { _ = server.Serve(listener) }() // its error is the end of the test
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func (frontend) GetSystemInfo(
	context.Context, *workflowservice.GetSystemInfoRequest,
) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{}}, nil
}

func (f frontend) ListWorkflowExecutions(
	_ context.Context, in *workflowservice.ListWorkflowExecutionsRequest,
) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	wave := execution(f.t, "wave-web-old", enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, "closed")
	if strings.HasSuffix(in.GetQuery(), "ExecutionStatus = 'Running'") {
		wave = execution(f.t, "wave-web-new", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, "on_hold")
	}
	return &workflowservice.ListWorkflowExecutionsResponse{Executions: []*workflowpb.WorkflowExecutionInfo{wave}}, nil
}

func (f frontend) GetWorkflowExecutionHistory(
	_ context.Context, in *workflowservice.GetWorkflowExecutionHistoryRequest,
) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	if in.GetExecution().GetWorkflowId() != names.QuarantineListID {
		return f.UnimplementedWorkflowServiceServer.GetWorkflowExecutionHistory(context.Background(), in)
	}
	result, err := converter.GetDefaultDataConverter().ToPayloads(
		workflows.QuarantineResult{Instances: []workflows.Quarantined{{
			Account: "production", Region: "ap-northeast-1", Group: "web", Instance: "i-0ill", Why: "restore not proven",
		}}},
	)
	require.NoError(f.t, err)
	return &workflowservice.GetWorkflowExecutionHistoryResponse{
		History: &historypb.History{Events: []*historypb.HistoryEvent{{
			EventId: 1, EventTime: timestamppb.New(time.Unix(0, 0)), EventType: enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
			Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{
				WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{
					Result: &commonpb.Payloads{Payloads: result.GetPayloads()},
				},
			},
		}}},
	}, nil
}

// offered is what a shell would offer in the place of the last argument.
func offered(t *testing.T, args ...string) []string {
	t.Helper()
	code, stdout, _ := call(t, append([]string{"__complete"}, args...)...)
	require.Equal(t, exitDone, code)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	require.True(t, strings.HasPrefix(lines[len(lines)-1], ":"), "cobra ends with a directive: %s", stdout)
	return lines[:len(lines)-1]
}

func TestCompletionOffersLiveNames(t *testing.T) {
	temporal, configured := []string{"--temporal-address", serveTemporal(t)}, []string{"--config", file(t)}
	const running, closed = "wave-web-new\ton hold: production", "wave-web-old\tclosed: production"
	for _, c := range []struct {
		name string
		args []string // before the flags
		with []string
		rest []string // after them: a flag that wants a value
		want []string
	}{
		{"waves to watch, those that run first", []string{"wave", "watch"}, temporal, nil, []string{running, closed}},
		{"waves to show", []string{"wave", "show"}, temporal, nil, []string{running, closed}},
		{"waves to roll back", []string{"wave", "roll-back"}, temporal, nil, []string{running, closed}},
		{"a verb is for a wave that runs", []string{"wave", "approve"}, temporal, nil, []string{running}},
		{"a second wave", []string{"wave", "approve", "wave-web-new"}, temporal, nil, []string{}},
		{
			"instances in quarantine",
			[]string{"quarantine", "release"},
			temporal, nil,
			[]string{"i-0ill\tproduction/ap-northeast-1/web: restore not proven"},
		},
		{"plans", []string{"wave", "start"}, configured, nil, []string{"web"}},
		{"plans to scan", []string{"scan"}, configured, nil, []string{"web"}},
		{"a plan to list", []string{"wave", "list"}, configured, []string{"--plan"}, []string{"web"}},
		{"accounts", []string{"freeze"}, configured, []string{"--account"}, []string{"staging", "production"}},
		{"scopes", []string{"wave", "roll-back", "wave-web-new"}, nil, []string{"--scope"}, []string{"stage", "wave"}},
		{"states", []string{"wave", "list"}, nil, []string{"--state"}, []string{
			"resolving", "preflight", "planning", "awaiting_approval", "running", "paused", "on_hold", "soaking", "parked",
			"rolling_back", "aborting", "closed",
		}},
		{"nothing to complete", []string{"check"}, configured, nil, []string{}},
		{"Temporal is away", []string{"wave", "watch"}, []string{"--temporal-address", "127.0.0.1:1"}, nil, []string{}},
		{
			"nobody has listed quarantines where Temporal is away",
			[]string{"quarantine", "terminate"},
			[]string{"--temporal-address", "127.0.0.1:1"},
			nil,
			[]string{},
		},
		{
			"no configuration",
			[]string{"wave", "start"},
			[]string{"--config", filepath.Join(t.TempDir(), "none.yaml")},
			nil,
			[]string{},
		},
		{
			"a wrong configuration",
			[]string{"wave", "start"},
			[]string{"--config", file(t, "restore: root_volume", "restor: root_volume")},
			nil,
			[]string{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var args []string
			for _, part := range [][]string{c.args, c.with, c.rest, {""}} {
				args = append(args, part...)
			}
			require.Equal(t, c.want, offered(t, args...))
		})
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, stdout, stderr := call(t, "completion", shell)
		require.Equal(t, exitDone, code, stderr)
		require.Contains(t, stdout, "patchtide", shell)
	}
}
