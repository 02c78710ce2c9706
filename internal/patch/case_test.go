package patch_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestBeforeAnApproval(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	many := make([]patch.NoticedInstance, 30)
	for i := range many {
		many[i] = patch.NoticedInstance{Group: "g", ID: fmt.Sprint("i-", i), Outcome: patch.Skipped}
	}
	for _, c := range []struct {
		name      string
		groups    []patch.GroupCounts
		want      patch.CaseBefore
		untouched int
	}{
		{"no group", nil, patch.CaseBefore{Stage: "staging"}, 0},
		{
			"patched in two groups, one had nothing to do",
			[]patch.GroupCounts{
				{Total: 2, Patched: 1, LastPatched: at}, {Total: 1, Patched: 1, LastPatched: at.Add(-time.Hour)},
			},
			patch.CaseBefore{Stage: "staging", Instances: 3, Patched: 2, Since: at},
			1,
		},
		{
			"one put back, one not reached",
			[]patch.GroupCounts{{Total: 2, Patched: 1, LastPatched: at, Unproven: many[:1], Gaps: make([]patch.Gap, 1)}},
			patch.CaseBefore{
				Stage: "staging", Instances: 2, Patched: 1, Since: at, Unproven: many[:1], UnprovenCount: 1, Gaps: 1,
			},
			0,
		},
		{
			"a group that was skipped as a whole is no instance",
			[]patch.GroupCounts{{Total: 1, Unproven: []patch.NoticedInstance{{Group: "g", Outcome: patch.Skipped}}}},
			patch.CaseBefore{
				Stage: "staging", Instances: 1, UnprovenCount: 1,
				Unproven: []patch.NoticedInstance{{Group: "g", Outcome: patch.Skipped}},
			},
			1,
		},
		{
			"more than are named",
			[]patch.GroupCounts{{Total: 31, Unproven: many}},
			patch.CaseBefore{Stage: "staging", Instances: 31, UnprovenCount: 30, Unproven: many[:20]},
			1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := patch.Before("staging", c.groups)
			require.Equal(t, c.want, before)
			require.Equal(t, c.untouched, before.Untouched())
		})
	}
}

func TestLastPatched(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	require.Zero(t, patch.LastPatched(nil))
	require.Equal(t, at, patch.LastPatched([]patch.InstanceResult{
		{Outcome: patch.Patched, Ended: at.Add(-time.Hour)},
		{Outcome: patch.PatchedRebootPending, Ended: at},
		{Outcome: patch.RolledBack, Ended: at.Add(time.Hour)},
	}))
}

// What two instances got is said once, with on how many; another version is another change.
func TestMerge(t *testing.T) {
	change := func(name, from, to string) patch.PackageChange {
		return patch.PackageChange{Name: name, From: from, To: to}
	}
	changed, installed := patch.Merge([]patch.InstanceDetails{
		{
			MissingBefore: []string{"openssl", "kernel", "held"}, MissingAfter: []string{"held"},
			Changes: []patch.PackageChange{change("openssl", "1", "2"), change("kernel", "5", "5 6")},
		},
		{MissingBefore: []string{"openssl"}, Changes: []patch.PackageChange{change("openssl", "1", "2")}},
		{MissingBefore: []string{"openssl"}, Changes: []patch.PackageChange{change("openssl", "0", "2")}},
	})
	require.Equal(t, patch.CaseChanged{Instances: 3, Packages: []patch.MergedChange{
		{PackageChange: change("kernel", "5", "5 6"), Instances: 1},
		{PackageChange: change("openssl", "0", "2"), Instances: 1},
		{PackageChange: change("openssl", "1", "2"), Instances: 2},
	}}, changed)
	require.Equal(t, []string{"kernel", "openssl"}, installed, "what is missing still was not installed")
	require.Equal(t, []string{"bash", "held"}, patch.Unseen([]string{"held", "kernel", "bash", "bash"}, installed))

	var many patch.InstanceDetails
	for i := range 100 {
		many.Changes = append(many.Changes, change(fmt.Sprintf("p%02d", i), "1", "2"))
	}
	changed, _ = patch.Merge([]patch.InstanceDetails{many})
	require.Len(t, changed.Packages, 40)
	require.Equal(t, 60, changed.More)
}

func TestACaseNamesSoManyPatchesAndAlarms(t *testing.T) {
	var due patch.CaseDue
	ids := make([]string, 100)
	for i := range ids {
		ids[i] = fmt.Sprintf("p%02d", i)
	}
	due.NameUnseen(ids)
	require.Equal(t, patch.CaseDue{Compared: true, UnseenCount: 100, Unseen: ids[:30]}, due)
	c := patch.Case{}
	for i := range 30 {
		c.Alarms = append(c.Alarms, patch.CaseAlarm{Place: fmt.Sprintf("a%02d", i), Name: "5xx", State: patch.AlarmWell})
	}
	c.Alarms[29].State = patch.AlarmRings
	c.FitAlarms()
	require.Equal(t, "a29", c.Alarms[0].Place, "what rings comes first")
	require.Len(t, c.Alarms, 20)
	require.Equal(t, 10, c.AlarmsMore)
}

func TestWhatARollBackOfAStageDoes(t *testing.T) {
	for _, c := range []struct {
		name string
		plan patch.Plan
		want string
	}{
		{
			"the root volume",
			patch.Plan{Backup: patch.BackupSnapshot, Restore: patch.RestoreRootVolume},
			"a roll back of stage p: each of them gets its root volume back as it was, and loses what was written to it since",
		},
		{
			"another instance",
			patch.Plan{Backup: patch.BackupSnapshot, Restore: patch.RestoreReplace},
			"a roll back of stage p puts nothing back: the plan puts no root volume back (restore: replace); what is patched " +
				"stays patched",
		},
		{
			"quarantine",
			patch.Plan{Backup: patch.BackupSnapshot, Restore: patch.RestoreNone},
			"a roll back of stage p puts nothing back: the plan puts no root volume back (restore: none); what is patched " +
				"stays patched",
		},
		{
			"no backup",
			patch.Plan{Backup: patch.BackupNone, Restore: patch.RestoreNone},
			"a roll back of stage p puts nothing back, for the plan keeps no backup: what is patched stays patched",
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.plan.RollBackOf("p")) })
	}
}
