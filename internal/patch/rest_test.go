package patch_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// An instance that was stopped before a wave began is not out of service because of the wave, and keeps no other from
// being patched. One that is stopped meanwhile, or nobody knows when, is one less.
func TestWhoIsStoppedBeforeTheWaveKeepsNobody(t *testing.T) {
	for _, c := range []struct {
		name  string
		since time.Time
		began time.Time
		mark  string
		keeps bool
	}{
		{"before the wave", noon.Add(-time.Hour), noon, "", false},
		{"before the wave, and an earlier one had left it", noon.Add(-time.Hour), noon, "web-1", true},
		{"while the wave runs", noon.Add(time.Minute), noon, "", true},
		{"nobody knows when", time.Time{}, noon, "", true},
		{"before a preview", noon.Add(-time.Hour), time.Time{}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			state := four(untracked, member(2, func(m *patch.Member) {
				m.State, m.Why, m.StoppedAt = "stopped", "User initiated (2026-11-22 11:00:00 GMT)", c.since
				m.Mark = c.mark
				m.Targets[0].Health = patch.TargetUnused // as Elastic Load Balancing has one that is stopped
			}))
			view := patch.View{
				Group: tagsGroup, State: &state, Instance: "i-01", Policy: patch.Policy{MaxUnavailable: patch.Instances(1), Began: c.began},
			}
			found := patch.Refusals(patch.LevelInstance, view)
			if !c.keeps {
				require.Empty(t, found)
				return
			}
			require.Equal(t, []patch.RefusalCode{patch.RefusedCapacity}, codesOf(found))
			require.Contains(t, found[0].What, "i-03: EC2 says stopped (User initiated (2026-11-22 11:00:00 GMT))")
		})
	}
}

// Who is missing is named in an Auto Scaling group, too.
func TestNoRoomNamesWhoIsMissing(t *testing.T) {
	state := four(member(2, func(m *patch.Member) { m.Targets[0].Health = patch.TargetUnhealthy }))
	found := patch.Refusals(patch.LevelInstance, viewOf(state, "i-01"))
	require.NotEmpty(t, found)
	require.Equal(t, patch.RefusedCapacity, found[0].Code)
	require.Contains(t, found[0].What, "not in service: i-03: unhealthy in a target group")
}

// Of a stopped machine it is told that EC2 has it stopped, and not that its agent is silent.
func TestAStoppedMachineIsToldAsStopped(t *testing.T) {
	state := four(untracked, member(0, func(m *patch.Member) {
		m.State, m.StatusOK, m.AgentOnline, m.Why = "stopped", false, false, "Server.ScheduledStop"
	}))
	view := viewOf(state, "i-01")
	view.Group = tagsGroup
	found := patch.Refusals(patch.LevelInstance, view)
	require.Equal(t, []patch.RefusalCode{patch.RefusedUnhealthyBefore}, codesOf(found))
	require.Equal(t, "EC2 says stopped (Server.ScheduledStop) before we began", found[0].What)
}

// One that was taken for gone, and is a member that is stopped, is named.
func TestWhoWasTakenForGoneAndIsStoppedIsNamed(t *testing.T) {
	state := four(untracked, member(2, func(m *patch.Member) { m.State, m.StoppedAt = "stopped", noon }))
	for outcome, gaps := range map[patch.Outcome]int{patch.Gone: 1, patch.NotStarted: 1, patch.Failed: 0} {
		end := patch.EndOf(tagsGroup, "", state, []patch.InstanceResult{
			{ID: "i-01", Outcome: patch.Patched},
			{ID: "i-02", Outcome: patch.Patched},
			{ID: "i-03", Outcome: outcome},
			{ID: "i-04", Outcome: patch.Patched},
		})
		require.Len(t, end.Gaps, gaps, "%s: %+v", outcome, end)
	}
}

// A stranger's node that carries the tags of a group keeps nobody from being put back; going forward it is named.
func TestAStrangersNodeKeepsNobodyFromBeingPutBack(t *testing.T) {
	state := four(untracked, member(2, func(m *patch.Member) { m.Operator = "Karpenter" }))
	for level, refused := range map[patch.Level]bool{patch.LevelWave: true, patch.LevelPutBack: false} {
		view := patch.View{Group: tagsGroup, State: &state, Policy: patch.Policy{MaxUnavailable: patch.Instances(1)}}
		codes := codesOf(patch.Refusals(level, view))
		require.Equal(t, refused, slices.Contains(codes, patch.RefusedOperated), "%v: %v", level, codes)
	}
}

// What would refuse a machine that runs refuses no wave for the sake of one that rests.
func TestWhoRestsIsNotAskedWithTheOthers(t *testing.T) {
	for name, change := range map[string]func(*patch.Member){
		"no root volume on EBS": func(m *patch.Member) { m.RootVolumeID = "" },
		"operated by a service": func(m *patch.Member) { m.Operator = "Karpenter" },
		"from the Marketplace":  func(m *patch.Member) { m.ProductCodes = true },
	} {
		t.Run(name, func(t *testing.T) {
			for state, refused := range map[string]bool{"running": true, "stopped": false} {
				group := four(untracked, member(2, func(m *patch.Member) { m.State = state; change(m) }))
				view := patch.View{
					Group: tagsGroup, State: &group, Policy: patch.Policy{
						MaxUnavailable: patch.Instances(1), Restore: patch.RestoreRootVolume,
					},
				}
				require.Equal(t, refused, len(patch.Refusals(patch.LevelWave, view)) > 0, "%s: %v", state,
					patch.Refusals(patch.LevelWave, view))
			}
		})
	}
}
