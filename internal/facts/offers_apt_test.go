package facts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/shelltest"
)

// aptMachine is a package database of Debian's own tools, whose apt has one repository.
type aptMachine struct {
	debian
	env []string
}

func newAptMachine(t *testing.T) aptMachine {
	t.Helper()
	for _, tool := range []string{"apt-get", "apt-cache", "apt-mark"} {
		shelltest.Need(t, tool, "apt")
	}
	d := newDebian(t)
	m := aptMachine{debian: d, env: []string{"DPKG_ADMINDIR=" + d.admin(), "APT_CONFIG=" + d.path("apt.conf"), "TMPDIR=" + d.path("tmp")}}
	for _, folder := range []string{"state/lists/partial", "cache/archives/partial", "etc", "repository", "tmp", "log"} {
		require.NoError(t, os.MkdirAll(d.path(folder), 0o755))
	}
	require.NoError(t, os.WriteFile(d.path("apt.conf"), []byte(strings.NewReplacer("DIR", d.folder, "STATUS", d.status()).Replace(
		`Dir "/"; Dir::State "DIR/state"; Dir::State::status "STATUS"; Dir::Cache "DIR/cache"; Dir::Etc "DIR/etc"; Dir::Log "DIR/log";
APT::Sandbox::User "root"; APT::Architecture "amd64"; Dir::Bin::dpkg "/usr/bin/dpkg";
DPkg::Options { "--root=DIR/root"; }; Debug::NoLocking "1"; Acquire::Languages "none";
`)), 0o600))
	require.NoError(t, os.WriteFile(d.path("etc/sources.list"), []byte("deb [trusted=yes] file:"+d.path("repository")+" ./\n"), 0o600))
	return m
}

func (d debian) path(name string) string { return filepath.Join(d.folder, name) }

// serve has the repository serve these packages and no others.
func (m aptMachine) serve(packages ...string) {
	m.Helper()
	var index strings.Builder
	for _, file := range packages {
		content, err := os.ReadFile(file)
		require.NoError(m, err)
		control, err := exec.Command("dpkg-deb", "--field", file).Output()
		require.NoError(m, err)
		sum := sha256.Sum256(content)
		require.NoError(m, os.WriteFile(m.path("repository/"+filepath.Base(file)), content, 0o644))
		fmt.Fprintf(&index, "%sFilename: ./%s\nSize: %d\nSHA256: %s\n\n", control, filepath.Base(file), len(content), hex.EncodeToString(sum[:]))
	}
	require.NoError(m, os.WriteFile(m.path("repository/Packages"), []byte(index.String()), 0o644))
}

func (m aptMachine) apt(tool string, arguments ...string) {
	m.Helper()
	command := exec.Command(tool, arguments...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "LC_ALL=C"}, m.env...)
	out, err := command.CombinedOutput()
	require.NoError(m, err, string(out))
}

// needing is the control file of a package that needs others.
func needing(name, version, of string) map[string]string {
	return map[string]string{"DEBIAN/control": "Package: " + name + "\nVersion: " + version + "\nArchitecture: all\n" +
		"Maintainer: Nobody <nobody@example.com>\nDepends: " + of + "\nDescription: made for a test\n"}
}

// TestOffersOfApt: apt's own words, of a database and a repository that its own tools have made.
func TestOffersOfApt(t *testing.T) {
	m := newAptMachine(t)
	require.NoError(t, m.dpkg("", "--install",
		m.build("curl", "1:8.1", nil), m.build("held", "1.0", nil), m.build("needy", "1.0", nil), m.build("zlib1g.2", "1.0-1", nil),
		m.build("rival", "1.0", nil)))
	rival := needing("takes", "2.0", "newdep")
	rival["DEBIAN/control"] = strings.Replace(rival["DEBIAN/control"], "Depends:", "Conflicts: rival\nDepends:", 1)
	require.NoError(t, m.dpkg("", "--install", m.build("takes", "1.0", nil)))
	m.apt("apt-mark", "hold", "held")
	m.serve(
		m.build("curl", "1:8.2", nil), m.build("curl", "1:9.0", needing("curl", "1:9.0", "newdep")), m.build("newdep", "1.0", nil),
		m.build("newdep", "2.0~rc1", nil), m.build("held", "2.0", nil), m.build("needy", "2.0", needing("needy", "2.0", "nowhere")),
		m.build("zlib1g.2", "2.0-1", nil), m.build("takes", "2.0", rival))
	for _, c := range []struct {
		name   string
		update bool // apt has been told of the repository
		wanted []string
		want   Offers
	}{
		{
			name: "apt knows of no repository yet", wanted: []string{"curl.all 1:8.2", "zlib1g.2.all 0:2.0-1"},
		},
		{
			name: "one is not served, one is held", update: true,
			wanted: []string{"curl.all 1:8.2", "curl.all 1:8.3", "held.all 0:2.0"},
			want:   Offers{Absent: []string{"curl.all 1:8.3"}, Held: []string{"held.all 0:2.0: a hold (apt-mark)"}},
		},
		{
			name: "another one comes with it", update: true, wanted: []string{"curl.all 1:9.0"},
			want: Offers{Beside: []string{"newdep.all 0:2.0~rc1"}},
		},
		{
			name: "another one is taken away", update: true, wanted: []string{"takes.all 0:2.0"},
			want: Offers{Beside: []string{"newdep.all 0:2.0~rc1"}, Gone: []string{"rival.all 0:1.0"}},
		},
		{
			name: "what it needs is not there", update: true, wanted: []string{"needy.all 0:2.0", "curl.all 1:8.2"},
			want: Offers{Unresolved: "needy : Depends: nowhere but it is not installable " +
				"E: Unable to correct problems, you have held broken packages."},
		},
		{
			name: "it is there by now", update: true, wanted: []string{"held.all 0:1.0", "zlib1g.2.all 0:1.0-1"},
			want: Offers{Absent: []string{"held.all 0:1.0", "zlib1g.2.all 0:1.0-1"}},
		},
	} {
		for _, shell := range shelltest.Shells(t) {
			t.Run(c.name+"/"+shell.Name, func(t *testing.T) {
				if c.update {
					m.apt("apt-get", "-q", "update")
				}
				before := m.everything()
				requireOffers(t, "apt", c.want, dry(t, shell, "/none", m.env, c.wanted...))
				require.Equal(t, before, m.everything(), "it changes nothing")
			})
		}
	}
	require.NoError(t, os.RemoveAll(m.path("repository")))
	for _, shell := range shelltest.Shells(t) {
		ran := shell.Run(t, dryMachine(t, "/none", "curl.all 1:9.1"), m.env...)
		require.Equal(t, 1, ran.Code, ran.Stdout)
		require.Regexp(t, `^patchtide: the dry install by apt-get came to no end .*\n$`, ran.Stderr)
	}
}

// everything is each file of the machine, by the hash of its content.
func (m aptMachine) everything() map[string]string {
	m.Helper()
	files := map[string]string{}
	require.NoError(m, filepath.WalkDir(m.folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[path] = fmt.Sprintf("%x", sha256.Sum256(content))
		return err
	}))
	return files
}
