package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// TestRebootDue: after an install a machine is rebooted by us where the plan wants it and nothing has yet.
func TestRebootDue(t *testing.T) {
	machine := func(boot, packages string, change ...func(*patch.MachineFacts)) *patch.MachineFacts {
		facts := patch.MachineFacts{BootID: boot, PackagesSHA256: packages, RebootBy: "needs-restarting"}
		for _, do := range change {
			do(&facts)
		}
		return &facts
	}
	needs := func(names ...string) func(*patch.MachineFacts) {
		return func(m *patch.MachineFacts) { m.PendingReboot, m.RebootFor = true, names }
	}
	live := func(m *patch.MachineFacts) { m.LivePatches = []string{"kpatch_1"} }
	mute := func(m *patch.MachineFacts) { m.RebootBy = "" }
	before := machine("1", "a")
	for _, c := range []struct {
		name   string
		reboot patch.Reboot
		after  *patch.MachineFacts
		why    string // a part; "": it is not rebooted
	}{
		{"always, and Systems Manager has", patch.RebootAlways, machine("2", "b"), ""},
		{"always, and Systems Manager has not", patch.RebootAlways, machine("1", "a"), "the plan always reboots"},
		{"never", patch.RebootNever, machine("1", "b", needs("glibc")), ""},
		{"it needs none", patch.RebootIfRequired, machine("1", "b"), ""},
		{"it needs one", patch.RebootIfRequired, machine("1", "b", needs("glibc")), "for glibc, by needs-restarting"},
		{"it needs one and does not say for what", patch.RebootIfRequired, machine("1", "b", needs()), "needs a reboot, by"},
		{"somebody has rebooted it", patch.RebootIfRequired, machine("2", "b"), ""},
		{"for its kernel", patch.RebootIfRequired, machine("1", "b", needs("kernel")), "for kernel"},
		{"for its kernel, which is live-patched", patch.RebootIfRequired, machine("1", "b", needs("kernel"), live), ""},
		{
			"for a kernel of Ubuntu's", patch.RebootIfRequired,
			machine("1", "b", needs("linux-image-6.8.0-51-generic", "linux-base"), live), "",
		},
		{"for more than its kernel", patch.RebootIfRequired, machine("1", "b", needs("kernel", "glibc"), live), "glibc"},
		{"live-patched, and it does not say for what", patch.RebootIfRequired, machine("1", "b", needs(), live), "by needs"},
		{"nothing there can tell", patch.RebootIfRequired, machine("1", "b", mute), "nothing on the machine tells"},
		{"nothing can tell, and nothing changed", patch.RebootIfRequired, machine("1", "a", mute), ""},
		{"nothing was learnt", patch.RebootIfRequired, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := patch.PatchReport{Before: before, After: c.after}
			why := patch.RebootDue(c.reboot, report, patch.PatchReport{})
			if c.why == "" {
				require.Empty(t, why)
				return
			}
			require.Contains(t, why, c.why)
			// What is due and does not come is a failure.
			verdict := patch.Verify(patch.Pass{
				Platform: patch.Linux, Reboot: c.reboot, Number: 1, Of: 1, Report: report,
			})
			if c.after.PackagesSHA256 != before.PackagesSHA256 {
				require.Contains(t, verdict.Reason, "boot id is as before")
			}
		})
	}
	failed := patch.PatchReport{Before: before, After: machine("1", "b", needs("glibc")), Failure: "exit 1"}
	require.Empty(t, patch.RebootDue(patch.RebootIfRequired, failed, failed), "what failed is put back")
	second := patch.PatchReport{Before: machine("2", "b"), After: machine("2", "b")}
	whole := patch.PatchReport{Before: before, After: machine("2", "b")}
	require.Empty(t, patch.RebootDue(patch.RebootAlways, second, whole), "once in all passes")
}

// TestWhatWaits: by the machine's own word, with the ids of the scan.
func TestWhatWaits(t *testing.T) {
	scan := patch.Scan{PendingReboot: []string{"bash.x86_64", "kernel.x86_64"}}
	for _, c := range []struct {
		name    string
		scan    patch.Scan
		machine *patch.MachineFacts
		waits   []string
		listed  string // a part
		due     bool   // with if_required
	}{
		{"it was not asked", scan, nil, scan.PendingReboot, "", true},
		{"it needs none", scan, &patch.MachineFacts{RebootBy: "x"}, nil, "bash.x86_64, kernel.x86_64", false},
		{"nothing there can tell", scan, &patch.MachineFacts{}, scan.PendingReboot, "", true},
		{
			"for one of them", scan, &patch.MachineFacts{PendingReboot: true, RebootFor: []string{"kernel"}},
			[]string{"kernel.x86_64"},
			"for them: bash.x86_64", true,
		},
		{
			"for none of them", scan, &patch.MachineFacts{PendingReboot: true, RebootFor: []string{"glibc"}},
			[]string{"glibc"},
			"bash.x86_64, kernel.x86_64", true,
		},
		{"it does not say for what", scan, &patch.MachineFacts{PendingReboot: true}, scan.PendingReboot, "", true},
		{
			"nothing is listed", patch.Scan{}, &patch.MachineFacts{PendingReboot: true}, []string{patch.TheMachine}, "", false,
		},
		{"live-patched", scan, &patch.MachineFacts{
			PendingReboot: true, RebootFor: []string{"kernel"}, LivePatches: []string{"kpatch_1"},
		}, nil, "bash.x86_64, kernel.x86_64", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.waits, c.scan.Waits(c.machine))
			if told := c.scan.ToldListed(c.machine); c.listed == "" {
				require.Empty(t, told)
			} else {
				require.Contains(t, told, c.listed)
			}
			require.Equal(t, c.due, c.scan.Due(patch.RebootIfRequired, c.machine))
			require.Equal(t, len(c.scan.PendingReboot) > 0, c.scan.Due(patch.RebootAlways, c.machine))
			require.False(t, c.scan.Due(patch.RebootNever, c.machine))
		})
	}
}

func TestAStageSaysWhetherItReboots(t *testing.T) {
	plan := patch.Plan{Reboot: patch.RebootAlways}
	require.Equal(t, patch.RebootAlways, patch.PolicyOf(plan, patch.Stage{}).Reboot)
	require.Equal(t, patch.RebootNever, patch.PolicyOf(plan, patch.Stage{Reboot: patch.RebootNever}).Reboot)
	for reboot, option := range map[patch.Reboot]string{
		patch.RebootAlways: "RebootIfNeeded", patch.RebootIfRequired: "NoReboot", patch.RebootNever: "NoReboot",
	} {
		require.Equal(t, option, reboot.Option(), reboot)
	}
}
