package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
)

// forgetful is a Temporal whose retention of every wave is over.
type forgetful struct{ unattended }

func (forgetful) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	return nil, serviceerror.NewNotFound("workflow not found")
}

func (forgetful) DescribeWorkflowExecution(
	context.Context, string, string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return nil, serviceerror.NewNotFound("workflow not found")
}

func (forgetful) ListWorkflow(
	context.Context, *workflowservice.ListWorkflowExecutionsRequest,
) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return &workflowservice.ListWorkflowExecutionsResponse{}, nil
}

// What Temporal has forgotten the evidence still tells, and it is said that it does.
func TestAForgottenWaveIsToldByItsEvidence(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "patchtide.yaml")
	require.NoError(t, os.WriteFile(file, config.Example(), 0o600))
	t.Setenv("PATCHTIDE_EVIDENCE", filepath.Join(folder, "evidence"))
	options := evidence.Options{Signer: evidence.GenerateKey()}
	store, err := evidence.Open(t.Context(), filepath.Join(folder, "evidence"), options)
	require.NoError(t, err)
	for id, status := range map[string]patch.WaveStatus{
		"wave-web-20261101-020000": {Plan: "web", State: patch.StateClosed, Outcome: patch.Succeeded},
		"wave-web-20261108-020000": {
			Plan: "web", State: patch.StateClosed, Outcome: patch.Failed, Reason: "GroupLocked: wave-2 has it",
		},
		"wave-db-20261109-020000":  {Plan: "db", State: patch.StateClosed, Outcome: patch.Succeeded},
		"wave-web-20261110-020000": {Plan: "web", State: patch.StateParked},
	} {
		status.WaveID, status.Since = id, time.Date(2026, 11, 8, 3, 0, 0, 0, time.UTC)
		require.NoError(t, store.PutWave(t.Context(), id, activities.WaveDocument{Version: 1, Status: status}))
	}
	require.NoError(t, store.Close())
	command := func(name string) (*cobra.Command, *bytes.Buffer) {
		cmd, flags, err := newRoot().Find([]string{"wave", name, "--config", file})
		require.NoError(t, err)
		require.NoError(t, cmd.ParseFlags(flags))
		cmd.SetContext(t.Context())
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		return cmd, &out
	}
	cmd, out := command("show")
	var exit *exitError
	require.ErrorAs(t, showWave(cmd, forgetful{}, "wave-web-20261108-020000"), &exit)
	require.Equal(t, exitFailed, exit.code, out.String())
	require.Contains(t, out.String(), "Temporal knows this wave no more; its evidence tells")
	require.Contains(t, out.String(), "Why: GroupLocked: wave-2 has it")

	// A roll back of what never was begins nothing; of what only the evidence has it may.
	cmd, _ = command("roll-back")
	require.ErrorContains(t, left(cmd, forgetful{}, "nosuch"), "there is no wave nosuch in this namespace, and "+
		filepath.Join(folder, "evidence")+" has no evidence of it")
	require.NoError(t, left(cmd, forgetful{}, "wave-web-20261108-020000"))

	cmd, out = command("list")
	known := []listed{{WaveID: "wave-web-20261101-020000"}}
	all := listForgotten(cmd, known, listFilter{plan: "web", most: 20})
	require.Len(t, all, 2, "neither one of another plan nor one that has not ended by itself: %v", all)
	require.NoError(t, showList(cmd, forgetful{}, listFilter{plan: "web", most: 20}))
	require.Contains(t, out.String(), "wave-web-20261101-020000")
	require.Contains(t, out.String(), "by its evidence")
	require.Equal(t, "wave-web-20261108-020000", all[1].WaveID)
	require.Len(t, listForgotten(cmd, known, listFilter{most: 1}), 1)
	require.Len(t, listForgotten(cmd, known, listFilter{most: 20, waiting: true}), 1)
}
