package patch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What groups left beside a wave's document is newer than what that tells of the same instances, and all there is of
// those that it does not name.
func TestWhatGroupsLeftCompletesAWave(t *testing.T) {
	web, api := Group{Region: "r", AutoScalingGroup: "web"}, Group{Region: "r", AutoScalingGroup: "api"}
	plan := Plan{Stages: []Stage{{Name: "staging"}, {Name: "production", Groups: []Group{web}}}}
	with := plan.With([]Stage{{Name: "production", Groups: []Group{web, api}}, {Name: "rest", Groups: []Group{api}}})
	require.Equal(t, []Stage{
		{Name: "staging"}, {Name: "production", Groups: []Group{web, api}}, {Name: "rest", Groups: []Group{api}},
	}, with.Stages)
	require.Len(t, plan.Stages[1].Groups, 1, "the plan itself is as it was")

	result := WaveResult{Stages: []StageResult{{Name: "production", Groups: []GroupResult{{
		Region: "r", Name: "web",
		Instances: []InstanceResult{{ID: "i-1", Outcome: Patched}, {ID: "i-2", Outcome: NotStarted}},
	}}}}}
	left := result.With([]StageResult{{Name: "production", Groups: []GroupResult{
		{Region: "r", Name: "web", Reason: "stopped", Instances: []InstanceResult{{ID: "i-2", Outcome: Patched}}},
		{Region: "r", Name: "api", Instances: []InstanceResult{{ID: "i-3", Outcome: RolledBack}}},
	}}})
	require.Equal(t, []GroupResult{
		{Region: "r", Name: "web", Reason: "stopped", Instances: []InstanceResult{
			{ID: "i-1", Outcome: Patched}, {ID: "i-2", Outcome: Patched},
		}},
		{Region: "r", Name: "api", Instances: []InstanceResult{{ID: "i-3", Outcome: RolledBack}}},
	}, left.Stages[0].Groups)
	require.Equal(t, left.Stages, WaveResult{}.With(left.Stages).Stages)
}
