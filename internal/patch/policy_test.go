package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// TestAPolicyIsAPlanAndAStage: nothing of the two gets lost on the way, and both judge by the same budget.
func TestAPolicyIsAPlanAndAStage(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	plan := patch.Plan{
		Name: "nightly", Platform: patch.Linux, Backup: patch.BackupSnapshot, Restore: patch.RestoreRootVolume,
		Reboot: patch.RebootAlways, Passes: 2, Retention: patch.Duration(time.Hour), Timing: patch.DefaultTiming(),
		Window:    &patch.Window{Opens: at, Cutoff: at.Add(time.Hour), Closes: at.Add(2 * time.Hour)},
		Calendars: []string{"release"}, Estimates: &patch.Estimates{Patch: 20 * minute, RollBack: 10 * minute},
		Quarantine: patch.Quarantine{TTL: patch.Duration(time.Hour)},
	}
	stage := patch.Stage{
		Name: "canary", MaxUnavailable: patch.Instances(1), Capacity: patch.CapacitySurge, Bake: 5 * minute,
		Health: []patch.HealthCheck{{Alarm: "5xx"}},
	}
	policy := patch.PolicyOf(plan, stage)
	require.Equal(t, plan, policy.PlanView())
	require.Equal(t, stage, policy.StageView())
	groups := []patch.TargetGroup{{ARN: "web", DeregistrationDelay: 3 * minute, SlowStart: 2 * minute}}
	require.Equal(t, plan.Budget(stage, groups), policy.Budget(groups))

	view := patch.View{
		Group: webGroup, Policy: policy, State: &patch.GroupState{TargetGroups: groups}, Instance: "i-01", Now: at,
	}
	require.Nil(t, patch.TooLate(patch.LevelInstance, view))
	view.Now = at.Add(40 * time.Minute)
	late := patch.TooLate(patch.LevelInstance, view)
	require.NotNil(t, late)
	require.Equal(t, patch.RefusedWindowEnds, late.Code)
	view.Now = at.Add(time.Hour)
	require.Equal(t, patch.RefusedOutsideWindow, patch.TooLate(patch.LevelInstance, view).Code)
	view.Policy.Window = nil
	require.Nil(t, patch.TooLate(patch.LevelInstance, view))
}
