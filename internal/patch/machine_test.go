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
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.report.Touched(patch.Linux)) })
	}
}

// The list of hotfixes does not tell that nothing was installed.
func TestTouchedOnWindows(t *testing.T) {
	same := patch.PatchReport{Before: facts("1", "a"), After: facts("1", "a")}
	require.False(t, same.Touched(patch.Windows), "the install never reached it")
	same.Installing = true
	require.True(t, same.Touched(patch.Windows))
	require.False(t, same.Touched(patch.Linux), "there the list has everything")
}

func TestVerify(t *testing.T) {
	missing := func(ids ...string) patch.Scan { return patch.Scan{Missing: ids} }
	waits := func(ids ...string) patch.Scan { return patch.Scan{PendingReboot: ids} }
	done := patch.PatchReport{Before: facts("1", "a"), After: facts("2", "b")}
	unchanged := patch.PatchReport{Before: facts("1", "a"), After: facts("1", "a")}
	unbooted := patch.PatchReport{Before: facts("1", "a"), After: facts("1", "b")}
	kernel := func(report patch.PatchReport) patch.PatchReport {
		before, after := *report.Before, *report.After
		before.Kernel, after.Kernel = "5", "6"
		report.Before, report.After = &before, &after
		return report
	}
	itself := patch.PatchReport{Before: facts("1", "a"), After: &patch.MachineFacts{
		BootID: "2", PackagesSHA256: "b", PendingReboot: true,
	}}
	bound := func(change ...func(*patch.PinVerdict)) patch.PatchReport {
		report := done
		report.Pinned = &patch.PinVerdict{}
		for _, change := range change {
			change(report.Pinned)
		}
		return report
	}
	for _, c := range []struct {
		name          string
		platform      patch.Platform // "": Linux
		reboot        patch.Reboot
		of            int // passes; 0: 1
		before, after patch.Scan
		report        patch.PatchReport
		reason        string // a part of it; "" when it did its work
		again         []string
		late          []string
		waits         []string
	}{
		{name: "all installed", before: missing("k", "o"), report: done},
		{name: "all that binds it, whatever else is missing", before: missing("k"), after: missing("n"), report: bound()},
		{
			name: "it got what staging has not proved", before: missing("k"), report: bound(func(v *patch.PinVerdict) {
				v.Unproven = []string{"n.x 0:3-1"}
			}), reason: "it got what staging has not proved: n.x 0:3-1",
		},
		{
			name: "its packages were not told whole", before: missing("k"), report: bound(func(v *patch.PinVerdict) {
				v.Unknown = "its list was cut off"
			}), reason: "whether it holds what staging proved cannot be told: its list was cut off",
		},
		{
			name: "it has not got what staging proved: another pass", of: 2, before: missing("k"),
			report: bound(func(v *patch.PinVerdict) { v.Missing = []string{"k.x 0:2-1"} }), again: []string{"k.x 0:2-1"},
		},
		{
			name: "on Windows only what is offered is due", platform: patch.Windows, before: missing("KB1"),
			after: missing("KB3"), report: bound(func(v *patch.PinVerdict) { v.Missing = []string{"KB2 installed", "KB3 installed"} }),
			again: []string{"KB3 installed"}, reason: "staging proved what it has not got: KB3 installed",
		},
		{
			name: "on Windows all is due where what is offered is not named", platform: patch.Windows, before: missing("KB1"),
			after:  patch.Scan{MissingCount: 1},
			report: bound(func(v *patch.PinVerdict) { v.Missing = []string{"KB2 installed"} }),
			again:  []string{"KB2 installed"}, reason: "staging proved what it has not got: KB2 installed",
		},
		{
			name: "it has not got what staging proved, and the passes are spent", before: missing("k"),
			report: bound(func(v *patch.PinVerdict) { v.Missing = []string{"k.x 0:2-1"} }), again: []string{"k.x 0:2-1"},
			reason: "staging proved what it has not got: k.x 0:2-1",
		},
		{
			name: "one remains: another pass", of: 2, before: missing("k", "o"), after: missing("o"), report: done,
			again: []string{"o"},
		},
		{
			name: "one remains after the last pass", before: missing("k", "o"), after: missing("o"), report: done,
			again: []string{"o"}, reason: "still missing after 1 pass: [o]",
		},
		{
			name: "a new one: another pass", of: 2, before: missing("k"), after: missing("n"), report: done,
			again: []string{"n"},
		},
		{
			name: "a new one after the last pass was published meanwhile", before: missing("k"), after: missing("n"),
			report: done, late: []string{"n"},
		},
		{
			name: "on Windows it was hidden: another pass", platform: patch.Windows, of: 2, before: missing("k"),
			after: missing("n"), report: done, again: []string{"n"},
		},
		{
			name: "on Windows it was hidden, and the passes are spent", platform: patch.Windows, before: missing("k"),
			after: missing("n"), report: done, again: []string{"n"}, reason: "still missing after 1 pass: [n]",
		},
		{
			name: "some remain that are not named", before: missing("k", "o"), after: patch.Scan{MissingCount: 2}, report: done,
			again: []string{"2 that are not named"}, reason: "still missing after 1 pass: [2 that are not named]",
		},
		{
			name: "one remains of those that were not named", before: patch.Scan{MissingCount: 1}, after: missing("k"),
			report: done, again: []string{"k"}, reason: "still missing after 1 pass: [k]",
		},
		{
			name: "nothing changed, and what was missing was not named", before: patch.Scan{MissingCount: 2}, report: unchanged,
			reason: "2 patches were missing but the install changed nothing",
		},
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
			name: "waits for a reboot", before: missing("k"), after: waits("k"), report: done,
			reason: "reboot that did not happen: k",
		},
		{
			name: "waits for a reboot, as wanted", reboot: patch.RebootNever, before: missing("k"), after: waits("k"),
			report: unbooted, waits: []string{"k"},
		},
		{
			name: "the machine says that it waits for another", before: missing("k"), report: itself,
			waits: []string{patch.TheMachine},
		},
		{
			name: "zero changes where changes were due", before: missing("k"),
			report: patch.PatchReport{Before: facts("1", "a"), After: facts("2", "a")}, reason: "changed nothing",
		},
		{
			name: "Windows: hotfixes do not tell, the scan does", platform: patch.Windows, before: missing("definitions"),
			report: unchanged,
		},
		{
			name: "Windows: the scan says that nothing was installed", platform: patch.Windows, before: missing("definitions"),
			after: missing("definitions"), report: unchanged, again: []string{"definitions"}, reason: "still missing",
		},
		{
			name: "Windows: packages do not tell, changes do", platform: patch.Windows, before: missing("KB1"),
			report: patch.PatchReport{
				Before: facts("1", ""), After: facts("2", ""), Changes: []patch.PackageChange{{Name: "KB1", To: "installed"}},
			},
		},
		{name: "only a reboot was due", before: waits("k"), report: patch.PatchReport{
			Before: facts("1", "a"), After: facts("2", "a"),
		}},
		{
			name: "only a reboot was due and did not come", before: waits("k"), report: unchanged,
			reason: "boot id is as before",
		},
		{
			name: "installed, and the reboot did not come", before: missing("k"), report: unbooted,
			reason: "a reboot was due and the boot id is as before",
		},
		{
			name: "another kernel without a boot", before: missing("k"), report: kernel(unbooted),
			reason: "another kernel runs (6, before 5)",
		},
		{
			name: "another kernel without a boot, never rebooted", reboot: patch.RebootNever, before: missing("k"),
			report: kernel(unbooted), reason: "another kernel runs (6, before 5)",
		},
		{name: "another kernel by a boot", before: missing("k"), report: kernel(done)},
		{
			name: "packages are installed by half", before: missing("k"), report: patch.PatchReport{
				Before: facts("1", "a"),
				After:  &patch.MachineFacts{BootID: "2", PackagesSHA256: "b", Broken: []string{"libc6.amd64 half-configured"}},
			}, reason: "installed by half: libc6.amd64 half-configured",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			pass := patch.Pass{
				Platform: patch.Linux, Reboot: patch.RebootAlways, Number: 1, Of: max(c.of, 1), Before: c.before,
				After: c.after, Report: c.report,
			}
			if c.platform != "" {
				pass.Platform = c.platform
			}
			if c.reboot != "" {
				pass.Reboot = c.reboot
			}
			verdict := patch.Verify(pass)
			if c.reason == "" {
				require.Empty(t, verdict.Reason)
			} else {
				require.Contains(t, verdict.Reason, c.reason)
			}
			require.Equal(t, c.again, verdict.Again)
			require.Equal(t, c.late, verdict.Late)
			require.Equal(t, c.waits, verdict.Waits)
			require.Equal(t, c.reason == "" && c.again == nil, verdict.Proven())
		})
	}
}

// A kernel that is installed and not booted is not plain patched, whatever the scan says.
func TestAKernelThatBootsAsTheOldOne(t *testing.T) {
	const old, installed = "6.1.134-150.224.amzn2023.x86_64", "0:6.1.141-155.222.amzn2023"
	both := []patch.PackageChange{
		{Name: "kernel.x86_64", From: "0:6.1.134-150.224.amzn2023", To: "0:6.1.134-150.224.amzn2023 " + installed},
	}
	for _, c := range []struct {
		name          string
		changes       []patch.PackageChange
		before, after string // kernels
		boot          string
		waits         bool
	}{
		{"it boots the old one", both, old, old, "2", true},
		{"it boots the new one", both, old, "6.1.141-155.222.amzn2023.x86_64", "2", false},
		{"it has not booted: the scan tells what waits", both, old, old, "1", false},
		{
			"it runs the new one already", both, "6.1.141-155.222.amzn2023.x86_64", "6.1.141-155.222.amzn2023.x86_64", "2",
			false,
		},
		{"no kernel was installed", []patch.PackageChange{
			{Name: "kernel-tools.x86_64", From: "0:6.1.134", To: installed}, {Name: "openssl.x86_64", From: "1:3", To: "1:4"},
		}, old, old, "2", false},
		{"Ubuntu boots the old one", []patch.PackageChange{
			{Name: "linux-image-5.15.0-130-generic.amd64", To: "0:5.15.0-130.140"},
			{Name: "linux-image-generic.amd64", From: "0:5.15.0.119", To: "0:5.15.0.130"},
		}, "5.15.0-119-generic", "5.15.0-119-generic", "2", true},
		{"Debian replaces it under its own name", []patch.PackageChange{
			{Name: "linux-image-6.1.0-31-amd64.amd64", From: "0:6.1.128-1", To: "0:6.1.129-1"},
		}, "6.1.0-31-amd64", "6.1.0-31-amd64", "2", false},
		{"nobody tells the kernel", both, "", "", "2", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			verdict := patch.Verify(patch.Pass{
				Platform: patch.Linux, Reboot: patch.RebootAlways, Number: 1, Of: 1, Report: patch.PatchReport{
					Before:  &patch.MachineFacts{BootID: "1", PackagesSHA256: "a", Kernel: c.before},
					After:   &patch.MachineFacts{BootID: c.boot, PackagesSHA256: "b", Kernel: c.after},
					Changes: c.changes,
				},
			})
			if c.boot == "1" {
				require.Contains(t, verdict.Reason, "boot id is as before")
				return
			}
			require.Empty(t, verdict.Reason)
			if !c.waits {
				require.Empty(t, verdict.Waits)
				return
			}
			require.Len(t, verdict.Waits, 1)
			require.Contains(t, verdict.Waits[0], "has booted "+c.before+" again")
			later := patch.Verify(patch.Pass{
				Platform: patch.Linux, Reboot: patch.RebootAlways, Number: 2, Of: 2,
				Report: patch.PatchReport{
					Before: &patch.MachineFacts{BootID: "2", PackagesSHA256: "b", Kernel: c.after},
					After:  &patch.MachineFacts{BootID: "3", PackagesSHA256: "c", Kernel: c.after},
				},
				Whole: patch.PatchReport{
					Before:  &patch.MachineFacts{BootID: "1", PackagesSHA256: "a", Kernel: c.before},
					After:   &patch.MachineFacts{BootID: "3", PackagesSHA256: "c", Kernel: c.after},
					Changes: c.changes,
				},
			})
			require.Equal(t, verdict.Waits, later.Waits, "another pass does not forget it")
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
	require.True(t, patch.Scan{PendingReboot: []string{"k"}}.Due(patch.RebootAlways, nil))
	require.False(t, patch.Scan{PendingReboot: []string{"k"}}.Due(patch.RebootNever, nil), "no wave of that plan would change it")
	for _, due := range []patch.Scan{{Missing: []string{"k"}}, {Failed: []string{"k"}}, {Error: "timed out"}} {
		require.True(t, due.Due(patch.RebootNever, nil))
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
