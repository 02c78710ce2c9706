package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestATierIsOfItsGroupOnly(t *testing.T) {
	windows := patch.Group{
		AutoScalingGroup: "db", Tier: &patch.Tier{Baseline: "windows-server-2022", Platform: patch.Windows, Passes: 3},
	}
	plan := patch.Plan{
		Baseline: "amazon-linux-2023", Platform: patch.Linux, Passes: 1, Restore: patch.RestoreRootVolume,
		Stages: []patch.Stage{{Name: "all", Groups: []patch.Group{windows, {AutoScalingGroup: "web"}}}},
	}
	policy := patch.PolicyOf(plan.Of(windows), plan.Stages[0])
	require.Equal(t, []any{"windows-server-2022", patch.Windows, 3}, []any{policy.Baseline, policy.Platform, policy.Passes})
	require.Equal(t, plan, plan.Of(plan.Stages[0].Groups[1]))
	require.Equal(t, []patch.Platform{patch.Linux, patch.Windows}, plan.Platforms())
	require.Equal(t, []string{"amazon-linux-2023", "windows-server-2022"}, plan.Baselines())
	require.Contains(t, plan.RollBackLoses(), "joined to a domain", "one of its tiers may be")
	require.Equal(t, patch.Windows, windows.PlatformOr(patch.Linux))
}

// TestWhatAnotherPlanIsWaitedFor: only a wave that succeeded, and not long ago, lets this one begin.
func TestWhatAnotherPlanIsWaitedFor(t *testing.T) {
	now := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	after := patch.AfterPlan{Plan: "db", MaxAge: patch.Duration(24 * time.Hour)}
	ended := func(outcome patch.Outcome, ago time.Duration) *patch.PlanWave {
		return &patch.PlanWave{ID: "wave-db-1", Outcome: outcome, Ended: now.Add(-ago)}
	}
	for _, c := range []struct {
		name string
		seen patch.PlanWaves
		why  string // a part; "": nothing
	}{
		{"none", patch.PlanWaves{}, "has had no wave in the last 24h"},
		{"one that succeeded", patch.PlanWaves{Last: ended(patch.Succeeded, time.Hour)}, ""},
		{"just within the time", patch.PlanWaves{Last: ended(patch.Succeeded, 24*time.Hour)}, ""},
		{"too long ago", patch.PlanWaves{Last: ended(patch.Succeeded, 25*time.Hour)}, "has had no wave in the last 24h"},
		{"it failed", patch.PlanWaves{Last: ended(patch.Failed, time.Hour)}, "wave-db-1, ended failed"},
		{"with gaps", patch.PlanWaves{Last: ended(patch.SucceededWithGaps, time.Hour)}, "ended succeeded with gaps"},
		{"it was rolled back", patch.PlanWaves{Last: ended(patch.RolledBack, time.Hour)}, "ended rolled back"},
		{"without an outcome", patch.PlanWaves{Last: ended("", time.Hour)}, "ended without an outcome"},
		{
			"another runs",
			patch.PlanWaves{Open: []string{"wave-db-2"}, Last: ended(patch.Succeeded, time.Hour)},
			"has an open wave: wave-db-2",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if why := after.Wait(c.seen, now); c.why == "" {
				require.Empty(t, why)
			} else {
				require.Contains(t, why, c.why)
			}
		})
	}
}
