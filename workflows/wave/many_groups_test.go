package wave_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/payload"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// manyGroups gives production so many groups of one instance, and the plan a stage of them.
func manyGroups(t *testing.T, many int) *wavetest.Scene {
	t.Helper()
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended), Fleet: func(s *world.Scenario) {
			region := &s.Accounts[1].Regions[0]
			like := region.Groups[0]
			like.Min, like.Desired, like.Max, like.TargetGroups, like.HealthCheckType = 0, 1, 1, nil, "EC2"
			region.Groups = nil
			for i := range many {
				like.Name = fmt.Sprintf("web-%04d", i)
				region.Groups = append(region.Groups, like)
			}
		},
	})
	scene.Plans.Change = func(plan *patch.Plan) {
		stage := &plan.Stages[0]
		stage.Service, stage.MaxParallelGroups, stage.Health = "", 20, nil
		like := stage.Groups[0]
		stage.Groups = nil
		for i := range many {
			like.AutoScalingGroup = fmt.Sprintf("web-%04d", i)
			stage.Groups = append(stage.Groups, like)
		}
	}
	return scene
}

// Many groups of one instance each, whose own sagas are left out here. As many as a plan may have: `make large`.
func TestAWaveOfManyGroupsIsSmall(t *testing.T) {
	const many = 200
	scene := manyGroups(t, many)
	scene.Env.OnWorkflow(names.PatchInstance, mock.Anything, mock.Anything).Return(
		func(ctx workflow.Context, in workflows.InstanceInput) (*patch.InstanceResult, error) {
			return patchedWith(in.Instance, 150, workflow.Now(ctx)), nil
		})
	result, err := scene.Run(wavetest.WebWave)
	t.Log(strings.Join(scene.Sizes.Largest(50_000), "\n"))
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	require.Empty(t, scene.Sizes.Largest(payload.Most*9/10))
	require.Len(t, result.Stages[0].Groups, many)
}
