package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestCanariesLeft(t *testing.T) {
	two := &patch.Canary{Instances: 2, Bake: patch.Duration(time.Hour)}
	ended := func(outcomes ...patch.Outcome) (all []patch.InstanceResult) {
		for _, outcome := range outcomes {
			all = append(all, patch.InstanceResult{Outcome: outcome})
		}
		return all
	}
	for _, c := range []struct {
		name      string
		canary    *patch.Canary
		instances []patch.InstanceResult
		want      int
	}{
		{"a stage without", nil, ended(patch.NotStarted), 0},
		{"none was taken", two, ended(patch.NotStarted, patch.NotStarted, patch.NotStarted), 2},
		{"one is patched", two, ended(patch.Patched, patch.NotStarted), 1},
		{"one waits for its reboot", two, ended(patch.PatchedRebootPending, patch.NotStarted), 1},
		{"who had nothing to do proved nothing", two, ended(patch.AlreadyCompliant, patch.RebootPending), 2},
		{"nor who was put back or skipped", two, ended(patch.RolledBack, patch.Skipped, patch.Patched), 1},
		{"more than were asked for", two, ended(patch.Patched, patch.Patched, patch.Patched), 0},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.canary.Left(c.instances)) })
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
