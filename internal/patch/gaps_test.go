package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestEndOf(t *testing.T) {
	tried := func(outcomes ...patch.Outcome) []patch.InstanceResult {
		var results []patch.InstanceResult
		for i, outcome := range outcomes {
			results = append(results, patch.InstanceResult{ID: well(i+1, "a").ID, Outcome: outcome})
		}
		return results
	}
	const done = patch.Patched
	for _, c := range []struct {
		name         string
		group        patch.Group
		state        patch.GroupState
		results      []patch.InstanceResult
		joined       []string
		coming, gaps []string // what each says
	}{
		{name: "as it was", state: four(), results: tried(done, done, done, done)},
		{name: "one joined", state: four(), results: tried(done, done, done), joined: []string{"i-04"}},
		{
			name: "one is still being launched", state: four(lifecycle(3, "Pending:Wait")), results: tried(done, done, done),
			coming: []string{"i-04 it joined meanwhile, and is still Pending:Wait, held by a lifecycle hook (aws autoscaling " +
				"describe-lifecycle-hooks --region ap-northeast-1 --auto-scaling-group-name web)"},
		},
		{
			name: "one joined whose agent is silent", results: tried(done, done, done),
			state:  four(member(3, func(m *patch.Member) { m.AgentOnline = false })),
			coming: []string{"i-04 it joined meanwhile, and its SSM agent is not online"},
		},
		{
			name: "nobody is launched yet in the place of one that is gone", results: tried(done, done, done, patch.Gone),
			state:  four(func(s *patch.GroupState) { s.Members = s.Members[:3] }),
			coming: []string{" desired is 4 and it has 3 members"},
		},
		{
			name: "one that was taken for gone is there", state: four(), results: tried(done, patch.Gone, done, done),
			gaps: []string{"i-02 it was taken for gone, and is a member that is running"},
		},
		{
			name: "one joined and is on standby", results: tried(done, done, done),
			state: four(lifecycle(3, patch.LifecycleStandby), sizes(2, 3, 6)),
			gaps:  []string{"i-04 it joined meanwhile, and somebody has it on standby"},
		},
		{
			name: "one that is leaving does not count", results: tried(done, done, done),
			state: four(lifecycle(3, "Terminating:Wait"), sizes(2, 3, 6)),
		},
		{
			name: "tags: one is stopped", group: tagsGroup, results: tried(done, done, done),
			state: four(untracked, member(3, func(m *patch.Member) { m.State = "stopped" })),
			gaps:  []string{"i-04 it is stopped, and was left so"},
		},
		{
			name: "skipped by a person is no gap", state: four(), results: tried(done, patch.Skipped, patch.RolledBack, done),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.group.Region == "" {
				c.group = webGroup
			}
			end := patch.EndOf(c.group, "", c.state, c.results)
			require.Equal(t, c.joined, end.Joined)
			for i, part := range [][]patch.Gap{end.Coming, end.Gaps} {
				want := [][]string{c.coming, c.gaps}[i]
				require.Len(t, part, len(want))
				for n, gap := range part {
					require.Equal(t, want[n], gap.Instance+" "+gap.Why)
				}
			}
		})
	}
}

func TestGapsAreNoSuccess(t *testing.T) {
	gaps := []patch.Gap{{Instance: "i-04", Why: "it is Pending"}}
	require.Equal(t, patch.Succeeded, patch.Succeeded.Judged(nil))
	require.Equal(t, patch.SucceededWithGaps, patch.Succeeded.Judged(gaps))
	require.Equal(t, patch.SucceededWithGaps, patch.SucceededWithSkips.Judged(gaps))
	require.Equal(t, patch.Failed, patch.Failed.Judged(gaps))
	require.Equal(t, patch.SucceededWithGaps,
		patch.CombinedOutcome([]patch.Outcome{patch.Succeeded, patch.SucceededWithSkips, patch.SucceededWithGaps}))
	require.True(t, patch.SucceededWithGaps.EndsWell())
	require.Equal(t, "a/b/web: not reached: i-04 it is Pending", patch.Missed("a/b/web", gaps))
	require.Equal(t, "a/b/web: not reached: x, x, x, and 2 more",
		patch.Missed("a/b/web", []patch.Gap{{Why: "x"}, {Why: "x"}, {Why: "x"}, {Why: "x"}, {Why: "x"}}))
}

// Instances of two roles behind one tag: the one without a target is taken for one that somebody deregistered, and the
// refusal says whom it means.
func TestTagsThatNameTwoRolesAreToldApart(t *testing.T) {
	state := four(func(s *patch.GroupState) { s.Members[3].Targets = nil })
	refusal := patch.First(patch.LevelInstance, patch.View{
		Group: tagsGroup, State: &state, Instance: "i-01", Policy: patch.Policy{MaxUnavailable: patch.Instances(1)},
	})
	require.NotNil(t, refusal)
	require.Contains(t, refusal.WhatToDo, "registered in fewer target groups than the others: i-04")
	state.Members[3].State = "stopped"
	refusal = patch.First(patch.LevelInstance, patch.View{
		Group: tagsGroup, State: &state, Instance: "i-01", Policy: patch.Policy{MaxUnavailable: patch.Instances(1)},
	})
	require.NotContains(t, refusal.WhatToDo, "registered in fewer", "that one is ill")
}
