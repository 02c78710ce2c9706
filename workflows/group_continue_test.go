package workflows_test

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

const (
	productionLock = "patch-group/" + accountProduction + "/" + tokyoRegion + "/web"
	stagingLock    = "patch-group/" + accountStaging + "/" + tokyoRegion + "/Role=web"
)

var inShortRuns = workflows.WaveRequest{Plan: "web", Actor: "tester", Reason: "the test says so", ContinueAfter: 2}

// A group whose history begins anew in the middle does what one in a single run does: the room it made stays, each instance
// is patched once, and what one run learnt the next one knows.
func TestAGroupContinuesAsNewBetweenInstances(t *testing.T) {
	for _, c := range []struct {
		name  string
		fleet func(*world.Scenario)
		runs  int
	}{
		{"decrement", sized(2, 5, 6), 3},
		{"surge", sized(5, 5, 5), 3},
		{"surge, an even number", sized(4, 4, 4), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", fleet: c.fleet})
			runs := countRuns(b.env)
			result, err := b.run(inShortRuns)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, c.runs, runs(productionLock), "runs of the group")
			require.Equal(t, 1, runs(stagingLock), "two instances need one run")
			members := len(production(result))
			require.Equal(t, members, count(production(result), patch.Patched))
			require.Len(t, b.effects("StartAutomationExecution"), 2+members)
			b.requireInvariants(result, after{})
			b.requireVersions(result)
		})
	}
}

func TestVerbsReachAGroupInItsLaterRuns(t *testing.T) {
	// The fourth install fails: the second run of the group has it.
	fourth := also(sized(5, 5, 5), world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 4})
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
			b := newBench(t, benchOptions{scenario: "healthy", fleet: fourth})
			b.decide = []patch.Verb{c.verb}
			runs := countRuns(b.env)
			result, err := b.run(inShortRuns)
			require.NoError(t, err)
			require.Equal(t, c.outcome, result.Outcome, "%+v", result)
			require.Equal(t, c.patched, count(production(result), patch.Patched))
			require.Equal(t, c.runs, runs(productionLock), "runs of the group")
			b.requireInvariants(result, after{})
			b.requireVersions(result)
		})
	}
}

// A cancel between two runs of a group is heard by the later one, and by the wave.
func TestACancelReachesAGroupInItsSecondRun(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: sized(2, 5, 6)})
	runs := countRuns(b.env)
	var look func()
	look = func() {
		if b.env.IsWorkflowCompleted() {
			return
		}
		if runs(productionLock) == 2 && len(b.atStep(patch.StepBake)) > 0 {
			b.env.CancelWorkflow()
			return
		}
		b.env.RegisterDelayedCallback(look, 10*time.Second)
	}
	b.env.RegisterDelayedCallback(look, 10*time.Second)
	result, err := b.run(inShortRuns)
	require.Error(t, err)
	require.Equal(t, []patch.Outcome{patch.Patched, patch.Patched, patch.Patched, patch.NotStarted, patch.NotStarted}, production(result))
	b.requireInvariants(result, after{})
}
