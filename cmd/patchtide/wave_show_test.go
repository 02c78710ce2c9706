package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/failure/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// waitingFor is a wave in its preflight that does not get through to AWS; one of a worker that is gone does not answer.
type waitingFor struct {
	unattended
	answers bool
}

func (w waitingFor) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	if !w.answers {
		return nil, errors.New("no poller seen")
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(patch.WaveStatus{
		WaveID: "wave-web-1", Plan: "web", State: patch.StatePreflight, Since: time.Unix(0, 0),
	})
	return client.NewValue(payloads), err
}

func (waitingFor) DescribeWorkflowExecution(
	_ context.Context, id, _ string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	info := &workflowpb.WorkflowExecutionInfo{
		Execution: &common.WorkflowExecution{WorkflowId: id}, Status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING,
		StartTime: timestamppb.New(time.Unix(0, 0)),
	}
	described := &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}
	switch id {
	case "wave-web-1":
		described.PendingChildren = []*workflowpb.PendingChildExecutionInfo{{WorkflowId: "examine", WorkflowTypeName: "x"}}
		state, err := converter.GetDefaultDataConverter().ToPayload(string(patch.StatePreflight))
		info.SearchAttributes = &common.SearchAttributes{
			IndexedFields: map[string]*common.Payload{names.AttributeState: state},
		}
		return described, err
	case "examine":
		described.PendingActivities = []*workflowpb.PendingActivityInfo{{
			ActivityType: &common.ActivityType{Name: "InspectGroup"}, Attempt: 4, State: enums.PENDING_ACTIVITY_STATE_STARTED,
			LastFailure: &failure.Failure{Message: "read the group (production/r/web): AWS was not reached"},
		}}
		return described, nil
	}
	return nil, serviceerror.NewNotFound("no such workflow")
}

// showing runs `wave show`.
func showing(t *testing.T, temporal client.Client, flags ...string) (string, error) {
	t.Helper()
	cmd, _, err := newRoot().Find([]string{"wave", "show"})
	require.NoError(t, err)
	require.NoError(t, cmd.ParseFlags(flags))
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetContext(t.Context())
	err = showWave(cmd, temporal, "wave-web-1")
	return out.String(), err
}

const awayFromAWS = "It waits for:\n  the wave: inspect group, attempt 4: read the group (production/r/web): AWS was not " +
	"reached\n"

// What a wave waits for is told while its activity is tried again, and where no worker answers.
func TestShowTellsWhatIsWaitedFor(t *testing.T) {
	said, err := showing(t, waitingFor{answers: true})
	require.NoError(t, err)
	require.Contains(t, said, "wave-web-1  plan web  preflight")
	require.Contains(t, said, awayFromAWS)

	said, err = showing(t, waitingFor{})
	require.ErrorContains(t, err, "no worker answers for wave-web-1")
	require.Contains(t, said, "wave-web-1  preflight  started ")
	require.Contains(t, said, awayFromAWS)
	require.Contains(t, said, "may be out of service: patchtide wave logs wave-web-1")

	said, err = showing(t, waitingFor{answers: true}, "--json")
	require.NoError(t, err)
	var stands standing
	require.NoError(t, json.Unmarshal([]byte(said), &stands))
	require.Equal(t, patch.StatePreflight, stands.State)
	require.Equal(t, "InspectGroup", stands.Waits.On[0].Activity)
	require.Equal(t, brief.Document{Stands: "preflight", Waits: []string{
		"the wave: inspect group, attempt 4: read the group (production/r/web): AWS was not reached",
	}}, stands.Told, "the sentences as well")
}

func TestALookKnowsWhatIsWaitedFor(t *testing.T) {
	looks := &looker{temporal: waitingFor{answers: true}, wave: "wave-web-1"}
	look := looks.look(t.Context())
	require.NoError(t, look.Err)
	require.Equal(t, 4, look.Details.Waits.On[0].Attempt)

	looks = &looker{temporal: waitingFor{}, wave: "wave-web-1"}
	look = looks.look(t.Context())
	require.ErrorContains(t, look.Err, "Temporal answers and no worker does")
	require.Equal(t, 4, look.Details.Waits.On[0].Attempt, "also where no worker answers")
}
