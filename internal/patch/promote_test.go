package patch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhatAStageWaitsForAfterOneThatDidNotProveAll(t *testing.T) {
	open, gated := Stage{Name: "production"}, Stage{Name: "production", Approval: &Approval{Timeout: Duration(time.Hour)}}
	staging := Stage{Name: "staging", OnFailure: OnFailure{Timeout: Duration(30 * time.Minute), Then: Skip}}
	left := []NoticedInstance{{Group: "staging/r/web", ID: "i-1", Outcome: RolledBack, Reason: "install failed"}}
	for _, c := range []struct {
		name     string
		next     Stage
		promote  Promote
		unproven []NoticedInstance
		want     *Gate
	}{
		{"all proven, no gate", open, PromoteProven, nil, nil},
		{"put back", open, PromoteProven, left, &Gate{Duration(30 * time.Minute), left}},
		{"nothing said is proven", open, "", left, &Gate{Duration(30 * time.Minute), left}},
		{"put back, and the plan says so", open, PromoteWithSkips, left, nil},
		{"a gate tells what was put back", gated, PromoteProven, left, &Gate{Duration(time.Hour), left}},
		{"also where the plan would go on", gated, PromoteWithSkips, left, &Gate{Duration(time.Hour), left}},
		{"a gate is one without", gated, PromoteProven, nil, &Gate{Duration(time.Hour), nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := Plan{Promote: c.promote, Stages: []Stage{staging, c.next}}
			require.Equal(t, c.want, plan.Gate(1, c.unproven))
			require.Nil(t, plan.Gate(0, c.unproven), "the first stage has none before it")
		})
	}
}

func TestUnproven(t *testing.T) {
	require.Equal(t, []NoticedInstance{
		{Group: "g", ID: "i-2", Outcome: RolledBack, Reason: "ill"},
		{Group: "g", ID: "i-3", Outcome: Skipped},
		{Group: "g", ID: "i-4", Outcome: Quarantined},
	}, Unproven("g", []InstanceResult{
		{ID: "i-1", Outcome: Patched},
		{ID: "i-2", Outcome: RolledBack, Reason: "ill"},
		{ID: "i-3", Outcome: Skipped},
		{ID: "i-4", Outcome: Quarantined},
		{ID: "i-5", Outcome: AlreadyCompliant},
		{ID: "i-6", Outcome: Gone},
	}, ""))
	require.Equal(t, []NoticedInstance{{Group: "g", Outcome: Skipped, Reason: "skipped: it is deployed to"}},
		Unproven("g", nil, "skipped: it is deployed to"), "a group of which nothing was tried proves nothing")
	require.Equal(t, "stage staging did not prove the patches on g i-2 rolled back (ill)",
		NotProven("staging", []NoticedInstance{{Group: "g", ID: "i-2", Outcome: RolledBack, Reason: "ill"}}))
	require.Contains(t, NotProven("staging", make([]NoticedInstance, 12)), "and 2 more")
}

func TestPromotesUnproven(t *testing.T) {
	stages := []Stage{{Name: "staging"}, {Name: "production"}}
	require.Empty(t, Plan{Promote: PromoteProven, Stages: stages}.PromotesUnproven())
	require.Empty(t, Plan{Promote: PromoteWithSkips, Stages: stages[:1]}.PromotesUnproven())
	require.Contains(t, Plan{Promote: PromoteWithSkips, Stages: stages}.PromotesUnproven(), "lets stage production begin")
	stages[1].Approval = &Approval{}
	require.Empty(t, Plan{Promote: PromoteWithSkips, Stages: stages}.PromotesUnproven(), "a person is asked there")
}
