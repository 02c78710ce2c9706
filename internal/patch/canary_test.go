package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestLeftOfAStep(t *testing.T) {
	two := patch.Policy{Canary: &patch.Canary{Instances: 2, Bake: patch.Duration(time.Hour)}}
	half := patch.Policy{Steps: []patch.StageStep{
		{To: patch.Instances(1)}, {To: patch.Percent(50)}, {To: patch.Percent(100)},
	}}
	ended := func(outcomes ...patch.Outcome) (all []patch.InstanceResult) {
		for _, outcome := range outcomes {
			all = append(all, patch.InstanceResult{Outcome: outcome})
		}
		return all
	}
	for _, c := range []struct {
		name      string
		policy    patch.Policy
		step      int
		instances []patch.InstanceResult
		want      int
	}{
		{"a stage without", patch.Policy{}, 0, ended(patch.NotStarted), -1},
		{"the first of two steps and all", half, 0, ended(patch.NotStarted, patch.Skipped), 1},
		{"half of five, rounded down", half, 1, ended(patch.Patched, patch.Failed, "", "", ""), 1},
		{"half of one, at least one", half, 1, ended(patch.NotStarted), 1},
		{"a step that is done already", half, 0, ended(patch.Patched, patch.Patched), 0},
		{"all", half, 2, ended(patch.NotStarted), -1},
		{"after a canary", two, 1, ended(patch.NotStarted), -1},
		{"none was taken", two, 0, ended(patch.NotStarted, patch.NotStarted, patch.NotStarted), 2},
		{"one is patched", two, 0, ended(patch.Patched, patch.NotStarted), 1},
		{"one waits for its reboot", two, 0, ended(patch.PatchedRebootPending, patch.NotStarted), 1},
		{"who had nothing to do proved nothing", two, 0, ended(patch.AlreadyCompliant, patch.RebootPending), 2},
		{"nor who was put back or skipped", two, 0, ended(patch.RolledBack, patch.Skipped, patch.Patched), 1},
		{"more than were asked for", two, 0, ended(patch.Patched, patch.Patched, patch.Patched), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			left, bounded := c.policy.LeftOfStep(c.step, c.instances)
			require.Equal(t, c.want >= 0, bounded)
			require.Equal(t, max(c.want, 0), left)
		})
	}
}

func TestACanaryBakesLongerAndIsReckonedWithAsMuch(t *testing.T) {
	estimates := &patch.Estimates{Patch: patch.Duration(20 * time.Minute)}
	stage := patch.Stage{
		Bake: patch.Duration(5 * time.Minute), Canary: &patch.Canary{Instances: 1, Bake: patch.Duration(time.Hour)},
	}
	plan := patch.Plan{Estimates: estimates, Timing: patch.DefaultTiming(), Stages: []patch.Stage{stage}}
	usual, longer := patch.PolicyOf(plan, stage), patch.PolicyOf(plan, stage).AsCanary()
	require.Equal(t, patch.Duration(time.Hour), longer.Bake)
	require.Equal(t, 55*time.Minute, longer.Budget(nil).Total()-usual.Budget(nil).Total())
	require.Equal(t, patch.Duration(20*time.Minute), estimates.Patch, "the plan's own stay as they are")

	var measured patch.Measured
	measured.Measure(patch.WaveResult{Stages: []patch.StageResult{{Groups: []patch.GroupResult{{
		Instances: []patch.InstanceResult{
			{Outcome: patch.Patched, Started: noon, Ended: noon.Add(time.Hour), Canary: true},
			{Outcome: patch.Patched, Started: noon, Ended: noon.Add(time.Minute)},
		},
	}}}}})
	require.Equal(t, []patch.Duration{patch.Duration(time.Minute)}, measured.Patches, "a canary tells nothing of the others")
}
