package manifest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/patch"
)

func proven(id string, after patch.MachineFacts, changes ...patch.PackageChange) patch.InstanceDetails {
	return patch.InstanceDetails{
		Instance: id, Outcome: patch.Patched, Group: "staging/r/web", Before: &patch.MachineFacts{PackagesSHA256: "before"}, After: &after, Changes: append([]patch.PackageChange{}, changes...),
	}
}

var (
	al2023 = patch.MachineFacts{OS: "amzn", Release: "2023.6.20241010", BootID: "b"}
	jammy  = patch.MachineFacts{OS: "ubuntu", Release: "22.04", BootID: "b"}
)

func TestAManifestHoldsWhatEachSystemProved(t *testing.T) {
	later := al2023
	later.Release = "2023.10.20250101"
	made := manifest.New("web", "wave-1", []patch.InstanceDetails{
		proven("i-2", al2023,
			patch.PackageChange{Name: "curl.x86_64", From: "0:8.5.0-1", To: "0:8.5.0-2"},
			patch.PackageChange{Name: "kernel.x86_64", From: "0:6.1.1-1 0:6.1.2-1", To: "0:6.1.2-1 0:6.1.10-1"},
			patch.PackageChange{Name: "old.noarch", From: "0:1-1"},
			patch.PackageChange{Name: "new.noarch", To: "0:1-1"}),
		proven("i-1", later, patch.PackageChange{Name: "curl.x86_64", From: "0:8.5.0-1", To: "0:8.5.0-10"}),
		proven("i-3", jammy, patch.PackageChange{Name: "curl.amd64", From: "0:7.81.0-1ubuntu1.1", To: "0:7.81.0-1ubuntu1.2"}),
		{Instance: "i-4", Outcome: patch.Patched, After: &al2023},
		{Instance: "i-5", Outcome: patch.Gone, Before: &jammy, After: &al2023, Changes: []patch.PackageChange{
			{Name: "deadly.noarch", To: "0:1-1"},
		}},
	}, nil)
	require.Equal(t, []manifest.System{
		{
			Name: "amzn 2023", Release: "2023.10.20250101", Removed: []string{"old.noarch"},
			Packages: []manifest.Package{
				{Name: "curl.x86_64", Version: "0:8.5.0-10", From: []string{"0:8.5.0-1"}},
				{Name: "kernel.x86_64", Version: "0:6.1.10-1", From: []string{"0:6.1.1-1", "0:6.1.2-1"}},
				{Name: "new.noarch", Version: "0:1-1", From: []string{""}},
			},
		},
		{Name: "ubuntu 22.04", Release: "22.04", Packages: []manifest.Package{
			{Name: "curl.amd64", Version: "0:7.81.0-1ubuntu1.2", From: []string{"0:7.81.0-1ubuntu1.1"}},
		}},
	}, made.Systems)
	require.Equal(t, []string{"i-4: it has not told which packages it holds", "i-5: gone"}, made.NotProofs)
	require.Equal(t, "i-1", made.Proofs[0].Instance)
	require.Len(t, made.Proofs, 3)
	require.Equal(t, "ubuntu 22.04", made.Of(jammy).Name)
	noble := jammy
	noble.Release = "24.04"
	require.Nil(t, made.Of(noble), "packages of another release do not fit")
}

// What an earlier wave proved binds as long as a machine of this wave's stages holds just that.
func TestWhatEarlierWavesProvedIsCarried(t *testing.T) {
	const kb1, kb2 = "KB5000001", "KB5000002"
	windows := patch.MachineFacts{OS: "windows", Release: "Windows Server 2022", BootID: "b"}
	ref := patch.ManifestRef{WaveID: "wave-2", SHA256: "abc"}
	earlier := manifest.Manifest{Plan: "web", WaveID: "wave-2", Systems: []manifest.System{
		{
			Name: "amzn 2023", Release: "2023.5", Removed: []string{"gone.noarch", "back.noarch"},
			Packages: []manifest.Package{
				{Name: "bind.x86_64", Version: "32:9.18-1", From: []string{"32:9.16-1"}},
				{Name: "curl.x86_64", Version: "0:8.5.0-2", From: []string{"0:8.5.0-1"}, WaveID: "wave-1"},
				{Name: "openssl.x86_64", Version: "0:3.0-2", From: []string{"0:3.0-1"}},
				{Name: "zlib.x86_64", Version: "0:1.2-9", From: []string{"0:1.2-1"}},
			},
		},
		{Name: "Windows Server 2022", Packages: []manifest.Package{{Name: kb1, Version: "installed"}}},
	}}
	holds := func(system manifest.System, lines ...string) patch.CarriedProof {
		packages, removed := system.Holds(manifest.Read(lines))
		return patch.CarriedProof{
			Instance: "i-1", System: system.Name, Release: "2023.6", BootID: "b", Packages: packages, Removed: removed,
		}
	}
	linux, server := earlier.Systems[0], earlier.Systems[1]
	curl := patch.PackageChange{Name: "curl.x86_64", From: "0:8.5.0-2", To: "0:8.5.0-3"}
	for _, c := range []struct {
		name     string
		machines []patch.InstanceDetails
		held     []patch.CarriedProof
		packages []string
		removed  []string
		proofs   int
	}{
		{
			"nothing was installed in this wave", nil,
			[]patch.CarriedProof{holds(linux, "bind.x86_64 32:9.18-1", "curl.x86_64 0:8.5.0-2", "zlib.x86_64 0:1.2-10", "back.noarch 0:1-1")},
			[]string{"bind.x86_64 32:9.18-1 wave-2", "curl.x86_64 0:8.5.0-2 wave-1"},
			[]string{"gone.noarch"},
			1,
		},
		{
			"a newer version was",
			[]patch.InstanceDetails{proven("i-1", al2023, curl)},
			[]patch.CarriedProof{
				holds(linux, "curl.x86_64 0:8.5.0-3"),
				{Instance: "i-2", System: "amzn 2023", Packages: []int{0, 1, 99}}, // the second is not that far yet
			},
			[]string{"bind.x86_64 32:9.18-1 wave-2", "curl.x86_64 0:8.5.0-3 "},
			nil, 2,
		},
		{"nobody holds any of it", nil, []patch.CarriedProof{holds(linux, "curl.x86_64 0:8.5.0-1")}, nil, nil, 0},
		{"of another system", nil, []patch.CarriedProof{{Instance: "i-1", System: "rhel 9", Packages: []int{0}}}, nil, nil, 0},
		{"of Windows", nil, []patch.CarriedProof{holds(server, kb1+" installed")}, []string{kb1 + " installed wave-2"}, nil, 1},
		{
			"of Windows, and another update came",
			[]patch.InstanceDetails{
				proven("i-1", windows, patch.PackageChange{Name: kb2, To: "installed"}),
			},
			[]patch.CarriedProof{holds(server, kb1+" installed")},
			[]string{kb2 + " installed "},
			nil, 1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			made := manifest.New("web", "wave-3", c.machines, &manifest.Earlier{Ref: ref, Manifest: earlier, Held: c.held})
			require.Equal(t, &ref, made.Carries)
			require.Len(t, made.Proofs, c.proofs)
			var packages, removed []string
			for _, system := range made.Systems {
				for _, one := range system.Packages {
					packages = append(packages, one.Name+" "+one.Version+" "+one.WaveID)
				}
				removed = append(removed, system.Removed...)
			}
			require.Equal(t, c.packages, packages)
			require.Equal(t, c.removed, removed)
		})
	}
}

// What nobody was found to hold in one wave, for nobody answered or for it was blocked then, is no part of that wave's
// manifest, and is asked for again by the next.
func TestWhatIsNotHeldWaitsForTheNextWave(t *testing.T) {
	const system = "amzn 2023"
	bind := manifest.Package{Name: "bind.x86_64", Version: "32:9.18-1", From: []string{"32:9.16-1"}}
	old := manifest.Package{Name: "curl.x86_64", Version: "0:8.5.0-2", From: []string{"0:8.5.0-1"}}
	first := manifest.Manifest{Plan: "web", WaveID: "wave-1", Systems: []manifest.System{
		{Name: system, Packages: []manifest.Package{bind, old}},
	}}
	curl := patch.PackageChange{Name: "curl.x86_64", From: "0:8.5.0-2", To: "0:8.5.0-3"}
	second := manifest.New("web", "wave-2", []patch.InstanceDetails{proven("i-1", al2023, curl)},
		&manifest.Earlier{Ref: patch.ManifestRef{WaveID: "wave-1"}, Manifest: first})
	bind.WaveID = "wave-1"
	require.Equal(t, []manifest.System{{Name: system, Packages: []manifest.Package{bind}}}, second.Waiting,
		"nobody answered, and of curl a newer version is proved")
	require.Len(t, second.Named(system).Packages, 1, "what waits binds nobody")
	asked := second.Carriable(system)
	packages, removed := asked.Holds(manifest.Read([]string{"bind.x86_64 32:9.18-1", "curl.x86_64 0:8.5.0-3"}))
	third := manifest.New("web", "wave-3", nil, &manifest.Earlier{
		Ref: patch.ManifestRef{WaveID: "wave-2"}, Manifest: second,
		Held: []patch.CarriedProof{{Instance: "i-1", System: system, BootID: "b", Packages: packages, Removed: removed}},
	})
	require.Empty(t, third.Waiting)
	require.Len(t, third.Systems, 1)
	require.Equal(t, []string{"wave-1", "wave-2"}, []string{
		third.Systems[0].Packages[0].WaveID, third.Systems[0].Packages[1].WaveID,
	})
	none := manifest.New("web", "wave-3", nil, &manifest.Earlier{Ref: patch.ManifestRef{WaveID: "wave-2"}, Manifest: second})
	require.Empty(t, none.Systems)
	require.Len(t, none.Waiting[0].Packages, 2)
}

func TestListsAreOfTheFormThatTheNodeMatches(t *testing.T) {
	for _, c := range []struct {
		name, system, id, version, want string
	}{
		{"rpm", "amzn 2023", "bind.x86_64", "32:9.18-1.amzn2023", "patches:\n- id: bind.x86_64\n  title: bind.x86_64:32:9.18-1.amzn2023\n"},
		{"dpkg without an epoch", "ubuntu 22.04", "apt.amd64", "0:2.4.13", "patches:\n- id: apt.amd64\n  title: 2.4.13\n"},
		{"dpkg with one", "debian 12", "ssh.all", "1:9.2p1-2", "patches:\n- id: ssh.all\n  title: 1:9.2p1-2\n"},
		{"Windows", "Windows Server 2022", "KB5031234", "installed", "patches:\n- id: KB5031234\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := manifest.System{
				Name: c.system, Packages: []manifest.Package{{Name: c.id, Version: c.version}},
			}.List()
			require.NoError(t, err)
			require.Equal(t, c.want, string(list))
		})
	}
	empty, err := manifest.System{Name: "amzn 2023"}.List()
	require.NoError(t, err)
	require.Equal(t, "patches: []\n", string(empty))
}

func TestAMachineIsJudgedByTheManifest(t *testing.T) {
	system := manifest.System{Name: "amzn 2023", Removed: []string{"old.noarch"}, Packages: []manifest.Package{
		{Name: "curl.x86_64", Version: "0:8-2"},
		{Name: "kernel.x86_64", Version: "0:6.1.10-1"},
		{Name: "new.noarch", Version: "0:1-1"},
	}}
	before := []string{"curl.x86_64 0:8-1", "kernel.x86_64 0:6.1.2-1", "old.noarch 0:1-1", "vim.x86_64 0:9-1"}
	for _, c := range []struct {
		name              string
		before, now       []string
		missing, unproven []string
	}{
		{
			name: "all of it, and what came with it", before: before,
			now: []string{
				"curl.x86_64 0:8-2", "kernel.x86_64 0:6.1.2-1", "kernel.x86_64 0:6.1.10-1", "new.noarch 0:1-1", "vim.x86_64 0:9-1",
			},
		},
		{
			name: "a newer one than was proved", before: before,
			now: []string{
				"curl.x86_64 0:8-3", "kernel.x86_64 0:6.1.2-1", "kernel.x86_64 0:6.1.10-1", "old.noarch 0:1-1", "vim.x86_64 0:9-1",
			},
			missing: []string{"curl.x86_64 0:8-2"}, unproven: []string{"curl.x86_64 0:8-3"},
		},
		{
			name: "nothing was installed", before: before, now: before,
			missing: []string{"curl.x86_64 0:8-2", "kernel.x86_64 0:6.1.10-1"},
		},
		{
			name: "another package came and one went", before: []string{"curl.x86_64 0:8-1", "vim.x86_64 0:9-1"},
			now: []string{"curl.x86_64 0:8-2", "zip.x86_64 0:3-1"}, unproven: []string{"vim.x86_64 was removed", "zip.x86_64 0:3-1"},
		},
		{
			name: "it was ahead, and has no kernel", before: []string{"curl.x86_64 0:8-10"}, now: []string{"curl.x86_64 0:8-10"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			verdict := system.Verify(manifest.Read(c.before), manifest.Read(c.now))
			require.Equal(t, c.missing, verdict.Missing)
			require.Equal(t, c.unproven, verdict.Unproven)
			require.Equal(t, len(c.missing)+len(c.unproven) == 0, verdict.Proven())
		})
	}
	due := system.Due(manifest.Read([]string{"curl.x86_64 0:8-10", "kernel.x86_64 0:6.1.2-1"}))
	require.Equal(t, []string{"curl.x86_64 0:8-10, proven is 0:8-2"}, due.Ahead)
	require.Equal(t, []manifest.Package{{Name: "kernel.x86_64", Version: "0:6.1.10-1"}}, due.Due)
}

// What a dry install says is judged as the install would be.
func TestAMachineIsForeseenByTheManifest(t *testing.T) {
	system := manifest.System{Name: "amzn 2023", Removed: []string{"old.noarch"}, Packages: []manifest.Package{
		{Name: "curl.x86_64", Version: "0:8-2"},
		{Name: "kernel.x86_64", Version: "0:6.1.10-1"},
		{Name: "new.noarch", Version: "0:1-1"},
	}}
	before := manifest.Read([]string{
		"curl.x86_64 0:8-1", "kernel.x86_64 0:6.1.1-1", "kernel.x86_64 0:6.1.2-1", "old.noarch 0:1-1", "vim.x86_64 0:9-1",
	})
	for _, c := range []struct {
		name         string
		beside, gone []string
		unproven     []string
	}{
		{name: "nothing comes with it"},
		{
			name: "what staging got comes, and what staging lost goes", beside: []string{"new.noarch 0:1-1"},
			gone: []string{"old.noarch 0:1-1", "kernel.x86_64 0:6.1.1-1"},
		},
		{
			name: "a newer one than staging got", beside: []string{"new.noarch 0:2-1"},
			unproven: []string{"new.noarch 0:2-1"},
		},
		{
			name: "one that staging has not got, and one that it kept", beside: []string{"zip.noarch 0:1-1"},
			gone: []string{"vim.x86_64 0:9-1"}, unproven: []string{"vim.x86_64 was removed", "zip.noarch 0:1-1"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			verdict := system.Foresee(before, c.beside, c.gone)
			require.Empty(t, verdict.Missing)
			require.Equal(t, c.unproven, verdict.Unproven)
			require.Len(t, before["kernel.x86_64"], 2, "the machine is as it was")
		})
	}
}
