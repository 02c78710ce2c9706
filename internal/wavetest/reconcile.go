package wavetest

import (
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// EndQuarantine runs Quarantine in a fresh Temporal.
func (s *Scene) EndQuarantine(request any) (*workflows.QuarantineResult, error) {
	s.T.Helper()
	s.NewEnv(s.Env.Now().Add(time.Hour))
	s.Register()
	id := names.QuarantineListID
	if of, ok := request.(workflows.QuarantineRequest); ok && of.Instance != "" {
		id = names.QuarantineID(of.Instance)
	}
	s.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id, TaskQueue: names.TaskQueue})
	if s.QuarantineDies {
		s.Env.SetWorkflowRunTimeout(Patience)
		s.Env.SetDetachedChildWait(false)
	}
	s.Env.ExecuteWorkflow(names.Quarantine, request)
	require.True(s.T, s.Env.IsWorkflowCompleted())
	if err := s.Env.GetWorkflowError(); err != nil {
		return nil, err
	}
	var result workflows.QuarantineResult
	require.NoError(s.T, s.Env.GetWorkflowResult(&result))
	return &result, nil
}

// ReleaseRequest asks for a quarantined instance back.
func ReleaseRequest(id string) workflows.QuarantineRequest {
	return workflows.QuarantineRequest{Verb: patch.QuarantineRelease, Instance: id, Actor: "tester", Reason: "it is well"}
}

// Reconcile runs Reconcile in a fresh Temporal, some time after the last workflow ended.
func (s *Scene) Reconcile(request workflows.ReconcileRequest, later time.Duration) *workflows.Reconciliation {
	s.T.Helper()
	s.NewEnv(s.Env.Now().Add(later))
	s.Register()
	s.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: names.ReconcileID, TaskQueue: names.TaskQueue})
	s.Env.ExecuteWorkflow(names.Reconcile, request)
	require.True(s.T, s.Env.IsWorkflowCompleted())
	require.NoError(s.T, s.Env.GetWorkflowError())
	var result workflows.Reconciliation
	require.NoError(s.T, s.Env.GetWorkflowResult(&result))
	require.True(s.T, result.Done)
	require.Equal(s.T, result.Places, result.Inspected)
	return &result
}

// Resources lists what findings are about.
func Resources(findings []workflows.Finding) []string {
	var found []string
	for _, finding := range findings {
		found = append(found, finding.Resource)
	}
	return found
}
