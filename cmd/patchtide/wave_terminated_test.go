package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// stoodOnHold is how the wave stood that somebody terminates.
func stoodOnHold() patch.WaveStatus {
	until := time.Unix(1800, 0)
	return patch.WaveStatus{
		WaveID: "wave-web-1", Plan: "web", State: patch.StateOnHold, Stage: "production", Since: time.Unix(0, 0),
		Hold: 1, Awaiting: "production/r/web: i-1 rolled back: it is unhealthy", Verbs: patch.Verbs(),
		Otherwise: patch.RollBack, Until: &until, RollsBack: patch.RollsBack{Stage: 1, Wave: 3},
		ETA: &patch.ETA{}, Stages: []patch.StageStatus{{Name: "production", Groups: []patch.GroupCounts{{
			Group: "production/r/web", Done: 1, Tally: patch.Tally{patch.RolledBack: 1}, Total: 4,
			Reason: "i-1 rolled back: it is unhealthy",
		}}}},
	}
}

// terminatedOnHold is a Temporal in which that wave was terminated; its worker may be gone.
type terminatedOnHold struct {
	ended
	answers bool
	refused bool // its roll back was
}

func (t terminatedOnHold) QueryWorkflow(
	context.Context, string, string, string, ...any,
) (converter.EncodedValue, error) {
	if !t.answers {
		return nil, errors.New("no poller seen")
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(stoodOnHold())
	return client.NewValue(payloads), err
}

func (t terminatedOnHold) DescribeWorkflowExecution(
	ctx context.Context, id, run string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if t.refused && id == names.RollBack("wave-web-1") {
		described, err := rolledBackLater{known: true, outcome: patch.Refused}.DescribeWorkflowExecution(ctx, id, run)
		described.WorkflowExecutionInfo.StartTime = timestamppb.New(time.Unix(90, 0))
		return described, err
	}
	state, err := converter.GetDefaultDataConverter().ToPayload(string(patch.StateOnHold))
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Execution: &common.WorkflowExecution{WorkflowId: id}, Status: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED,
		StartTime: timestamppb.New(time.Unix(0, 0)), CloseTime: timestamppb.New(time.Unix(60, 0)),
		SearchAttributes: &common.SearchAttributes{
			IndexedFields: map[string]*common.Payload{names.AttributeState: state},
		},
	}}, err
}

// A terminated wave is shown as it stood, with nothing that nobody takes any more, and then it is said what that means.
func TestATerminatedWaveIsShownAsItStood(t *testing.T) {
	const row, means = "production/r/web", `wave-web-1 was terminated by ann@desk ("by mistake"): nobody decides for it any more`
	said, err := showing(t, terminatedOnHold{answers: true})
	require.ErrorContains(t, err, means)
	require.Contains(t, said, "It was terminated at 1970-01-01 00:01:00 UTC. When it was heard of last, it stood so:\n"+
		"wave-web-1  plan web  on hold")
	require.Contains(t, said, row)
	require.Contains(t, said, "0 of 4 patched, 1 rolled")
	require.Contains(t, said, "it is unhealthy")
	for _, over := range []string{"It asks", "If nobody answers", "What may be sent"} {
		require.NotContains(t, said, over)
	}

	said, err = showing(t, terminatedOnHold{answers: true}, "--json")
	require.ErrorContains(t, err, means)
	var told lastKnown
	require.NoError(t, json.Unmarshal([]byte(said), &told))
	require.Equal(t, time.Unix(60, 0).UTC(), told.Terminated)
	require.Equal(t, patch.StateOnHold, told.State)
	require.Empty(t, told.Verbs)
	require.Nil(t, told.Until)

	said, err = showing(t, terminatedOnHold{})
	require.ErrorContains(t, err, means, "no worker answers, and no configuration says where evidence is")
	require.Contains(t, said, "wave-web-1  terminated while on hold  started ")
}

func TestAWatchedWaveThatIsTerminatedIsShownAsItStood(t *testing.T) {
	cmd, _, err := newRoot().Find([]string{"wave", "watch"})
	require.NoError(t, err)
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetContext(t.Context())
	require.ErrorContains(t, watchWave(cmd, terminatedOnHold{answers: true}, "wave-web-1", watching{}), "was terminated")
	require.Contains(t, out.String(), "It was terminated at ")
	require.Contains(t, out.String(), "0 of 4 patched, 1 rolled")
}

// Where no worker answers, its evidence tells what it has of a terminated wave.
func TestATerminatedWaveIsToldByItsEvidence(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "patchtide.yaml")
	require.NoError(t, os.WriteFile(file, config.Example(), 0o600))
	t.Setenv("PATCHTIDE_EVIDENCE", filepath.Join(folder, "evidence"))
	options := evidence.Options{Signer: evidence.GenerateKey()}
	store, err := evidence.Open(t.Context(), filepath.Join(folder, "evidence"), options)
	require.NoError(t, err)
	document := activities.WaveDocument{Version: 1, Status: stoodOnHold()}
	require.NoError(t, store.PutWave(t.Context(), "wave-web-1", document))
	for id, outcome := range map[string]patch.Outcome{"i-1": patch.RolledBack, "i-2": patch.Patched} { // the second afterwards
		_, err := store.PutInstance(t.Context(), "wave-web-1", id, patch.InstanceDetails{Instance: id, Outcome: outcome})
		require.NoError(t, err)
	}
	require.NoError(t, store.Close())

	const came = "As each ended, and before anything of it was put back, its instances came to: 1 patched, 1 rolled back. What each got: patchtide wave " +
		"diff wave-web-1"
	said, err := showing(t, terminatedOnHold{answers: true}, "--config", file)
	require.ErrorContains(t, err, "once proven, stays patched")
	require.Contains(t, strings.Join(strings.Fields(said), " "), came)
	said, err = showing(t, terminatedOnHold{answers: true, refused: true}, "--config", file)
	require.ErrorContains(t, err, "once proven, stays patched")
	require.Contains(t, strings.Join(strings.Fields(said), " "), came, "a roll back that was refused has put nothing back")
	said, err = showing(t, terminatedOnHold{}, "--config", file)
	require.ErrorContains(t, err, "was terminated")
	require.Contains(t, said, "and no worker answers. Its evidence tells how it stood at ")
	require.Contains(t, said, "production/r/web")
	require.NotContains(t, said, "What may be sent")
}

// Of a roll back that was terminated the wave is named that it puts back: of the roll back itself nothing is patched.
func TestATerminatedRollBackNamesItsWave(t *testing.T) {
	said := (&terminatedError{wave: names.RollBack("wave-web-1")}).Error()
	require.Contains(t, said, "put back what is left: patchtide wave roll-back wave-web-1 --reason")
	code, _, stderr := call(t, "wave", "roll-back", names.RollBack("wave-web-1"), "--reason", "again")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "is itself a roll back")
	require.Contains(t, stderr, "patchtide wave roll-back wave-web-1 --reason")
}

// Who looks at a terminated wave once it was rolled back is not told to do that.
func TestATerminatedWaveTellsOfItsRollBack(t *testing.T) {
	const advice = "patchtide wave roll-back wave-web-1"
	for name, c := range map[string]struct {
		temporal rolledBackLater
		says     string
		advises  bool
	}{
		"it was not":  {rolledBackLater{}, "Once nothing is, put back what it had patched", true},
		"it is being": {rolledBackLater{known: true}, "is being put back: patchtide wave show roll-back-wave-web-1", false},
		"it was": {
			rolledBackLater{known: true, outcome: patch.RolledBack},
			"roll-back-wave-web-1, which closed at 1970-01-01 00:01:00 UTC, put back what it had patched", false,
		},
		"nothing was left to do": {
			rolledBackLater{known: true, outcome: patch.NothingPutBack}, "found nothing of it patched any more", false,
		},
		"not all of it": {rolledBackLater{known: true, outcome: patch.Failed}, "put back what it had patched", true},
	} {
		t.Run(name, func(t *testing.T) {
			by := rolledBackSince(t.Context(), c.temporal, "wave-web-1", time.Unix(0, 0))
			said := (&terminatedError{wave: "wave-web-1", by: by}).Error()
			require.Contains(t, said, c.says)
			require.Equal(t, c.advises, strings.Contains(said, advice))
		})
	}
}
