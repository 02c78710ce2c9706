package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestJudgeRollBack(t *testing.T) {
	taken := time.Date(2036, 11, 22, 2, 0, 0, 0, time.UTC)
	day := patch.Duration(24 * time.Hour)
	// An instance an hour after its wave, untouched since.
	fresh := func() patch.RollBackView {
		return patch.RollBackView{
			Was: patch.InstanceResult{
				ID: "i-1", Outcome: patch.Patched, BootID: "boot-2", PackagesAfter: "new",
				Backup: &patch.RestorePoint{
					SnapshotID: "snap-1", VolumeID: "vol-1", TakenAt: taken, Facts: patch.MachineFacts{
						BootID: "boot-1", PackagesSHA256: "old",
					},
				},
			},
			Member: patch.Member{
				ID: "i-1", State: "running", RootVolumeID: "vol-1",
			}, Facts: &patch.MachineFacts{BootID: "boot-2", PackagesSHA256: "new"},
			Snapshot: "completed", At: taken.Add(time.Hour),
		}
	}
	for _, c := range []struct {
		name    string
		change  func(*patch.RollBackView)
		verdict patch.PutBackVerdict
		reason  string
		losses  []string // a part of each
	}{
		{"untouched since", func(*patch.RollBackView) {}, patch.PutBackCan, "", nil},
		{
			"rebooted since: nothing is lost by that", func(v *patch.RollBackView) { v.Facts.BootID = "boot-3" },
			patch.PutBackCan, "", nil,
		},
		{"its snapshot still pends", func(v *patch.RollBackView) { v.Snapshot = "pending" }, patch.PutBackCan, "", nil},
		{"exactly a day old", func(v *patch.RollBackView) { v.At = taken.Add(24 * time.Hour) }, patch.PutBackCan, "", nil},
		{
			"older", func(v *patch.RollBackView) { v.At = taken.Add(24*time.Hour + time.Minute) }, patch.PutBackCan, "",
			[]string{"rollback_max_age (24h"},
		},
		{
			"packages changed", func(v *patch.RollBackView) { v.Facts.PackagesSHA256 = "newer" }, patch.PutBackCan, "",
			[]string{"packages installed"},
		},
		{"old and changed", func(v *patch.RollBackView) {
			v.At, v.Facts.PackagesSHA256 = taken.Add(72*time.Hour), "newer"
		}, patch.PutBackCan, "", []string{"rollback_max_age", "packages installed"}},
		{"deployed since", func(v *patch.RollBackView) {
			v.Was.ApplicationAfter, v.Facts.ApplicationSHA256 = "2.3", "2.4"
		}, patch.PutBackCan, "", []string{"deployed or changed since the wave below /opt"}},
		{"not deployed since", func(v *patch.RollBackView) {
			v.Was.ApplicationAfter, v.Facts.ApplicationSHA256 = "2.3", "2.3"
		}, patch.PutBackCan, "", nil},
		{
			"it no longer tells of its application", func(v *patch.RollBackView) { v.Was.ApplicationAfter = "2.3" },
			patch.PutBackCan, "",
			[]string{"deployed or changed"},
		},
		{
			"it never told of its application", func(v *patch.RollBackView) { v.Facts.ApplicationSHA256 = "2.4" },
			patch.PutBackCan, "", nil,
		},
		{
			"it does not answer", func(v *patch.RollBackView) { v.Facts = nil }, patch.PutBackCan, "",
			[]string{"does not answer"},
		},
		{
			"evidence of before the hash was kept", func(v *patch.RollBackView) { v.Was.PackagesAfter = "" }, patch.PutBackCan,
			"",
			[]string{"evidence does not tell"},
		},
		{
			"another root, other packages", func(v *patch.RollBackView) { v.Member.RootVolumeID = "vol-2" }, patch.PutBackCan,
			"",
			[]string{"root volume vol-2"},
		},
		{
			"another root, silent", func(v *patch.RollBackView) { v.Member.RootVolumeID, v.Facts = "vol-2", nil },
			patch.PutBackCan, "",
			[]string{"root volume vol-2"},
		},
		{"put back already", func(v *patch.RollBackView) {
			v.Member.RootVolumeID, v.Facts.PackagesSHA256 = "vol-2", "old"
		}, patch.PutBackAlready, "already", nil},
		{"put back already, and its snapshot expired", func(v *patch.RollBackView) {
			v.Member.RootVolumeID, v.Facts.PackagesSHA256, v.Snapshot = "vol-2", "old", ""
		}, patch.PutBackAlready, "already", nil},
		{
			"downgraded by hand on the same root: not ours to believe",
			func(v *patch.RollBackView) { v.Facts.PackagesSHA256 = "old" }, patch.PutBackCan, "",
			[]string{"packages installed"},
		},
		{"snapshot deleted", func(v *patch.RollBackView) { v.Snapshot = "" }, patch.PutBackCannot, "snap-1 is gone", nil},
		{
			"snapshot in error", func(v *patch.RollBackView) { v.Snapshot = "error" }, patch.PutBackCannot,
			"snap-1 ended in error", nil,
		},
		{"no backup", func(v *patch.RollBackView) { v.Was.Backup = nil }, patch.PutBackCannot, "no backup", nil},
		{
			"a point without a snapshot", func(v *patch.RollBackView) { v.Was.Backup.SnapshotID = "" }, patch.PutBackCannot,
			"no backup", nil,
		},
		{"terminated", func(v *patch.RollBackView) { v.Member.State = "terminated" }, patch.PutBackGone, "replaced", nil},
		{"no member any more", func(v *patch.RollBackView) { v.Member = patch.Member{} }, patch.PutBackGone, "replaced", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			view := fresh()
			c.change(&view)
			judged := patch.JudgeRollBack(view, day)
			require.Equal(t, c.verdict, judged.Verdict, "%+v", judged)
			require.Contains(t, judged.Reason, c.reason)
			require.Len(t, judged.Losses, len(c.losses), "%q", judged.Losses)
			for i, words := range c.losses {
				require.Contains(t, judged.Losses[i], words)
			}
		})
	}
}

func TestPutBackLoses(t *testing.T) {
	for _, c := range []struct {
		plan          patch.Plan
		fails, rolled string
	}{
		{
			patch.Plan{Platform: patch.Linux, Restore: patch.RestoreRootVolume},
			"an instance that fails gets its root volume back as it was, and loses what was written to it since",
			"each of them gets its root volume back as it was, and loses what was written to it since",
		},
		{
			patch.Plan{Platform: patch.Windows, Restore: patch.RestoreRootVolume},
			"an instance that fails gets its root volume back as it was, and loses what was written to it since; one that is " +
				"joined to a domain may lose its trust, when its machine password changed meanwhile",
			"each of them gets its root volume back as it was, and loses what was written to it since; one that is joined to a " +
				"domain may lose its trust, when its machine password changed meanwhile",
		},
		{
			patch.Plan{Platform: patch.Windows, Restore: patch.RestoreReplace},
			"an instance that fails is terminated and its group launches another: what only it held is lost",
			"", // what is patched and serves is not replaced
		},
		{patch.Plan{Platform: patch.Linux, Restore: patch.RestoreNone}, "", ""},
	} {
		require.Equal(t, c.fails, c.plan.PutBackLoses())
		require.Equal(t, c.rolled, c.plan.RollBackLoses())
	}
}

func TestDomainJoined(t *testing.T) {
	yes, no := true, false
	told := func(domain *bool) *patch.MachineFacts { return &patch.MachineFacts{DomainJoined: domain} }
	backup := func(domain *bool) patch.InstanceResult {
		return patch.InstanceResult{Backup: &patch.RestorePoint{Facts: patch.MachineFacts{DomainJoined: domain}}}
	}
	for _, c := range []struct {
		name string
		view patch.RollBackView
		want *bool
	}{
		{"it says so", patch.RollBackView{Facts: told(&yes)}, &yes},
		{"it left the domain since", patch.RollBackView{Was: backup(&yes), Facts: told(&no)}, &no},
		{"it does not answer, and said so before the wave", patch.RollBackView{Was: backup(&yes)}, &yes},
		{"its answer leaves it out", patch.RollBackView{Was: backup(&no), Facts: told(nil)}, &no},
		{"evidence that does not tell, and no answer", patch.RollBackView{Was: backup(nil)}, nil},
		{"no backup", patch.RollBackView{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.view.DomainJoined()) })
	}
}

func TestDomainCaveatNamesThem(t *testing.T) {
	require.Empty(t, patch.DomainCaveat(nil, nil))
	require.Equal(t, "joined to a domain: web/i-1, web/i-2; they may lose the trust of their domain, when their "+
		"machine password changed since the backup: be ready to reset it",
		patch.DomainCaveat([]string{"web/i-1", "web/i-2"}, nil))
	both := patch.DomainCaveat([]string{"web/i-1"}, []string{"web/i-3"})
	require.Contains(t, both, "joined to a domain: web/i-1; ")
	require.Contains(t, both, "not known whether joined to a domain: web/i-3; ")
}
