package facts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/shelltest"
)

// debian is a package database that Debian's own tools have made.
type debian struct {
	*testing.T
	folder string
}

func newDebian(t *testing.T) debian {
	t.Helper()
	shelltest.Need(t, "dpkg", "dpkg")
	shelltest.Need(t, "dpkg-deb", "dpkg")
	d := debian{t, t.TempDir()}
	require.NoError(t, os.MkdirAll(filepath.Join(d.admin(), "info"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(d.admin(), "updates"), 0o755))
	require.NoError(t, os.WriteFile(d.status(), nil, 0o600))
	return d
}

func (d debian) admin() string  { return filepath.Join(d.folder, "root/var/lib/dpkg") }
func (d debian) status() string { return filepath.Join(d.admin(), "status") }

// build makes a package; more are its maintainer scripts and other control files, by name.
func (d debian) build(name, version string, more map[string]string) string {
	d.Helper()
	tree := filepath.Join(d.folder, name+"-"+strings.ReplaceAll(version, ":", "."))
	files := map[string]string{
		"DEBIAN/control": "Package: " + name + "\nVersion: " + version + "\nArchitecture: all\n" +
			"Maintainer: Nobody <nobody@example.com>\nDescription: made for a test\n",
		"usr/share/" + name + "/file": version,
	}
	for file, text := range more {
		files[file] = text
	}
	for file, text := range files {
		path := filepath.Join(tree, file)
		require.NoError(d, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(d, os.WriteFile(path, []byte(text), 0o755))
	}
	out, err := exec.Command("dpkg-deb", "-Znone", "--build", tree, tree+".deb").CombinedOutput()
	require.NoError(d, err, string(out))
	return tree + ".deb"
}

// dpkg runs dpkg in the scratch root, which needs no rights.
func (d debian) dpkg(input string, arguments ...string) error {
	command := exec.Command("dpkg", append([]string{
		"--root=" + filepath.Join(d.folder, "root"), "--force-not-root", "--force-script-chrootless", "--force-unsafe-io",
		"--log=/dev/null",
	}, arguments...)...)
	command.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "LC_ALL=C"}
	command.Stdin = strings.NewReader(input)
	out, err := command.CombinedOutput()
	d.Logf("dpkg %s: %v\n%s", strings.Join(arguments, " "), err, out)
	return err
}

// TestFactsOfDpkg: what dpkg itself has left, also where it was killed in the middle, is told whole and as it is.
func TestFactsOfDpkg(t *testing.T) {
	d := newDebian(t)
	fails, killed := "#!/bin/sh\nexit 1\n", "#!/bin/sh\nkill -9 $PPID\nsleep 1\n"
	conf := map[string]string{"DEBIAN/conffiles": "/etc/left.conf\n", "etc/left.conf": "x"}
	require.NoError(t, d.dpkg("", "--install",
		d.build("epoch", "1:2.3-4", nil), d.build("plain", "2.3-4ubuntu1.5~20.04", nil), d.build("held", "5.2", nil),
		d.build("linux-image-6.1.0-31", "6.1.128-1", nil), d.build("linux-image-6.1.0-32", "6.1.129-1", nil),
		d.build("left", "1.0", conf), d.build("gone", "1.0", nil), d.build("half", "1.0", nil),
		d.build("reads", "1.0", map[string]string{
			"DEBIAN/triggers": "interest /usr/share/acts\n", "DEBIAN/postinst": "#!/bin/sh\n[ \"$1\" != triggered ]\n",
		}),
	))
	require.NoError(t, d.dpkg("held hold\n", "--set-selections"))
	require.NoError(t, d.dpkg("", "--remove", "left", "gone"))
	require.NoError(t, d.dpkg("", "--no-triggers", "--install", d.build("acts", "1.0", nil)))
	require.NoError(t, d.dpkg("", "--unpack", d.build("unpacked", "3.0", nil)))
	require.Error(t, d.dpkg("", "--install", d.build("broken", "1.0", map[string]string{"DEBIAN/postinst": fails})))
	require.Error(t, d.dpkg("", "--install", d.build("half", "2.0", map[string]string{"DEBIAN/preinst": killed})))

	for _, shell := range shelltest.Shells(t) {
		t.Run(shell.Name, func(t *testing.T) {
			m := newMachine(t)
			m.env = []string{"DPKG_ADMINDIR=" + d.admin()}
			facts, packages := m.tell(shell)
			require.Equal(t, []string{
				"broken.all half-configured", "half.all half-installed", "unpacked.all unpacked",
			}, facts.Broken)
			require.Equal(t, []string{
				"acts.all 0:1.0",
				"broken.all 0:1.0 half-configured",
				"epoch.all 1:2.3-4",
				"half.all 0:1.0 half-installed",
				"held.all 0:5.2",
				"linux-image-6.1.0-31.all 0:6.1.128-1",
				"linux-image-6.1.0-32.all 0:6.1.129-1",
				"plain.all 0:2.3-4ubuntu1.5~20.04",
				"reads.all 0:1.0",
				"unpacked.all 0:3.0 unpacked",
			}, packages)
		})
	}
}

// TestFactsOfADamagedDpkg: a list that ends too early is none, and why is said.
func TestFactsOfADamagedDpkg(t *testing.T) {
	d := newDebian(t)
	require.NoError(t, d.dpkg("", "--install", d.build("acl", "1.0", nil), d.build("zlib", "1.0", nil)))
	text, err := os.ReadFile(d.status())
	require.NoError(t, err)
	for _, c := range []struct{ name, status, why string }{
		{"cut", string(text[:strings.LastIndex(string(text), "Status:")+10]), "error: parsing file .*/status"},
		{"garbage", string(text) + "\x00\x01 no field\n", "error: parsing file .*/status"},
		{"of nothing", "\n", "lists no package"},
	} {
		for _, shell := range shelltest.Shells(t) {
			t.Run(c.name+"/"+shell.Name, func(t *testing.T) {
				require.NoError(t, os.WriteFile(d.status(), []byte(c.status), 0o600))
				m := newMachine(t)
				m.env = []string{"DPKG_ADMINDIR=" + d.admin()}
				ran := shell.Run(t, m.script, m.env...)
				require.Equal(t, 1, ran.Code, ran.Stdout)
				require.Empty(t, ran.Stdout)
				require.Regexp(t, `^patchtide: .*`+c.why+`.*\n$`, ran.Stderr, "one line")
			})
		}
	}
}
