package wavetest

import (
	"errors"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// Story is what happens to a fleet in one test: waves, roll backs and what others do meanwhile, one after the other.
type Story struct {
	Ctx   workflow.Context
	Scene *Scene
}

// Later lets time pass for everybody.
func (s Story) Later(d time.Duration) { require.NoError(s.Scene.T, workflow.Sleep(s.Ctx, d)) }

// Until lets time pass until a moment.
func (s Story) Until(at time.Time) { s.Later(at.Sub(workflow.Now(s.Ctx))) }

// Play runs one story on a scene.
func (s *Scene) Play(story func(Story)) {
	s.T.Helper()
	s.Before = s.Snapshot()
	root := func(ctx workflow.Context) error { story(Story{Ctx: ctx, Scene: s}); return nil }
	s.Env.RegisterWorkflowWithOptions(root, workflow.RegisterOptions{Name: "story"}) // closures have names in common
	s.Env.ExecuteWorkflow("story")
	require.NoError(s.T, s.Env.GetWorkflowError())
}

// Wave runs a wave to its end.
func (s Story) Wave(id string) *patch.WaveResult {
	child := workflow.WithChildOptions(s.Ctx, workflow.ChildWorkflowOptions{WorkflowID: id})
	var result patch.WaveResult
	require.NoError(s.Scene.T, workflow.ExecuteChildWorkflow(child, names.PatchWave, WebWave).Get(child, &result))
	return &result
}

// RollBack asks for a wave to be rolled back.
func (s Story) RollBack(wave string, acceptLoss bool) (*patch.WaveResult, error) {
	child := workflow.WithChildOptions(s.Ctx, workflow.ChildWorkflowOptions{WorkflowID: names.RollBack(wave)})
	var result patch.WaveResult
	err := workflow.ExecuteChildWorkflow(child, names.RollBackWave, workflows.RollBackRequest{
		WaveID: wave, Actor: "tester", Reason: "the test says so", AcceptLoss: acceptLoss,
	}).Get(child, &result)
	return &result, err
}

// Begin starts a wave of a plan without waiting for it.
func (s Story) Begin(id, plan string) workflow.ChildWorkflowFuture {
	child := workflow.WithChildOptions(s.Ctx, workflow.ChildWorkflowOptions{WorkflowID: id})
	return workflow.ExecuteChildWorkflow(child, names.PatchWave, workflows.WaveRequest{
		Plan: plan, Actor: "tester", Reason: "the test says so",
	})
}

// Ends waits for a wave to end well.
func (s Story) Ends(wave workflow.Future) *patch.WaveResult {
	s.Scene.T.Helper()
	var result patch.WaveResult
	require.NoError(s.Scene.T, wave.Get(s.Ctx, &result))
	return &result
}

// Refuses requires that a wave was refused with that type and those words.
func (s Story) Refuses(wave workflow.Future, errorType string, words ...string) {
	s.Scene.T.Helper()
	err := wave.Get(s.Ctx, nil)
	var failure *temporal.ApplicationError
	require.True(s.Scene.T, errors.As(err, &failure), "%v", err)
	require.Equal(s.Scene.T, errorType, failure.Type(), failure.Message())
	for _, part := range words {
		require.Contains(s.Scene.T, failure.Message(), part)
	}
}

// RollBackRefused requires that a roll back was refused with that type and those words, before anything was changed.
func (s Story) RollBackRefused(wave string, acceptLoss bool, errorType string, words ...string) {
	s.Scene.T.Helper()
	before := len(s.Scene.Effects("CreateReplaceRootVolumeTask")) + len(s.Scene.Effects("EnterStandby")) +
		len(s.Scene.Effects("DeregisterTargets"))
	_, err := s.RollBack(wave, acceptLoss)
	var failure *temporal.ApplicationError
	if !errors.As(err, &failure) { // a test that is stopped within a scene hangs: this one goes on
		s.Scene.T.Errorf("the roll back of %s was not refused: %v", wave, err)
		return
	}
	require.Equal(s.Scene.T, errorType, failure.Type(), failure.Message())
	for _, part := range words {
		require.Contains(s.Scene.T, failure.Message(), part)
	}
	require.Equal(s.Scene.T, before,
		len(s.Scene.Effects("CreateReplaceRootVolumeTask"))+len(s.Scene.Effects("EnterStandby"))+
			len(s.Scene.Effects("DeregisterTargets")))
	var document struct {
		Status patch.WaveStatus `json:"status"`
	}
	if s.Scene.Store.GetWave(s.Scene.T.Context(), names.RollBack(wave), &document) != nil {
		return // it was refused before it had any
	}
	for _, stage := range document.Status.Stages {
		if len(stage.Groups) > 0 {
			s.Scene.T.Errorf("refused, it tells how %s stands, which an earlier run may have changed", stage.Name)
		}
	}
}
