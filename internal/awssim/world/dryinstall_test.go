package world

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	product "github.com/patchtide/patchtide/internal/facts"
)

const (
	oldCurl, newCurl = "0:8.11.1-4.amzn2023.0.1", "0:8.11.1-4.amzn2023.0.3"
	curlAndGlibc     = "patches:\n- {id: curl-minimal.x86_64, title: 'curl-minimal.x86_64:" + newCurl + "'}\n" +
		"- {id: glibc.x86_64, title: 'glibc.x86_64:0:2.34-196.amzn2023.0.2'}\n"
	dependency = "libnew.x86_64"
)

// requiring has curl bring a package that no machine has, in two versions.
func requiring(w *World) {
	for n, p := range w.Scenario.Patches {
		if p.ID == "curl-minimal.x86_64" {
			w.Scenario.Patches[n].Requires = []string{dependency}
			for _, version := range []string{"0:1-1", "0:2-1"} {
				p.ID, p.Version = dependency, version
				w.Scenario.Patches = append(w.Scenario.Patches, p)
			}
			return
		}
	}
}

// What a dry install says of a machine is what an install makes of it then.
func TestADryInstallTellsWhatAnInstallDoes(t *testing.T) {
	for _, c := range []struct {
		name    string
		ssm     string // the system's name; empty: Amazon Linux 2023
		list    string // beside what curlAndGlibc has
		set     func(*World, *Instance)
		by      string
		absent  []string
		held    []string
		left    []string
		beside  []string
		problem string
		curl    string // its version after an install
		brought string // version of the dependency after an install; "": it is not there
		failed  int    // patches that the install says have failed
	}{
		{name: "all of it is there", by: "dnf", curl: newCurl},
		{
			name: "one is locked", set: func(_ *World, i *Instance) { i.Lock("curl-minimal.x86_64") }, by: "dnf", curl: oldCurl,
			held: []string{"curl-minimal.x86_64 " + newCurl + ": a version lock (curl-minimal.x86_64 " + oldCurl + ")"}, failed: 1,
		},
		{
			name: "one was locked, and is not any more", by: "dnf", curl: newCurl,
			set: func(_ *World, i *Instance) { i.Lock("curl-minimal.x86_64"); i.Unlock("curl-minimal.x86_64") },
		},
		{
			name: "yum does not see what is locked", ssm: "AMAZON_LINUX_2", by: "yum", curl: oldCurl,
			set:  func(_ *World, i *Instance) { i.Lock("curl-minimal.x86_64") },
			held: []string{"curl-minimal.x86_64 " + newCurl + ": a version lock (curl-minimal.x86_64 " + oldCurl + ")"},
		},
		{
			name: "another one comes with it", set: func(w *World, _ *Instance) { requiring(w) }, by: "dnf",
			beside: []string{dependency + " 0:2-1"}, curl: newCurl, brought: "0:2-1",
		},
		{
			name: "dnf brings another version than the list names", set: func(w *World, _ *Instance) { requiring(w) },
			list: "- {id: libnew.x86_64, title: 'libnew.x86_64:0:1-1'}\n",
			by:   "dnf", beside: []string{dependency + " 0:2-1"}, curl: newCurl, brought: "0:2-1",
		},
		{
			name: "yum does not", ssm: "AMAZON_LINUX_2", set: func(w *World, _ *Instance) { requiring(w) },
			list: "- {id: libnew.x86_64, title: 'libnew.x86_64:0:1-1'}\n",
			by:   "yum", beside: []string{dependency + " 0:2-1"}, curl: oldCurl, failed: 1,
		},
		{
			name: "what it needs is served no more", by: "dnf", curl: oldCurl, failed: 1,
			set: func(w *World, i *Instance) {
				requiring(w)
				for n := range w.Scenario.Patches {
					if w.Scenario.Patches[n].ID == dependency {
						w.Scenario.Patches[n].Since = "2023.9.20270101"
					}
				}
				i.LockRelease("2023.6.20250211")
			},
			problem: "Problem: nothing provides libnew.x86_64 needed by curl-minimal.x86_64 " + newCurl,
		},
		{
			name: "its repositories are those of an older release", by: "dnf", curl: oldCurl,
			set: func(w *World, i *Instance) {
				for n := range w.Scenario.Patches {
					if w.Scenario.Patches[n].ID == "curl-minimal.x86_64" {
						w.Scenario.Patches[n].Since = "2023.10.20260101"
					}
				}
				i.LockRelease("2023.6.20250211")
			},
			absent: []string{"curl-minimal.x86_64 " + newCurl},
		},
		{
			name: "they are those of the latest", by: "dnf", curl: newCurl,
			set: func(w *World, i *Instance) { w.Scenario.Patches[3].Since = "2023.10.20260101"; i.LockRelease("latest") },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := LoadScenario("healthy")
			require.NoError(t, err)
			if c.ssm != "" {
				s.OperatingSystems[0].SSM = c.ssm
			}
			w, err := New(s, dawn)
			require.NoError(t, err)
			i := staging(w).Instances()[0]
			own, err := staging(w).CreateBaseline(Baseline{Name: "own", OS: i.Disk().os.SSM})
			require.NoError(t, err)
			require.NoError(t, staging(w).RegisterPatchGroup("amazon-linux-2023", own.ID))
			if c.set != nil {
				c.set(w, i)
			}
			_, lines, err := product.OffersScript([]string{"curl-minimal.x86_64 " + newCurl, "glibc.x86_64 0:2.34-196.amzn2023.0.2"})
			require.NoError(t, err)
			before := i.Disk().Clone()
			ran := i.Shell(strings.Join(lines, "\n"))
			require.Equal(t, before, i.Disk(), "it changes nothing")
			require.Zero(t, ran.code, ran.stderr)
			offers, err := product.ParseOffers(ran.stdout, 2)
			require.NoError(t, err)
			require.Equal(t, []any{c.by, c.absent, c.held, c.left, c.beside, c.problem},
				[]any{offers.By, offers.Absent, offers.Held, offers.Left, offers.Beside, offers.Unresolved})

			reading(w, curlAndGlibc+c.list)
			v := patchNow(t, i, map[string]string{"Operation": "Install", "InstallOverrideList": "s3://lists/one"})
			elapse(t, w, 5*time.Minute)
			require.Equal(t, "Success", v.Status, v.Stderr)
			require.Equal(t, c.curl, i.Disk().Version("curl-minimal.x86_64"))
			require.Equal(t, c.brought, i.Disk().Version(dependency))
			require.Equal(t, "0:2.34-196.amzn2023.0.2", i.Disk().Version("glibc.x86_64"), "the others are installed")
			require.Equal(t, c.failed, staging(w).PatchState(i.ID).Count("Failed"))
		})
	}
}

// What an image has locked, its machines have; and a dry install may fail.
func TestWhatAnImageLocks(t *testing.T) {
	s, err := LoadScenario("healthy")
	require.NoError(t, err)
	s.Images[0].Locks, s.Images[0].Releasever = []string{"glibc.x86_64"}, "2023.6.20250211"
	s.Faults.World = []WorldFault{{Kind: FaultDryInstallFails}}
	w, err := New(s, dawn)
	require.NoError(t, err)
	i := staging(w).Instances()[0]
	require.Equal(t, []string{"glibc.x86_64"}, i.Disk().locks)
	require.Equal(t, "2023.6.20250211", releaseverOf(t, i))
	_, lines, err := product.OffersScript([]string{"glibc.x86_64 0:2.34-196.amzn2023.0.2"})
	require.NoError(t, err)
	ran := i.Shell(strings.Join(lines, "\n"))
	require.Equal(t, 1, ran.code)
	require.Contains(t, ran.stderr, "the dry install by dnf came to no end (exit code 1): Error: Failed to download metadata")
	require.Zero(t, i.Shell(strings.Join(lines, "\n")).code, "it strikes once")
}

// releaseverOf is what the machine's facts tell of the release that its repositories are locked to.
func releaseverOf(t *testing.T, i *Instance) string {
	t.Helper()
	told, _, err := product.Parse(i.Shell("# patchtide:facts\n").stdout)
	require.NoError(t, err)
	return told.Releasever
}
