package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// frozenWave is a wave on hold in an account that is frozen.
type frozenWave struct{ unattended }

func (frozenWave) QueryWorkflow(_ context.Context, id, _, _ string, _ ...any) (converter.EncodedValue, error) {
	var answer any = patch.WaveStatus{WaveID: id, State: patch.StateOnHold, Stages: []patch.StageStatus{{
		Groups: []patch.GroupCounts{{Group: "production/r/web", Phase: patch.GroupHeld}},
	}}}
	if id == names.FreezeID {
		answer = patch.FreezeStatus{Freezes: patch.Freezes{{
			Account: "production", Actor: "ann", Reason: "incident", Since: time.Unix(0, 0),
		}}}
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(answer)
	return client.NewValue(payloads), err
}

// Who lets a wave go on while its account is frozen would wait for nothing.
func TestAVerbUnderAFreezeTellsThatNothingBegins(t *testing.T) {
	for verb, want := range map[patch.Verb]string{
		patch.Retry: "account production is frozen by ann since 1970-01-01 00:00 UTC: incident. Nothing begins there until " +
			"ann takes that back: patchtide unfreeze --account production --reason \"...\" (" + patch.ForAll + ")\n",
		patch.RollBack: "", // which no freeze holds
	} {
		t.Run(string(verb), func(t *testing.T) {
			cmd := &cobra.Command{}
			var said bytes.Buffer
			cmd.SetErr(&said)
			cmd.SetContext(t.Context())
			sayFrozen(cmd, frozenWave{}, "wave-web-1", verb)
			require.Equal(t, want, said.String())
		})
	}
}

// rolledBackLater is a Temporal that may know a roll back of a closed wave.
type rolledBackLater struct {
	unattended
	known   bool
	outcome patch.Outcome // "": it runs, or was terminated
	ended   bool
	state   patch.WaveState
	earlier patch.Outcome // of a run before it
}

func (r rolledBackLater) ListWorkflow(
	_ context.Context, asked *workflowservice.ListWorkflowExecutionsRequest,
) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	if r.earlier == "" || asked.Query != "WorkflowId = 'roll-back-wave-web-1'" {
		return &workflowservice.ListWorkflowExecutionsResponse{}, nil
	}
	outcome, err := converter.GetDefaultDataConverter().ToPayload(string(r.earlier))
	return &workflowservice.ListWorkflowExecutionsResponse{Executions: []*workflowpb.WorkflowExecutionInfo{{
		StartTime: timestamppb.New(time.Unix(10, 0)), CloseTime: timestamppb.New(time.Unix(30, 0)),
		SearchAttributes: &common.SearchAttributes{
			IndexedFields: map[string]*common.Payload{names.AttributeOutcome: outcome},
		},
	}}}, err
}

func (r rolledBackLater) DescribeWorkflowExecution(
	_ context.Context, id, _ string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if !r.known || id != "roll-back-wave-web-1" {
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	info := &workflowpb.WorkflowExecutionInfo{Execution: &common.WorkflowExecution{WorkflowId: id}}
	if r.ended {
		state, err := converter.GetDefaultDataConverter().ToPayload(string(r.state))
		if err != nil {
			return nil, err
		}
		info.CloseTime = timestamppb.New(time.Unix(60, 0))
		info.SearchAttributes = &common.SearchAttributes{
			IndexedFields: map[string]*common.Payload{names.AttributeState: state},
		}
	}
	if r.outcome != "" {
		outcome, err := converter.GetDefaultDataConverter().ToPayload(string(r.outcome))
		if err != nil {
			return nil, err
		}
		info.CloseTime = timestamppb.New(time.Unix(60, 0))
		info.SearchAttributes = &common.SearchAttributes{
			IndexedFields: map[string]*common.Payload{names.AttributeOutcome: outcome},
		}
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, nil
}

// Whoever looks at a wave that was rolled back since is not told to roll it back.
func TestAClosedWaveTellsThatItWasPutBackSince(t *testing.T) {
	status := patch.WaveStatus{
		WaveID: "wave-web-1", State: patch.StateClosed, Outcome: patch.RolledBack, Stages: []patch.StageStatus{{
			Groups: []patch.GroupCounts{{Group: "staging/r/web", Phase: patch.GroupDone, Patched: 2, Total: 2, Done: 2}},
		}},
	}
	const advice = "STILL PATCHED"
	for name, c := range map[string]struct {
		temporal rolledBackLater
		says     string
		advises  bool
	}{
		"it was not":  {rolledBackLater{}, advice, true},
		"it is being": {rolledBackLater{known: true}, "is being put back: patchtide wave show roll-back-wave-web-1", false},
		"it was": {
			rolledBackLater{known: true, outcome: patch.RolledBack},
			"was put back by roll-back-wave-web-1, which closed at 1970-01-01 00:01:00 UTC", false,
		},
		"it was before, and nothing was left to do": {
			rolledBackLater{known: true, outcome: patch.NothingPutBack, earlier: patch.RolledBack},
			"was put back by roll-back-wave-web-1, which closed at 1970-01-01 00:00:30 UTC", false,
		},
		"nothing was left to do": {
			rolledBackLater{known: true, outcome: patch.NothingPutBack, earlier: patch.NothingPutBack},
			"roll-back-wave-web-1, which closed at 1970-01-01 00:01:00 UTC, found nothing of it patched any more", false,
		},
		"not all of it": {
			rolledBackLater{known: true, outcome: patch.Failed},
			"STILL PATCHED 2 instances at most: roll-back-wave-web-1 has not put back all of it, and `patchtide wave diff " +
				"wave-web-1` tells what it has. To go on with it: patchtide wave roll-back wave-web-1", true,
		},
		"somebody terminated that": {
			rolledBackLater{known: true, ended: true, state: patch.StateRollingBack},
			"STILL PATCHED 2 instances at most: roll-back-wave-web-1 has not put back all of it", true,
		},
		"it had not begun": {
			rolledBackLater{known: true, ended: true, state: patch.StateResolving},
			"STILL PATCHED 2 instances of other stages", true,
		},
		"it was refused": {
			rolledBackLater{known: true, outcome: patch.Refused}, "STILL PATCHED 2 instances of other stages", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := &cobra.Command{}
			var said bytes.Buffer
			cmd.SetOut(&said)
			cmd.SetContext(t.Context())
			printsJSON(cmd)
			_ = showStatus(cmd, c.temporal, status) // its exit code is that of the wave
			told := strings.Join(strings.Fields(said.String()), " ")
			require.Contains(t, told, c.says)
			require.Equal(t, c.advises, strings.Contains(told, advice))
		})
	}
}

// Also of a wave that ended well it is told that its roll back ended half way.
func TestARollBackThatEndedHalfWayIsTold(t *testing.T) {
	status := patch.WaveStatus{
		WaveID: "wave-web-1", State: patch.StateClosed, Outcome: patch.Succeeded, Stages: []patch.StageStatus{{
			Groups: []patch.GroupCounts{{Group: "staging/r/web", Phase: patch.GroupDone, Patched: 2, Total: 2, Done: 2}},
		}},
	}
	cmd := &cobra.Command{}
	var said bytes.Buffer
	cmd.SetOut(&said)
	cmd.SetContext(t.Context())
	printsJSON(cmd)
	require.NoError(t, showStatus(cmd, rolledBackLater{known: true, ended: true, state: patch.StateRollingBack}, status))
	require.Contains(t, strings.Join(strings.Fields(said.String()), " "),
		"STILL PATCHED 2 instances at most: roll-back-wave-web-1 has not put back all of it")
}

// A wave that was run again under its id is not told to be put back by what put the earlier one back.
func TestARollBackOfAnEarlierRunIsNotThisWaves(t *testing.T) {
	status := patch.WaveStatus{WaveID: "wave-web-1", State: patch.StateClosed, Since: time.Unix(3600, 0)}
	require.Nil(t, putBackBy(t.Context(), rolledBackLater{known: true, outcome: patch.RolledBack}, status))
}

// Nobody who answers is left to believe that nothing is frozen where nobody knows.
func TestAVerbTellsThatNobodyKnowsWhatIsFrozen(t *testing.T) {
	cmd := &cobra.Command{}
	var said bytes.Buffer
	cmd.SetErr(&said)
	cmd.SetContext(t.Context())
	sayFrozen(cmd, frozenUnknown{}, "wave-web-1", patch.Retry)
	require.Contains(t, said.String(), "What is frozen is not known, which counts as frozen: ")
	waits, err := readWaits(t.Context(), frozenUnknown{}, patch.WaveStatus{WaveID: "wave-web-1"})
	require.NoError(t, err)
	require.Contains(t, waits.Unknown, "patchtide-freeze does not answer")
}

// frozenUnknown is a wave on hold beside a keeper of freezes that does not answer.
type frozenUnknown struct{ frozenWave }

func (f frozenUnknown) QueryWorkflow(
	ctx context.Context, id, run, query string, args ...any,
) (converter.EncodedValue, error) {
	if id == names.FreezeID {
		return nil, serviceerror.NewUnavailable("no worker")
	}
	return f.frozenWave.QueryWorkflow(ctx, id, run, query, args...)
}

func (frozenUnknown) DescribeWorkflowExecution(
	context.Context, string, string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{}, nil
}
