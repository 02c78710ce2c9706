package main

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// unheard is a Temporal that takes what is sent, and nobody answers.
type unheard struct {
	client.Client
	sent []string // the ids under which it was
}

func (s *unheard) UpdateWorkflow(
	ctx context.Context, options client.UpdateWorkflowOptions,
) (client.WorkflowUpdateHandle, error) {
	s.sent = append(s.sent, options.UpdateID)
	<-ctx.Done()
	return nil, ctx.Err()
}

// A decision that nobody answers may be taken once a worker is back: that is said. One that is said again goes out by
// another id, so that the wave answers it and not Temporal with what it has kept.
func TestADecisionThatNobodyAnswersMayBeSaidAgain(t *testing.T) {
	said := patch.Decision{
		Verb: patch.Retry, Actor: "ann", Reason: "the repository is back", Point: patch.Point{Stage: "production", Hold: 2},
	}
	synctest.Test(t, func(t *testing.T) {
		server := &unheard{}
		for range 2 {
			begun := time.Now()
			_, err := tell(t.Context(), server, "wave-1", said)
			require.EqualError(t, err, "nobody knows whether retry was heard: it may be taken when a worker is back. Sent "+
				"again in the same words it is taken once")
			require.Equal(t, patience, time.Since(begun))
		}
		require.Equal(t, []string{"", ""}, server.sent, "the SDK makes one up for each")
	})
}

// Who sends again what was taken is told so, and where the wave is by now.
func TestWhatIsSentAgainIsToldSo(t *testing.T) {
	for _, c := range []struct {
		name     string
		accepted workflows.VerbAccepted
		says     string
	}{
		{"a first one", workflows.VerbAccepted{Verb: patch.Resume, State: patch.StatePaused}, "wave-1 accepted resume. Watch"},
		{
			"a roll back",
			workflows.VerbAccepted{Verb: patch.RollBack, State: patch.StateRunning, PutsBack: 3},
			"wave-1 accepted roll-back: 3 patched instances back as before, and what is under way",
		},
		{
			"a roll back of a stage that has just begun",
			workflows.VerbAccepted{Verb: patch.RollBack, State: patch.StateRunning},
			"wave-1 accepted roll-back: no instance of it is patched; what is under way comes back as before",
		},
		{
			"a roll back of what cannot be",
			workflows.VerbAccepted{
				Verb: patch.RollBack, State: patch.StateOnHold, NothingBack: patch.NothingBack("no backup is kept", 2),
			},
			"wave-1 accepted roll-back, though nothing can be put back: no backup is kept; 2 stay patched. Watch",
		},
		{
			"one that was taken",
			workflows.VerbAccepted{Verb: patch.Resume, State: patch.StatePaused, Already: time.Now()},
			"; nothing more is done, and it is paused now",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			cmd := &cobra.Command{}
			cmd.SetOut(&out)
			require.NoError(t, showAccepted(cmd, "wave-1", &c.accepted))
			require.Contains(t, out.String(), c.says)
		})
	}
}

// ended is a Temporal in which a wave was terminated.
type ended struct{ unattended }

func (ended) DescribeWorkflowExecution(
	context.Context, string, string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		CloseTime: timestamppb.Now(),
	}}, nil
}

func (ended) GetWorkflow(context.Context, string, string) client.WorkflowRun { return terminatedRun{} }

func (ended) GetWorkflowHistory(
	context.Context, string, string, bool, enums.HistoryEventFilterType,
) client.HistoryEventIterator {
	return &lastEvent{}
}

// lastEvent is what a history ends with once somebody has terminated it.
type lastEvent struct{ told bool }

func (e *lastEvent) HasNext() bool { return !e.told }

func (e *lastEvent) Next() (*historypb.HistoryEvent, error) {
	e.told = true
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionTerminatedEventAttributes{
		WorkflowExecutionTerminatedEventAttributes: &historypb.WorkflowExecutionTerminatedEventAttributes{
			Identity: "ann@desk", Reason: "by mistake",
		},
	}}, nil
}

type terminatedRun struct{ client.WorkflowRun }

func (terminatedRun) Get(context.Context, any) error { return &temporal.TerminatedError{} }

// Whoever looks at a terminated wave is told what that means and what to do, also where no worker answers.
func TestATerminatedWaveIsToldAsThat(t *testing.T) {
	closed, err := closedWith(t.Context(), ended{}, "wave-1")
	require.True(t, closed)
	require.ErrorContains(t, err, `wave wave-1 was terminated by ann@desk ("by mistake"): nobody decides for it any more`)
	require.ErrorContains(t, err, "patchtide reconcile --dry-run")
	require.ErrorContains(t, err, "patchtide wave roll-back wave-1")
	cmd := newRoot()
	cmd.SetContext(t.Context())
	require.ErrorContains(t, showUnanswered(cmd, ended{}, "wave-1", context.DeadlineExceeded), "was terminated")
}
