package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// How far a group has come, a person reads in two cells: "3 of 6 done" of what was put back would be the opposite, and
// "done" of what nobody has touched a lie.
func TestTheCountOfAGroup(t *testing.T) {
	mixed := patch.Tally{patch.Patched: 1, patch.PatchedRebootPending: 1, patch.RolledBack: 1}
	for _, c := range []struct {
		name         string
		group        patch.GroupCounts
		says, stands string
	}{
		{"it has not begun", patch.GroupCounts{Phase: patch.GroupIdle, Total: 6}, "0 of 6 patched", "idle"},
		{
			"it patches",
			patch.GroupCounts{Phase: patch.GroupPatching, Tally: mixed, Patched: 2, Total: 6},
			"2 of 6 patched, 1 rolled back", "patching",
		},
		{
			"it succeeded",
			patch.GroupCounts{
				Phase: patch.GroupDone, Outcome: patch.Succeeded, Total: 6,
				Tally: patch.Tally{patch.Patched: 4, patch.AlreadyCompliant: 2},
			},
			"4 of 6 patched, 2 already compliant", "succeeded",
		},
		{
			"it is put back",
			patch.GroupCounts{Phase: patch.GroupRollingBack, Tally: mixed, Patched: 2, Total: 6},
			"2 to be put back, 1 rolled back", "rolling back",
		},
		{
			"it waits for its turn to be put back",
			patch.GroupCounts{
				Phase: patch.GroupDone, Outcome: patch.Aborted, ToPutBack: true, Tally: patch.Tally{patch.Patched: 1}, Patched: 1,
				Total: 4,
			},
			"1 to be put back", "waits",
		},
		{
			"it has nothing to put back",
			patch.GroupCounts{Phase: patch.GroupDone, Outcome: patch.Aborted, ToPutBack: true, Total: 4},
			"0 of 4 patched", "aborted",
		},
		{
			"it was put back",
			patch.GroupCounts{
				Phase: patch.GroupDone, Outcome: patch.RolledBack, Tally: patch.Tally{patch.RolledBack: 3}, Total: 6,
			},
			"0 of 6 patched, 3 rolled back", "rolled back",
		},
		{"it was never told to go", patch.GroupCounts{Phase: patch.GroupDone, Total: 6}, "0 of 6 patched", "not started"},
		{
			"its end left one in doubt",
			patch.GroupCounts{
				Phase: patch.GroupDone, Outcome: patch.Failed, Total: 2,
				Tally: patch.Tally{patch.Quarantined: 1, patch.Failed: 1},
			},
			"0 of 2 patched, 1 quarantined, 1 failed", "failed",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.says, c.group.Count().String())
			require.Equal(t, c.stands, c.group.Stands())
		})
	}
}

// Every way in which an instance may end is counted in words.
func TestACountLeavesNoEndOut(t *testing.T) {
	for _, outcome := range []patch.Outcome{
		patch.Patched, patch.AlreadyCompliant, patch.PatchedRebootPending, patch.RebootPending, patch.RolledBack,
		patch.Skipped, patch.Quarantined, patch.Gone, patch.Failed,
	} {
		said := patch.Count{Tally: patch.TallyOf([]patch.InstanceResult{{ID: "i-1", Outcome: outcome}}), Total: 1}.String()
		if outcome.LeftPatched() {
			require.Equal(t, "1 of 1 patched", said)
			continue
		}
		require.Equal(t, "0 of 1 patched, 1 "+outcome.Words(), said)
	}
	require.Equal(t, "0 of 1 patched", patch.Count{
		Tally: patch.TallyOf([]patch.InstanceResult{patch.Untouched("i-1")}),
		Total: 1,
	}.String())
}

// An instance that has ended says so before its group does: for that moment it is not what it was before.
func TestHowInstancesStand(t *testing.T) {
	group := patch.GroupStatus{
		Phase: patch.GroupRollingBack, Current: []string{"p1", "p2", "p3"},
		Instances: []patch.InstanceResult{
			{ID: "i-1", Outcome: patch.Patched},
			{ID: "i-2", Outcome: patch.Patched},
			{ID: "i-3", Outcome: patch.Patched},
			{ID: "i-4", Outcome: patch.RolledBack},
			{ID: "i-5", Outcome: patch.Patched},
		},
	}
	underWay := map[string]patch.InstanceStatus{
		"p1": {ID: "i-1", Step: patch.StepRestore, Undoing: true},
		"p2": {ID: "i-2", Step: patch.StepEnded, Result: patch.InstanceResult{ID: "i-2", Outcome: patch.RolledBack}},
	}
	stands := func(putsBack bool) (all []patch.Outcome) {
		for _, instance := range group.Stands(underWay, putsBack) {
			all = append(all, instance.Outcome)
		}
		return all
	}
	waits := patch.NotStarted
	require.Equal(t, []patch.Outcome{waits, patch.RolledBack, waits, patch.RolledBack, waits}, stands(false))
	group.Phase = patch.GroupIdle
	require.Equal(t, []patch.Outcome{waits, patch.RolledBack, waits, patch.RolledBack, waits}, stands(true))
	group.Phase, group.Current = patch.GroupDone, nil
	require.Equal(t, patch.Patched, stands(true)[4], "nobody puts it back any more")
}
