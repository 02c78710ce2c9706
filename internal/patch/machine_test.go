package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestDiffPackages(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after []string
		want          []patch.PackageChange
	}{
		{name: "nothing, nothing"},
		{
			name: "the same in another order", before: []string{"a.x 0:1-1", "b.x 0:1-1"},
			after: []string{"b.x 0:1-1", "a.x 0:1-1"},
		},
		{
			name: "upgraded", before: []string{"a.x 0:1-1"}, after: []string{"a.x 0:2-1"},
			want: []patch.PackageChange{{Name: "a.x", From: "0:1-1", To: "0:2-1"}},
		},
		{
			name: "added and removed, sorted", before: []string{"z.x 0:1-1"}, after: []string{"a.x 0:1-1"},
			want: []patch.PackageChange{{Name: "a.x", To: "0:1-1"}, {Name: "z.x", From: "0:1-1"}},
		},
		{
			name: "a kernel beside the old one", before: []string{"kernel.x 0:6.1-1"},
			after: []string{"kernel.x 0:6.1-2", "kernel.x 0:6.1-1"},
			want:  []patch.PackageChange{{Name: "kernel.x", From: "0:6.1-1", To: "0:6.1-1 0:6.1-2"}},
		},
		{
			name: "only the architecture differs", before: []string{"a.i686 0:1-1"}, after: []string{"a.x86_64 0:1-1"},
			want: []patch.PackageChange{{Name: "a.i686", From: "0:1-1"}, {Name: "a.x86_64", To: "0:1-1"}},
		},
		{
			name: "lines that are none", before: []string{"", "  ", "loose"}, after: []string{" a.x 0:1-1 "},
			want: []patch.PackageChange{{Name: "a.x", To: "0:1-1"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, patch.DiffPackages(c.before, c.after)) })
	}
}

func facts(boot, packages string) *patch.MachineFacts {
	return &patch.MachineFacts{BootID: boot, PackagesSHA256: packages}
}

func TestTouched(t *testing.T) {
	for _, c := range []struct {
		name   string
		report patch.PatchReport
		want   bool
	}{
		{"nothing learnt", patch.PatchReport{}, true},
		{"never heard of again", patch.PatchReport{Before: facts("1", "a")}, true},
		{"as before", patch.PatchReport{Before: facts("1", "a"), After: facts("1", "a")}, false},
		{"rebooted", patch.PatchReport{Before: facts("1", "a"), After: facts("2", "a")}, true},
		{"packages changed", patch.PatchReport{Before: facts("1", "a"), After: facts("1", "b")}, true},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.report.Touched()) })
	}
}

func TestVerify(t *testing.T) {
	missing := func(ids ...string) patch.Scan { return patch.Scan{Missing: ids} }
	done := patch.PatchReport{Before: facts("1", "a"), After: facts("2", "b")}
	for _, c := range []struct {
		name          string
		reboot        patch.RebootOption
		before, after patch.Scan
		report        patch.PatchReport
		reason        string // a part of it; "" when it did its work
		remaining     []string
		fresh         []string
	}{
		{name: "all installed", before: missing("k", "o"), report: done},
		{
			name: "one remains: another pass", before: missing("k", "o"), after: missing("o"), report: done,
			remaining: []string{"o"},
		},
		{name: "a new one is no failure", before: missing("k"), after: missing("n"), report: done, fresh: []string{"n"}},
		{
			name: "the install failed", before: missing("k"),
			report: patch.PatchReport{Failure: "exit 195", Before: facts("1", "a"), After: facts("2", "b")}, reason: "exit 195",
		},
		{name: "nothing learnt", before: missing("k"), reason: "did not tell"},
		{
			name: "never heard of after", before: missing("k"), report: patch.PatchReport{Before: facts("1", "a")},
			reason: "did not tell",
		},
		{
			name: "the scan after failed", before: missing("k"), after: patch.Scan{Error: "timed out"}, report: done,
			reason: "timed out",
		},
		{
			name: "a patch failed", before: missing("k"), after: patch.Scan{Failed: []string{"k"}}, report: done,
			reason: "failed patches: k",
		},
		{
			name: "waits for a reboot", before: missing("k"), after: patch.Scan{PendingReboot: []string{"k"}}, report: done,
			reason: "reboot that did not happen: k",
		},
		{
			name: "waits for a reboot, as wanted", reboot: patch.RebootNever, before: missing("k"),
			after:  patch.Scan{PendingReboot: []string{"k"}},
			report: patch.PatchReport{Before: facts("1", "a"), After: facts("1", "b")},
		},
		{
			name: "zero changes where changes were due", before: missing("k"),
			report: patch.PatchReport{Before: facts("1", "a"), After: facts("2", "a")}, reason: "changed nothing",
		},
		{
			name: "Windows: packages do not tell, changes do", before: missing("KB1"),
			report: patch.PatchReport{
				Before: facts("1", ""), After: facts("2", ""), Changes: []patch.PackageChange{{Name: "KB1", To: "installed"}},
			},
		},
		{
			name: "only a reboot was due", before: patch.Scan{PendingReboot: []string{"k"}},
			report: patch.PatchReport{Before: facts("1", "a"), After: facts("2", "a")},
		},
		{
			name: "only a reboot was due and did not come", before: patch.Scan{PendingReboot: []string{"k"}},
			report: patch.PatchReport{Before: facts("1", "a"), After: facts("1", "a")}, reason: "boot id is as before",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			reboot := c.reboot
			if reboot == "" {
				reboot = patch.RebootIfNeeded
			}
			verdict := patch.Verify(reboot, c.before, c.after, c.report)
			if c.reason == "" {
				require.Empty(t, verdict.Reason)
			} else {
				require.Contains(t, verdict.Reason, c.reason)
			}
			require.Equal(t, c.remaining, verdict.Remaining)
			require.Equal(t, c.fresh, verdict.New)
			require.Equal(t, c.reason == "" && c.remaining == nil, verdict.Proven())
		})
	}
}

func TestCompliant(t *testing.T) {
	for name, c := range map[string]struct {
		scan patch.Scan
		want bool
	}{
		"nothing to do":  {patch.Scan{}, true},
		"missing":        {patch.Scan{Missing: []string{"k"}}, false},
		"failed":         {patch.Scan{Failed: []string{"k"}}, false},
		"pending reboot": {patch.Scan{PendingReboot: []string{"k"}}, false},
		"not scanned":    {patch.Scan{Error: "timed out"}, false},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, c.scan.Compliant()) })
	}
}

func TestProveRestored(t *testing.T) {
	point := patch.RestorePoint{
		SnapshotID: "snap-1", VolumeID: "vol-1", Facts: patch.MachineFacts{BootID: "boot-1", PackagesSHA256: "a"},
	}
	for _, c := range []struct {
		name, volume string
		now          patch.MachineFacts
		unknown      bool // the packages before were never learnt
		want         string
	}{
		{name: "another volume, another boot, the same packages", volume: "vol-2", now: *facts("boot-3", "a")},
		{name: "the same volume", volume: "vol-1", now: *facts("boot-3", "a"), want: "still vol-1"},
		{name: "the boot before the install", volume: "vol-2", now: *facts("boot-1", "a"), want: "boot id"},
		{name: "the boot after the install", volume: "vol-2", now: *facts("boot-2", "a"), want: "boot id"},
		{name: "no boot id", volume: "vol-2", now: *facts("", "a"), want: "boot id"},
		{name: "other packages", volume: "vol-2", now: *facts("boot-3", "b"), want: "package list"},
		{name: "packages before were never learnt", volume: "vol-2", now: *facts("boot-3", "b"), unknown: true},
		{name: "no root attached at all", volume: "", now: patch.MachineFacts{}, want: "boot id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := point
			if c.unknown {
				from.Facts.PackagesSHA256 = ""
			}
			why := patch.ProveRestored(from, "boot-2", c.volume, c.now)
			if c.want == "" {
				require.Empty(t, why)
				return
			}
			require.Contains(t, why, c.want)
		})
	}
}
