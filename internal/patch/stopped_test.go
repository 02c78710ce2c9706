package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// Whom a group that starts who is stopped leaves, and why.
func TestWhoIsStartedToBePatched(t *testing.T) {
	group := tagsGroup
	group.Stopped = patch.StoppedStart
	for _, c := range []struct {
		name   string
		group  patch.Group
		member patch.Member
		code   string
		starts bool
		why    string
	}{
		{"stopped", group, patch.Member{State: "stopped"}, "Client.UserInitiatedShutdown", true, ""},
		{"on its way", group, patch.Member{State: "stopping"}, "", true, ""},
		{"the plan leaves it", tagsGroup, patch.Member{State: "stopped"}, "", false, ""},
		{"it runs", group, patch.Member{State: "running"}, "", false, ""},
		{"excluded", group, patch.Member{State: "stopped", LeftOut: "excluded"}, "", false, ""},
		{"of an Auto Scaling group", group, patch.Member{State: "stopped", OwnerGroup: "web"}, "", false, ""},
		{"hibernated", group, patch.Member{State: "stopped"}, "Client.UserInitiatedHibernate", false, "hibernated"},
		{"operated", group, patch.Member{State: "stopped", Operator: "Karpenter"}, "", false, "operated by Karpenter"},
		{"registered twice", group, patch.Member{State: "stopped", Targets: []patch.Target{
			{TargetGroupARN: targetGroup, Port: 80}, {TargetGroupARN: targetGroup, Port: 81},
		}}, "", false, "it is registered in " + patch.TargetGroupCalled(targetGroup) + ", which"},
	} {
		t.Run(c.name, func(t *testing.T) {
			starts, why := c.group.StartsStopped(c.member, c.code)
			require.Equal(t, c.starts, starts)
			require.Contains(t, why, c.why)
			require.Equal(t, c.why == "", why == "")
		})
	}
}

// Who was stopped takes nobody's room, whatever its state is, until somebody has it serve.
func TestWhoIsIdleTakesNobodysRoom(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*patch.Member)
		keeps  bool
	}{
		"started":       {func(m *patch.Member) { m.Targets = nil }, false},
		"stopped again": {func(m *patch.Member) { m.State, m.StoppedAt, m.Targets = "stopped", noon, nil }, false},
		"registered": {func(m *patch.Member) {
			m.State = "stopped"
			m.Targets[0].Health = patch.TargetUnused
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			state := four(untracked, member(2, c.change))
			view := patch.View{
				Group: tagsGroup, State: &state, Instance: "i-01", Holdings: patch.Holdings{Idle: []string{"i-03"}},
				Policy: patch.Policy{MaxUnavailable: patch.Instances(1), Began: noon},
			}
			require.Equal(t, c.keeps, len(patch.Refusals(patch.LevelInstance, view)) > 0)
		})
	}
}

// Who is started comes last: it proves little to the others.
func TestWhoIsStartedComesLast(t *testing.T) {
	state := four(untracked, member(0, func(m *patch.Member) { m.State, m.Starts = "stopped", true }))
	var ids []string
	for _, member := range state.Ordered(patch.OrderOldestFirst) {
		ids = append(ids, member.ID)
	}
	require.Equal(t, "i-01", ids[len(ids)-1])
	require.Len(t, ids, 4)
}

// What waits in a warm pool is a gap, but of a wave that was asked for some only.
func TestAWarmPoolIsAGap(t *testing.T) {
	state := four(func(s *patch.GroupState) { s.WarmPoolState, s.WarmPoolSize = "Running", 2 })
	some := webGroup
	some.Only = &patch.Only{Instances: []string{"i-01"}}
	var done []patch.InstanceResult
	for _, id := range state.IDs() {
		done = append(done, patch.InstanceResult{ID: id, Outcome: patch.Patched})
	}
	require.Equal(t, []patch.Gap{{Why: "2 instances in its warm pool (Running) are not patched, and serve as they were " +
		"prepared"}}, patch.EndOf(webGroup, "", state, done).Gaps)
	require.Empty(t, patch.EndOf(some, "", state, done).Gaps)
	require.Equal(t, patch.SucceededWithGaps, patch.Succeeded.Judged(patch.EndOf(webGroup, "", state, done).Gaps))
}
