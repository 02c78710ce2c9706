package patch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatOfAStageLetsTheNextOneBegin(t *testing.T) {
	left := []NoticedInstance{{Group: "staging/r/web", ID: "i-1", Outcome: RolledBack, Reason: "install failed"}}
	for _, c := range []struct {
		name     string
		promote  Promote
		unproven []NoticedInstance
		ends     bool
	}{
		{"all proven", PromoteClean, nil, false},
		{"put back", PromoteClean, left, true},
		{"nothing said is clean", "", left, true},
		{"put back, and the plan says so", PromoteWithSkips, left, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := Plan{Stages: []Stage{{Name: "staging", Promote: c.promote}, {Name: "production"}}}
			why := plan.Promotes(0, c.unproven)
			require.Equal(t, c.ends, why != "", why)
			require.Empty(t, plan.Promotes(1, c.unproven), "no stage comes after the last")
			if c.ends {
				require.Contains(t, why, "stage production was not begun")
				require.Contains(t, why, "staging/r/web i-1 rolled back (install failed)")
				require.Contains(t, why, "promote: with_skips in stage staging")
			}
			require.Equal(t, c.promote != PromoteWithSkips, plan.SkipEnds(0) != "", "said before a skip")
			require.Empty(t, plan.SkipEnds(1))
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

func TestWhatMayNotBeMeantOfAPromotion(t *testing.T) {
	gate := &Approval{}
	for _, c := range []struct {
		name  string
		stage Stage
		next  *Approval
		want  string // "": nothing
	}{
		{"clean", Stage{Promote: PromoteClean}, nil, ""},
		{"with skips, by itself", Stage{Promote: PromoteWithSkips}, nil, "lets stage production begin by itself"},
		{"with skips, approved", Stage{Promote: PromoteWithSkips}, gate, ""},
		{"carries failures and leads nowhere", Stage{MaxFailures: Instances(1)}, gate, "production does not begin then"},
		{"skips and leads nowhere", Stage{OnFailure: OnFailure{Then: Skip}}, gate, "production does not begin then"},
		{"carries failures on", Stage{Promote: PromoteWithSkips, MaxFailures: Percent(5)}, gate, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.stage.Name = "staging"
			doubts := Plan{Stages: []Stage{c.stage, {Name: "production", Approval: c.next}}}.PromotionDoubts()
			if c.want == "" {
				require.Empty(t, doubts)
				return
			}
			require.Len(t, doubts, 1)
			require.Contains(t, doubts[0], c.want)
		})
	}
	require.Empty(t, Plan{}.PromotionDoubts())
	require.Empty(t, Plan{Stages: []Stage{{MaxFailures: Instances(1)}}}.PromotionDoubts(), "a stage alone leads nowhere")
}
