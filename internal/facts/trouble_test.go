package facts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/shelltest"
)

// tools are those that a smallest Debian has of what the script may ask.
var tools = strings.Fields("awk base64 cut dpkg-query find grep gzip head sed sha256sum sort timeout tr uname")

// small is a database of two packages.
func small(t *testing.T) debian {
	d := newDebian(t)
	require.NoError(t, d.dpkg("", "--install", d.build("acl", "1.0", nil), d.build("zlib", "1.0", nil)))
	return d
}

// TestFactsWithAFullDisk: not a byte can be written, and what is told is what is told with room; a reply that cannot be
// written is no success.
func TestFactsWithAFullDisk(t *testing.T) {
	shelltest.Need(t, "dpkg-query", "dpkg")
	for _, shell := range shelltest.Shells(t) {
		t.Run(shell.Name, func(t *testing.T) {
			m := newMachine(t)
			m.only(shelltest.Tools(t, tools...))
			facts, packages := m.tell(shell)
			full, cut := m.told(shell.RunWithFullDisk(t, m.script, "TMPDIR=/none"))
			require.Equal(t, packages, cut)
			require.Equal(t, facts, full)

			m.script = strings.TrimSuffix(m.script, "\n") + " >/dev/full"
			ran := shell.Run(t, m.script)
			require.NotZero(t, ran.Code)
			require.Empty(t, ran.Stdout)
		})
	}
}

// TestFactsOfOddMachines: whatever it has in its environment, a machine tells the same, or says plainly why it does
// not.
func TestFactsOfOddMachines(t *testing.T) {
	d := small(t)
	for _, c := range []struct {
		name string
		odd  func(*testing.T, *machine)
		why  string // "": it tells all
	}{
		{name: "an environment of nothing else", odd: func(*testing.T, *machine) {}},
		{name: "an odd PATH, and another language", odd: func(t *testing.T, m *machine) {
			folder := t.TempDir()
			for _, tool := range []string{"sort", "dpkg-query", "sed", "grep"} {
				shelltest.Fake(t, folder, tool, "echo 'wrong tool' >&2; exit 1")
			}
			m.env = append(m.env, "PATH=.:"+folder+"::relative", "LANG=de_DE.UTF-8", "LC_ALL=tr_TR.UTF-8", "LANGUAGE=de", "IFS=:")
		}},
		{name: "the smallest Debian", odd: func(t *testing.T, m *machine) { m.only(shelltest.Tools(t, tools...)) }},
		{name: "neither dpkg nor rpm", why: "neither dpkg nor rpm is here", odd: func(t *testing.T, m *machine) {
			m.only(shelltest.Tools(t, slices.DeleteFunc(slices.Clone(tools), func(s string) bool { return s == "dpkg-query" })...))
		}},
		{name: "no gzip", why: "this machine has no gzip", odd: func(t *testing.T, m *machine) {
			m.only(shelltest.Tools(t, slices.DeleteFunc(slices.Clone(tools), func(s string) bool { return s == "gzip" })...))
		}},
		{name: "a sort that finds no room", why: "could not be read whole", odd: func(t *testing.T, m *machine) {
			folder := t.TempDir()
			shelltest.Fake(t, folder, "sort", "head -n 1; echo 'sort: write failed: No space left on device' >&2; exit 2")
			m.before(folder)
		}},
		{name: "no boot id", why: "tells no boot id", odd: func(_ *testing.T, m *machine) {
			m.replace("</proc/sys/kernel/random/boot_id", "</none")
		}},
	} {
		for _, shell := range shelltest.Shells(t) {
			t.Run(c.name+"/"+shell.Name, func(t *testing.T) {
				m := newMachine(t)
				m.env = []string{"DPKG_ADMINDIR=" + d.admin()}
				c.odd(t, m)
				if c.why == "" {
					_, packages := m.tell(shell)
					require.Equal(t, []string{"acl.all 0:1.0", "zlib.all 0:1.0"}, packages)
					return
				}
				ran := shell.Run(t, m.script, m.env...)
				require.Equal(t, 1, ran.Code, ran.Stdout)
				require.Empty(t, ran.Stdout)
				require.Regexp(t, `(?m)^patchtide: .*`+c.why, ran.Stderr)
			})
		}
	}
}

// TestFactsOfBusybox: a machine whose tools are all busybox's tells its packages, and no hash of what is deployed, for
// its find tells neither size nor time.
func TestFactsOfBusybox(t *testing.T) {
	d := small(t)
	folder := shelltest.Tools(t, "dpkg-query")
	for _, tool := range tools {
		if tool != "dpkg-query" {
			require.NoError(t, os.Symlink(shelltest.Need(t, "busybox", "busybox"), filepath.Join(folder, tool)))
		}
	}
	for _, shell := range shelltest.Shells(t) {
		t.Run(shell.Name, func(t *testing.T) {
			m := newMachine(t)
			m.only(folder)
			m.replace("in /none;", "in "+d.folder+";")
			m.env = []string{"DPKG_ADMINDIR=" + d.admin()}
			facts, packages := m.tell(shell)
			require.Equal(t, []string{"acl.all 0:1.0", "zlib.all 0:1.0"}, packages)
			require.Empty(t, facts.ApplicationSHA256)
		})
	}
}

// TestFactsOfAPendingReboot: by the file that Debian's packages leave, and in the words of needs-restarting as yum, dnf
// and dnf5 have it.
func TestFactsOfAPendingReboot(t *testing.T) {
	d := small(t)
	for _, c := range []struct {
		name, tool, says string
		file, pending    bool
		by               string
		whom             []string
	}{
		{name: "the file", file: true, pending: true, by: "reboot-required", whom: []string{"libc6", "linux-image-6.8.0-51-generic"}},
		{name: "nothing says so"},
		{name: "yum, due", tool: "needs-restarting", says: `echo "Core libraries or services have been updated:"; echo "  kernel -> 6.1"; echo "Reboot is required to ensure that your system benefits from these updates."; exit 1`, pending: true, by: "needs-restarting", whom: []string{"kernel"}},
		{name: "yum, not due", tool: "needs-restarting", says: `echo "No core libraries or services have been updated."; echo "Reboot is probably not necessary."`, by: "needs-restarting"},
		{name: "dnf, due", tool: "dnf", says: `echo "Core libraries or services have been updated since boot-up:"; echo "  * kernel"; echo; echo "Reboot is required to fully utilize these updates."; exit 1`, pending: true, by: "dnf needs-restarting", whom: []string{"kernel"}},
		{name: "dnf, not due", tool: "dnf", says: `echo "No core libraries or services have been updated since boot-up."; echo "Reboot should not be necessary."`, by: "dnf needs-restarting"},
		{name: "dnf without the plugin", tool: "dnf", says: `echo "No such command: needs-restarting." >&2; exit 1`},
		{name: "zypper, due", tool: "zypper", says: `[ "$2" = needs-rebooting ] && exit 102`, pending: true, by: "zypper"},
		{name: "zypper, not due", tool: "zypper", says: `[ "$2" = needs-rebooting ]`, by: "zypper"},
		{name: "a zypper that does not know", tool: "zypper", says: `exit 1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := shelltest.Tools(t, tools...)
			if c.tool != "" {
				shelltest.Fake(t, folder, c.tool, c.says)
			}
			m := newMachine(t)
			m.only(folder)
			m.env = []string{"DPKG_ADMINDIR=" + d.admin()}
			file := filepath.Join(t.TempDir(), "reboot-required")
			m.replace("-e /run/reboot-required", "-e "+file)
			m.replace("-e /var/run/reboot-required", "-e "+file)
			m.replace("/run/reboot-required.pkgs", file+".pkgs")
			if c.file {
				require.NoError(t, os.WriteFile(file, nil, 0o600))
				names := "linux-image-6.8.0-51-generic\nlibc6\nlibc6\n"
				require.NoError(t, os.WriteFile(file+".pkgs", []byte(names), 0o600))
			}
			facts, _ := m.tell(shelltest.Shells(t)[0])
			require.Equal(t, c.pending, facts.PendingReboot)
			require.Equal(t, c.by, facts.RebootBy)
			require.ElementsMatch(t, c.whom, facts.RebootFor)
			require.Empty(t, facts.LivePatches)
		})
	}
}

// TestFactsOfALivePatchedKernel: what is in force counts, not what is loaded, or on its way (the kernel's own
// documentation of /sys/kernel/livepatch).
func TestFactsOfALivePatchedKernel(t *testing.T) {
	for _, shell := range shelltest.Shells(t) {
		t.Run(shell.Name, func(t *testing.T) {
			folder := t.TempDir()
			for name, says := range map[string][2]string{
				"kpatch_4_14_165": {"1", "0"}, "off": {"0", "0"}, "on_its_way": {"1", "1"}, "old": {"1", ""},
			} {
				require.NoError(t, os.Mkdir(filepath.Join(folder, name), 0o700))
				require.NoError(t, os.WriteFile(filepath.Join(folder, name, "enabled"), []byte(says[0]+"\n"), 0o600))
				if says[1] != "" {
					require.NoError(t, os.WriteFile(filepath.Join(folder, name, "transition"), []byte(says[1]+"\n"), 0o600))
				}
			}
			m := newMachine(t)
			m.replace("/sys/kernel/livepatch/", folder+"/")
			facts, _ := m.tell(shell)
			require.Equal(t, []string{"kpatch_4_14_165"}, facts.LivePatches)
		})
	}
}
