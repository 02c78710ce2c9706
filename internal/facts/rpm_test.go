package facts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/shelltest"
)

// redHat is a package database that rpm itself has made; rpm finds it by the macros of its home.
type redHat struct {
	*testing.T
	home string
}

func newRedHat(t *testing.T) redHat {
	t.Helper()
	shelltest.Need(t, "rpm", "rpm")
	shelltest.Need(t, "rpmbuild", "rpm")
	r := redHat{t, t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(r.home, ".rpmmacros"), []byte(
		"%_dbpath "+r.home+"/db\n%_topdir "+r.home+"/top\n%_build_id_links none\n",
	), 0o600))
	r.run("rpm", "--initdb")
	return r
}

func (r redHat) database() string { return filepath.Join(r.home, "db/rpmdb.sqlite") }

func (r redHat) run(tool string, arguments ...string) {
	r.Helper()
	command := exec.Command(tool, arguments...)
	command.Env = []string{"HOME=" + r.home, "PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	out, err := command.CombinedOutput()
	require.NoError(r, err, string(out))
}

// install builds packages of "name epoch version release" and puts them into the database.
func (r redHat) install(packages ...string) {
	r.Helper()
	for i, line := range packages {
		f := strings.Fields(line)
		epoch := ""
		if f[1] != "-" {
			epoch = "Epoch: " + f[1] + "\n"
		}
		about := fmt.Sprintf("%sVersion: %s\nRelease: %s\nSummary: made for a test\n", epoch, f[2], f[3])
		path := filepath.Join(r.home, fmt.Sprintf("%d.spec", i))
		spec := "Name: " + f[0] + "\n" + about + "License: none\nBuildArch: noarch\n%description\nnone\n%files\n"
		require.NoError(r, os.WriteFile(path, []byte(spec), 0o600))
		r.run("rpmbuild", "--quiet", "-bb", path)
	}
	built, err := filepath.Glob(filepath.Join(r.home, "top/RPMS/noarch/*.rpm"))
	require.NoError(r, err)
	r.run("rpm", append([]string{"--install", "--justdb", "--nodeps", "--ignoreos"}, built...)...)
}

// machine is one without dpkg, whose rpm reads this database.
func (r redHat) machine(t *testing.T) *machine {
	m := newMachine(t)
	m.env = []string{"HOME=" + r.home, "DPKG_ADMINDIR=/none"}
	return m
}

// TestFactsOfRPM: epochs, several kernels, keys and the release that repositories are locked to.
func TestFactsOfRPM(t *testing.T) {
	r := newRedHat(t)
	r.install("acl - 2.3.1 2.amzn2023", "dbus 1 1.12.28 1.amzn2023", "kernel - 6.1.128 136.amzn2023",
		"kernel - 6.1.129 138.amzn2023", "gpg-pubkey - d832c631 6515c85e", "system-release - 2023.6.20250211 0.amzn2023",
		"zero 0 1 1")
	for _, shell := range shelltest.Shells(t) {
		t.Run(shell.Name, func(t *testing.T) {
			facts, packages := r.machine(t).tell(shell)
			require.Equal(t, []string{
				"acl.noarch 0:2.3.1-2.amzn2023",
				"dbus.noarch 1:1.12.28-1.amzn2023",
				"kernel.noarch 0:6.1.128-136.amzn2023",
				"kernel.noarch 0:6.1.129-138.amzn2023",
				"system-release.noarch 0:2023.6.20250211-0.amzn2023",
				"zero.noarch 0:1-1",
			}, packages)
			require.Equal(t, "2023.6.20250211", facts.Release)
			require.Empty(t, facts.Releasever, "its repositories are those of its release")
			m, vars := r.machine(t), filepath.Join(t.TempDir(), "releasever")
			require.NoError(t, os.WriteFile(vars, []byte("latest\n"), 0o600))
			m.replace("/etc/dnf/vars/releasever", vars)
			facts, _ = m.tell(shell)
			require.Equal(t, "latest", facts.Releasever)
		})
	}
}

// TestFactsOfRPMInTrouble: a database that is damaged, held by another or not there ends in a reason, never in a list.
func TestFactsOfRPMInTrouble(t *testing.T) {
	r := newRedHat(t)
	r.install("acl - 1 1", "zlib - 1 1")
	whole, err := os.ReadFile(r.database())
	require.NoError(t, err)
	for _, c := range []struct {
		name, why string
		harm      func(*testing.T, *machine)
	}{
		{"cut in half", "error: .*rpmdb|error: .*malformed", func(t *testing.T, _ *machine) {
			require.NoError(t, os.Truncate(r.database(), int64(len(whole)/2)))
		}},
		{"empty", "lists no package", func(t *testing.T, _ *machine) {
			require.NoError(t, os.RemoveAll(filepath.Dir(r.database())))
			r.run("rpm", "--initdb")
		}},
		{"locked", "is the database locked", func(t *testing.T, m *machine) {
			m.replace("KILL 120", "KILL 1")
			file, err := os.OpenFile(r.database(), os.O_RDWR, 0)
			require.NoError(t, err)
			t.Cleanup(func() { _ = file.Close() })
			// What SQLite locks: the pending byte, the reserved one and the shared ones, at one gibibyte.
			all := syscall.Flock_t{Type: syscall.F_WRLCK, Start: 1 << 30, Len: 512}
			require.NoError(t, syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &all))
		}},
		{"a header that rpm passes over", "damaged header", func(t *testing.T, m *machine) {
			folder := t.TempDir()
			shelltest.Fake(t, folder, "rpm", `echo " i |acl.noarch 0:1-1"; echo "error: rpmdb: damaged header #2 retrieved -- skipping." >&2`)
			m.before(folder)
		}},
		{"killed while it tells", "could not be read whole", func(t *testing.T, m *machine) {
			folder := t.TempDir()
			shelltest.Fake(t, folder, "rpm", `echo " i |acl.noarch 0:1-1"; exit 3`)
			m.before(folder)
		}},
	} {
		for _, shell := range shelltest.Shells(t) {
			t.Run(c.name+"/"+shell.Name, func(t *testing.T) {
				require.NoError(t, os.RemoveAll(filepath.Dir(r.database())))
				require.NoError(t, os.MkdirAll(filepath.Dir(r.database()), 0o755))
				require.NoError(t, os.WriteFile(r.database(), whole, 0o600))
				m := r.machine(t)
				c.harm(t, m)
				ran := shell.Run(t, m.script, m.env...)
				require.Equal(t, 1, ran.Code, ran.Stdout)
				require.Empty(t, ran.Stdout)
				require.Regexp(t, `^patchtide: .*(`+c.why+`).*\n$`, ran.Stderr, "one line")
			})
		}
	}
}
