package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestJudgePutBack(t *testing.T) {
	const accept = "`patchtide wave roll-back wave-1 --accept-loss --reason \"...\"`"
	for _, c := range []struct {
		name    string
		earlier bool
		change  func(*patch.PutBackView)
		verdict patch.PutBackVerdict
		reason  []string
	}{
		{"of this window", false, func(*patch.PutBackView) {}, patch.PutBackCan, nil},
		{"of this window, which lasts for days: its age was known when it began", false, func(v *patch.PutBackView) {
			v.At = noon.Add(72 * time.Hour)
		}, patch.PutBackCan, nil},
		{
			"of this window, and nobody answers: that may be why", false, func(v *patch.PutBackView) { v.Facts = nil },
			patch.PutBackCan, nil,
		},
		{"of this window, past its retention: an open wave's is not deleted", false, func(v *patch.PutBackView) {
			v.Expires = noon.Add(time.Minute)
		}, patch.PutBackCan, nil},
		{"of this window, deleted", false, func(v *patch.PutBackView) { v.Snapshot = "" }, patch.PutBackCannot, []string{
			"snap-1 is gone", "mend it by hand",
		}},
		{
			"of this window, in error", false, func(v *patch.PutBackView) { v.Snapshot = "error" }, patch.PutBackCannot,
			[]string{
				"snap-1 ended in error", "nothing was touched",
			},
		},
		{"of this window, none kept", false, func(v *patch.PutBackView) { v.Was.Backup = nil }, patch.PutBackCannot, []string{
			"kept no backup", "stays patched",
		}},
		{"of an earlier one, untouched since", true, func(*patch.PutBackView) {}, patch.PutBackCan, nil},
		{
			"of an earlier one, its retention not known", true, func(v *patch.PutBackView) { v.Expires = time.Time{} },
			patch.PutBackCan, nil,
		},
		{"of an earlier one, deleted", true, func(v *patch.PutBackView) { v.Snapshot = "" }, patch.PutBackCannot, []string{
			"snap-1 is gone", "mend it by hand",
		}},
		{
			"of an earlier one, past its retention", true, func(v *patch.PutBackView) { v.Expires = noon.Add(time.Minute) },
			patch.PutBackCannot,
			[]string{
				"snap-1 is past its retention since", accept,
			},
		},
		{"of an earlier one, a day and a minute old", true, func(v *patch.PutBackView) {
			v.At = noon.Add(24*time.Hour + time.Minute)
		}, patch.PutBackCannot, []string{"rollback_max_age (24h", accept}},
		{"of an earlier one, deployed and packages changed since", true, func(v *patch.PutBackView) {
			v.Facts.PackagesSHA256, v.Facts.ApplicationSHA256 = "newer", "2.4"
		}, patch.PutBackCannot, []string{"packages installed", "what was deployed", accept}},
		{
			"of an earlier one, and nobody answers", true, func(v *patch.PutBackView) { v.Facts = nil }, patch.PutBackCannot,
			[]string{"does not answer", accept},
		},
		{"of an earlier one, put back by somebody since", true, func(v *patch.PutBackView) {
			v.Member.RootVolumeID, v.Facts.PackagesSHA256 = "vol-2", "old"
		}, patch.PutBackAlready, []string{"already"}},
		{
			"of an earlier one, terminated since", true, func(v *patch.PutBackView) { v.Member.State = "terminated" },
			patch.PutBackGone,
			[]string{"terminated"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			view := patch.PutBackView{
				Earlier: c.earlier, WaveID: "wave-1", Expires: noon.Add(7 * 24 * time.Hour),
				RollBackView: patch.RollBackView{
					Was: patch.InstanceResult{PackagesAfter: "new", ApplicationAfter: "2.3", Backup: &patch.RestorePoint{
						SnapshotID: "snap-1", VolumeID: "vol-1", TakenAt: noon, Facts: patch.MachineFacts{PackagesSHA256: "old"},
					}},
					Member: patch.Member{
						ID: "i-1", State: "running", RootVolumeID: "vol-1",
					}, Snapshot: "completed", At: noon.Add(time.Hour),
					Facts: &patch.MachineFacts{PackagesSHA256: "new", ApplicationSHA256: "2.3"},
				},
			}
			c.change(&view)
			judged := patch.JudgePutBack(view, patch.Duration(24*time.Hour))
			require.Equal(t, c.verdict, judged.Verdict, judged.Reason)
			require.Equal(t, len(c.reason) == 0, judged.Reason == "", judged.Reason)
			for _, words := range c.reason {
				require.Contains(t, judged.Reason, words)
			}
		})
	}
}
