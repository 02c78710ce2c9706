package group_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// countRuns counts the runs that each group's workflow makes.
func countRuns(env *testsuite.TestWorkflowEnvironment) func(group string) int {
	var mu sync.Mutex
	runs := map[string]int{}
	env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
		mu.Lock()
		defer mu.Unlock()
		if info.WorkflowType.Name == names.PatchGroup {
			runs[info.WorkflowExecution.ID]++
		}
	})
	return func(group string) int {
		mu.Lock()
		defer mu.Unlock()
		return runs[group]
	}
}

var inShortRuns = workflows.WaveRequest{Plan: "web", Actor: "tester", Reason: "the test says so", ContinueAfter: 2}

// A group whose history begins anew in the middle does what one in a single run does: the room it made stays, each
// instance is patched once, and what one run learnt the next one knows.
func TestAGroupContinuesAsNewBetweenInstances(t *testing.T) {
	for _, c := range []struct {
		name  string
		fleet func(*world.Scenario)
		runs  int
	}{
		{"decrement", wavetest.Sized(2, 5, 6), 3},
		{"surge", wavetest.Sized(5, 5, 5), 3},
		{"surge, an even number", wavetest.Sized(4, 4, 4), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: c.fleet})
			runs := countRuns(scene.Env)
			result, err := scene.Run(inShortRuns)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, c.runs, runs(wavetest.ProductionLock), "runs of the group")
			require.Equal(t, 1, runs(wavetest.StagingLock), "two instances need one run")
			members := len(wavetest.ProductionOutcomes(result))
			require.Equal(t, members, wavetest.CountInProduction(result, patch.Patched))
			require.Len(t, scene.Effects("StartAutomationExecution"), 2+members)
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

func TestVerbsReachAGroupInItsLaterRuns(t *testing.T) {
	// The fourth install fails: the second run of the group has it.
	fourth := wavetest.WithFaults(wavetest.Sized(5, 5, 5), world.WorldFault{
		Kind: world.FaultInstallFails, Account: "production", Nth: 4,
	})
	for _, c := range []struct {
		verb    patch.Verb
		outcome patch.Outcome
		patched int
		runs    int
	}{
		{patch.Retry, patch.Succeeded, 5, 3},
		{patch.Skip, patch.SucceededWithSkips, 4, 3},
		{patch.RollBack, patch.RolledBack, 0, 4}, // the second run has its two already, so that the next puts back
		{patch.Abort, patch.Aborted, 3, 2},
	} {
		t.Run(string(c.verb), func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: fourth})
			scene.Decide = []patch.Verb{c.verb}
			runs := countRuns(scene.Env)
			result, err := scene.Run(inShortRuns)
			require.NoError(t, err)
			require.Equal(t, c.outcome, result.Outcome, "%+v", result)
			require.Equal(t, c.patched, wavetest.CountInProduction(result, patch.Patched))
			require.Equal(t, c.runs, runs(wavetest.ProductionLock), "runs of the group")
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// A cancel between two runs of a group is heard by the later one, and by the wave.
func TestACancelReachesAGroupInItsSecondRun(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.Sized(2, 5, 6)})
	runs := countRuns(scene.Env)
	var look func()
	look = func() {
		if scene.Env.IsWorkflowCompleted() {
			return
		}
		if runs(wavetest.ProductionLock) == 2 && len(scene.AtStep(patch.StepBake)) > 0 {
			scene.Env.CancelWorkflow()
			return
		}
		scene.Env.RegisterDelayedCallback(look, 10*time.Second)
	}
	scene.Env.RegisterDelayedCallback(look, 10*time.Second)
	result, err := scene.Run(inShortRuns)
	require.Error(t, err)
	require.Equal(t, []patch.Outcome{
		patch.Patched, patch.Patched, patch.Patched, patch.NotStarted, patch.NotStarted,
	}, wavetest.ProductionOutcomes(result))
	scene.RequireInvariants(result, wavetest.Except{})
}
