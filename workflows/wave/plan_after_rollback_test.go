package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// What a roll back of a closed wave has put back is due again, and a plan says so, with what is missing: what Systems
// Manager learnt after the patch was of volumes that are gone, and each was scanned as the last step of its way back.
func TestAfterARollBackThePlanIsDue(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	var outcomes []patch.Outcome
	var patched, back patch.Preview
	scene.Play(func(story wavetest.Story) {
		outcomes = append(outcomes, story.Wave("tonight").Outcome)
		patched = planOfWeb(story, "patched")
		rolled, _ := story.RollBack("tonight", false)
		outcomes = append(outcomes, rolled.Outcome)
		back = planOfWeb(story, "back")
	})
	require.Equal(t, []patch.Outcome{patch.Succeeded, patch.RolledBack}, outcomes)
	require.Zero(t, patched.Due, "all of it is patched")
	require.Equal(t, 6, back.Due)
	for _, stage := range back.Stages {
		for _, instance := range stage.Groups[0].Instances {
			require.Equal(t, patch.WouldPatch, instance.Does, "%+v", instance)
			require.Equal(t, 6, instance.MissingCount)
			require.False(t, instance.Outdated)
		}
	}
}

// planOfWeb is what `patchtide plan web` is told.
func planOfWeb(story wavetest.Story, id string) patch.Preview {
	child := workflow.WithChildOptions(story.Ctx, workflow.ChildWorkflowOptions{WorkflowID: id})
	var result workflows.PreviewResult
	require.NoError(story.Scene.T, workflow.ExecuteChildWorkflow(child, names.PreviewWave, ofWeb).Get(child, &result))
	return result.Preview
}
