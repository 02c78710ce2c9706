package activities_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/patch"
)

// keptManifest is a store that has one.
type keptManifest struct{ manifest.Manifest }

func (keptManifest) PutManifest(context.Context, string, any) (string, error) {
	return "", errors.New("nothing is written here")
}

func (k keptManifest) GetManifest(context.Context, string, string) (json.RawMessage, error) {
	return json.Marshal(k.Manifest)
}

// Whether a machine can get what is due on it is known before anything is done, whatever becomes of the replies.
func TestAMachineIsAskedForADryInstall(t *testing.T) {
	const curl, oldCurl = "curl-minimal.x86_64", "0:8.11.1-4.amzn2023.0.1"
	proven := manifest.Package{Name: curl, Version: "0:8.11.1-4.amzn2023.0.3"}
	glibc := manifest.Package{Name: "glibc.x86_64", Version: "0:2.34-196.amzn2023.0.2"}
	for _, c := range []struct {
		name    string
		proven  []manifest.Package
		faults  []world.WorldFault
		lost    []string // operations whose first reply does not arrive
		upset   func(*world.Instance)
		due     int
		dry     *patch.DryInstall
		release string
		sent    int // commands
	}{
		{
			name: "all of it is there", proven: []manifest.Package{proven, glibc}, due: 2, dry: &patch.DryInstall{By: "dnf"}, sent: 3,
		},
		{
			name: "nothing is due", proven: []manifest.Package{{Name: curl, Version: oldCurl}}, sent: 1,
		},
		{
			name: "every first reply is lost", proven: []manifest.Package{proven}, due: 1, dry: &patch.DryInstall{By: "dnf"}, sent: 3,
			lost: []string{"SendCommand", "ListCommands", "ListCommandInvocations", "GetCommandInvocation"},
		},
		{
			name: "a repository is away at first", proven: []manifest.Package{proven}, due: 1, dry: &patch.DryInstall{By: "dnf"}, sent: 5,
			faults: []world.WorldFault{{Kind: world.FaultDryInstallFails, Times: 2}},
		},
		{
			name: "one is not served, and one is locked", due: 2, sent: 3,
			proven: []manifest.Package{{Name: curl, Version: "0:9-1"}, glibc},
			upset:  func(i *world.Instance) { i.Lock("glibc.x86_64") },
			dry: &patch.DryInstall{
				By: "dnf", Absent: []string{curl + " 0:9-1"},
				Held: []string{"glibc.x86_64 0:2.34-196.amzn2023.0.2: a version lock (glibc.x86_64 0:2.34-117.amzn2023.0.1)"},
			},
		},
		{
			name: "another one would come", proven: []manifest.Package{proven}, due: 1, sent: 3,
			upset: func(i *world.Instance) {
				w := i.Region.World
				for n, p := range w.Scenario.Patches {
					if p.ID == curl {
						w.Scenario.Patches[n].Requires = []string{"libnew.x86_64"}
						p.ID, p.Version = "libnew.x86_64", "0:1-1"
						w.Scenario.Patches = append(w.Scenario.Patches, p)
					}
				}
			},
			dry: &patch.DryInstall{By: "dnf", Unproven: []string{"libnew.x86_64 0:1-1"}},
		},
		{
			name: "its repositories are the latest's", proven: []manifest.Package{proven}, due: 1, sent: 3, release: "-",
			upset: func(i *world.Instance) { i.LockRelease("latest") }, dry: &patch.DryInstall{By: "dnf"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFleet(t, c.faults...)
			f.aws.Manifests = keptManifest{manifest.Manifest{Systems: []manifest.System{
				{Name: "amzn 2023", Release: "2023.7.20250331", Packages: c.proven},
			}}}
			id := f.Instances(staging.Account.ID)[0]
			readable(f)
			f.LoseFirst(c.lost...)
			if c.upset != nil {
				f.Inspect(func(w *world.World) { c.upset(w.Account(staging.Account.ID).Region(staging.Region).Instance(id)) })
			}
			check := must[*patch.PinCheck](f, f.aws.CheckPinned, pinnedInput(id))
			require.Equal(t, listOf, check.List)
			require.Equal(t, c.due, check.Due)
			require.Equal(t, c.dry, check.Dry)
			require.Equal(t, c.sent, f.Effects("SendCommand"))
			if c.release == "-" {
				require.Empty(t, check.Release+check.ProvenRelease)
				return
			}
			require.Equal(t, []string{"2023.6.20250211", "2023.7.20250331"}, []string{check.Release, check.ProvenRelease})
		})
	}
}

func pinnedInput(id string) activities.CheckPinnedInput {
	return activities.CheckPinnedInput{
		CollectMachineFactsInput: activities.CollectMachineFactsInput{
			Instance: activities.Instance{Group: staging, ID: id}, Platform: patch.Linux, Attempt: attempt(),
			Budget: patch.Duration(15 * time.Minute), Pace: pace,
		},
		Pinned: patch.Pinned{Systems: []patch.PinnedSystem{{Name: "amzn 2023", List: listOf}}},
	}
}

// A dry install that fails says nothing of the packages: why it failed is told, once the budget is spent.
func TestADryInstallThatFailsIsToldAsItIs(t *testing.T) {
	f := newFleet(t, world.WorldFault{Kind: world.FaultDryInstallFails, Times: -1})
	f.aws.Manifests = keptManifest{manifest.Manifest{Systems: []manifest.System{{
		Name: "amzn 2023", Packages: []manifest.Package{{Name: "curl-minimal.x86_64", Version: "0:9-1"}},
	}}}}
	readable(f)
	_, err := run[*patch.PinCheck](f, 5*time.Minute, f.aws.CheckPinned, pinnedInput(f.Instances(staging.Account.ID)[0]))
	requireType(t, err, activities.ErrNotReady)
	require.ErrorContains(t, err, "a dry install of what is due; the last command ended: Failed, exit code 1: patchtide: the dry "+
		"install by dnf came to no end (exit code 1): Error: Failed to download metadata for repo")
}

// What another machine has told, and nobody knows for a package, would be a command on this one.
func TestWhatIsNoPackageIsNotAskedFor(t *testing.T) {
	f := newFleet(t)
	readable(f)
	f.aws.Manifests = keptManifest{manifest.Manifest{Systems: []manifest.System{{
		Name: "amzn 2023", Packages: []manifest.Package{{Name: "curl-minimal.x86_64", Version: "0:9-1'; halt #"}},
	}}}}
	_, err := run[*patch.PinCheck](f, time.Minute, f.aws.CheckPinned, pinnedInput(f.Instances(staging.Account.ID)[0]))
	requireType(t, err, activities.ErrRejected)
	require.ErrorContains(t, err, "what staging proved cannot be asked for")
	require.Equal(t, 2, f.Effects("SendCommand"), "for its facts, and the list")
}

// Of Windows there is no dry install: what is due is told, and what it did not get shows after the install. It reads
// its list before it goes out as any other; a script that fails there is told, and keeps nobody from patching.
func TestWindowsReadsItsListAndIsAskedForNoDryInstall(t *testing.T) {
	for _, c := range []struct {
		name               string
		read               func(*world.Region, string, string) ([]byte, error)
		faults             []world.WorldFault
		unreadable, unread string
	}{
		{name: "it may"},
		{
			name:   "PowerShell runs in a constrained language mode",
			faults: []world.WorldFault{{Kind: world.FaultListScriptFails, Times: -1}},
			unread: "the script that reads it ended: Failed, exit code 1: Cannot invoke method. Method invocation is " +
				"supported only on core types in this language mode.",
		},
		{name: "it may not", read: func(*world.Region, string, string) ([]byte, error) {
			return nil, &api.Error{Status: 403, Code: "AccessDenied"}
		}, unreadable: "S3 answers 403 AccessDenied"},
		{name: "S3 cannot be asked", read: func(*world.Region, string, string) ([]byte, error) {
			return nil, errors.New("no route to host")
		}, unread: "no route to host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFleetOf(t, func(s *world.Scenario) {
				s.Faults.World = c.faults
				s.OperatingSystems = append(s.OperatingSystems, world.OperatingSystem{
					Name: "windows-server-2022", SSM: "WINDOWS", Platform: "Windows", Product: "WindowsServer2022",
					PlatformName: "Microsoft Windows Server 2022 Datacenter", PlatformVersion: "10.0.20348",
					Release: "Windows Server 2022", Kernel: "KB5040000", Packages: map[string]string{"KB5040000": "installed"},
				})
				for i := range s.Images {
					s.Images[i].OS = "windows-server-2022"
				}
			})
			readable(f)
			if c.read != nil {
				f.Inspect(func(w *world.World) { w.ReadObject = c.read })
			}
			f.aws.Manifests = keptManifest{manifest.Manifest{Systems: []manifest.System{{
				Name: "Windows Server 2022", Packages: []manifest.Package{{Name: "KB5041111", Version: "installed"}},
			}}}}
			in := pinnedInput(f.Instances(staging.Account.ID)[0])
			in.Platform, in.Pinned.Systems[0].Name = patch.Windows, "Windows Server 2022"
			check := must[*patch.PinCheck](f, f.aws.CheckPinned, in)
			require.Equal(t, &patch.PinCheck{
				System: "Windows Server 2022", List: listOf, Due: 1, Unreadable: c.unreadable, Unread: c.unread,
			}, check)
			require.Equal(t, 2, f.Effects("SendCommand"), "for its facts, and the list")
		})
	}
}

// A machine reads the list that will bind it before it goes out, by its own role: whoever may not is not taken out for
// nothing.
func TestAMachineReadsItsListBeforeItGoesOut(t *testing.T) {
	const other = "s3://lists/0000000000000000000000000000000000000000000000000000000000000000.yaml"
	for _, c := range []struct {
		name, list         string
		read               func(*world.Region, string, string) ([]byte, error)
		unreadable, unread string
	}{
		{name: "it may", list: listOf},
		{name: "it may not", list: listOf, read: func(*world.Region, string, string) ([]byte, error) {
			return nil, &api.Error{Status: 403, Code: "AccessDenied"}
		}, unreadable: "S3 answers 403 AccessDenied"},
		{name: "it is not there", list: listOf, read: func(*world.Region, string, string) ([]byte, error) {
			return nil, &api.Error{Status: 404, Code: "NoSuchKey"}
		}, unreadable: "S3 answers 404 NoSuchKey"},
		{name: "somebody wrote another", list: other, unreadable: "what it reads there is not what was written: its SHA-256 is "},
		{name: "S3 cannot be asked", list: listOf, read: func(*world.Region, string, string) ([]byte, error) {
			return nil, errors.New("no route to host")
		}, unread: "no route to host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFleet(t)
			readable(f)
			if c.read != nil {
				f.Inspect(func(w *world.World) { w.ReadObject = c.read })
			}
			f.aws.Manifests = keptManifest{manifest.Manifest{Systems: []manifest.System{{
				Name: "amzn 2023", Packages: []manifest.Package{{Name: "curl-minimal.x86_64", Version: "0:8.11.1-4.amzn2023.0.3"}},
			}}}}
			in := pinnedInput(f.Instances(staging.Account.ID)[0])
			in.Pinned.Systems[0].List = c.list
			check := must[*patch.PinCheck](f, f.aws.CheckPinned, in)
			require.Contains(t, check.Unreadable, c.unreadable)
			require.Equal(t, c.unreadable == "", check.Unreadable == "", check.Unreadable)
			require.Equal(t, c.unread, check.Unread)
			require.Equal(t, c.unreadable == "", check.Dry != nil, "who cannot read it is asked nothing more")
			refusal := check.RefuseList("i-1")
			require.Equal(t, c.unreadable != "", refusal != nil)
		})
	}
}

// listOf is a list of this content, by its hash.
const listOf = "s3://lists/b45c2e1121c29d8a065c475a19a9162fac3718993a89b264e35bfaa0dbd81005.yaml"

// readable has machines read a list of any name.
func readable(f *fleet) {
	f.Inspect(func(w *world.World) {
		w.ReadObject = func(*world.Region, string, string) ([]byte, error) { return []byte("patches: []\n"), nil }
	})
}
