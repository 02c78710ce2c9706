package facts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/shelltest"
)

// dryMachine is this one with a folder of tools in front of the system's, and the script as it is sent there.
func dryMachine(t *testing.T, folder string, wanted ...string) string {
	t.Helper()
	document, lines, err := OffersScript(wanted)
	require.NoError(t, err)
	require.Equal(t, "AWS-RunShellScript", document)
	require.Equal(t, "# patchtide:offers", lines[0])
	return shelltest.Replace(t, strings.Join(lines, "\n"), systemPath+"$", folder+":"+systemPath+"$")
}

// dry runs it in a shell, of which it is to come to its end.
func dry(t *testing.T, shell shelltest.Shell, folder string, env []string, wanted ...string) *Offers {
	t.Helper()
	ran := shell.Run(t, dryMachine(t, folder, wanted...), env...)
	require.Zero(t, ran.Code, ran.Stderr)
	offers, err := ParseOffers(ran.Stdout, len(wanted))
	require.NoError(t, err, ran.Stdout)
	return offers
}

// dryTools are what the script is read with, and needs of the smallest machine.
var dryTools = strings.Fields("awk cut grep head sed sort tail timeout tr cat sh")

// fakeTool is one that answers by what it is asked: "pattern of its arguments" to what it prints, whose last line
// may be "exit N".
func fakeTool(t *testing.T, folder, tool string, answers ...string) {
	t.Helper()
	body := "echo \"$*\" >>" + filepath.Join(folder, tool+".asked") + "\ncase \"$*\" in\n"
	for i := 0; i < len(answers); i += 2 {
		code := "0"
		text := answers[i+1]
		if at := strings.LastIndex(text, "exit "); at >= 0 {
			text, code = text[:at], text[at+len("exit "):]
		}
		file := filepath.Join(t.TempDir(), "said")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		body += answers[i] + ") cat " + file + "; exit " + code + " ;;\n"
	}
	shelltest.Fake(t, folder, tool, body+"esac\necho \"nobody has asked for that: $*\" >&2; exit 99")
}

// What dnf 4.14, as Amazon Linux 2023 has it, has printed for a repository made by createrepo_c; rows of several runs
// stand in one.
const (
	dnfUnmatched = `Last metadata expiration check: 0:00:18 ago on Mon Nov 30 11:19:47 2026.
All matches were filtered out by exclude filtering for argument: locked-0:2-1.noarch
All matches were filtered out by exclude filtering for argument: excluded-0:2-1.noarch
No match for argument: curl-minimal-0:8.11.1-9.noarch
Error: Unable to find a match: locked-0:2-1.noarch excluded-0:2-1.noarch curl-minimal-0:8.11.1-9.noarch
exit 1`
	dnfResolved = `Last metadata expiration check: 0:00:18 ago on Mon Nov 30 11:19:47 2026.
Dependencies resolved.
================================================================================
 Package                                             Arch    Version                         Repo
                                                                             Size
================================================================================
Installing:
 kernel                                                          x86_64  6.1.141-155.222.amzn2023                        t   34 M
Upgrading:
 a-package-with-a-name-that-is-quite-long-so-that-columns-wrap   noarch  3:2.20260101.git0123456789abcdef-1.amzn2023.0.1 t  5.7 k
     replacing  older-name.noarch 1-1
 dep2                                                            noarch  2-1                                             t  5.4 k
Installing dependencies:
 newdep                                                          noarch  2-1                                             t  5.4 k
Installing weak dependencies:
 a-second-package-with-a-name-that-is-quite-long-so-that-columns-wrap
                                                                 noarch  1:2-1                                           t  5.4 k
Removing:
 kernel                                                          x86_64  6.1.128-136.201.amzn2023                        @System  0

Transaction Summary
================================================================================
Install  2 Packages
Upgrade  2 Packages

Total size: 22 k
Operation aborted.
exit 1`
	dnfProblem = `Last metadata expiration check: 0:00:19 ago on Mon Nov 30 11:19:47 2026.
(try to add '--skip-broken' to skip uninstallable packages)
Error: 
 Problem: conflicting requests
  - nothing provides nowhere needed by needy-2-1.noarch
exit 1`
	dnfAway = `Test repository                                 0.0  B/s |   0  B     00:00    
No match for argument: curl-minimal-0:9-1.noarch
Errors during downloading metadata for repository 't':
  - Curl error (37): Couldn't read a file:// file for file:///repo/repodata/repomd.xml [Couldn't open file repomd.xml]
Error: Failed to download metadata for repo 't': Cannot download repomd.xml: All mirrors were tried
Ignoring repositories: t
Error: Unable to find a match: curl-minimal-0:9-1.noarch
exit 1`
	dnfDone = `Last metadata expiration check: 0:00:19 ago on Mon Nov 30 11:19:47 2026.
Package curl-minimal-8.11.1-4.amzn2023.0.1.noarch is already installed.
Dependencies resolved.
Nothing to do.
Complete!`
)

const longName = "a-package-with-a-name-that-is-quite-long-so-that-columns-wrap.noarch " +
	"3:2.20260101.git0123456789abcdef-1.amzn2023.0.1"

// dnfThird is what dnf says of a repository that may be away, and is, before it goes on.
const dnfThird = `Errors during downloading metadata for repository 'third':
  - Curl error (37): Couldn't read a file:// file for file:///third/repodata/repomd.xml [Couldn't open file repomd.xml]
Error: Failed to download metadata for repo 'third': Cannot download repomd.xml: All mirrors were tried
Ignoring repositories: third
`

// Of rpm's systems: what a repository does not serve, what is held and by what, and what comes along.
func TestOffersOfDNF(t *testing.T) {
	for _, c := range []struct {
		name    string
		wanted  []string
		answers []string // of dnf
		want    Offers
		asked   int // how often dnf was asked for a dry install
	}{
		{
			name: "all of it is there, and a repository that may be away is", asked: 1,
			wanted:  []string{"kernel.x86_64 0:6.1.141-155.222.amzn2023", longName, "dep2.noarch 0:2-1"},
			answers: []string{"*versionlock*", "", "*install*", dnfThird + dnfResolved},
			want: Offers{
				Beside: []string{
					"newdep.noarch 0:2-1", "a-second-package-with-a-name-that-is-quite-long-so-that-columns-wrap.noarch 1:2-1",
				},
				Gone: []string{"kernel.x86_64 0:6.1.128-136.201.amzn2023", "older-name.noarch 0:1-1"},
			},
		},
		{
			name: "all of it is there", wanted: []string{"kernel.x86_64 0:6.1.141-155.222.amzn2023", longName, "dep2.noarch 0:2-1"},
			answers: []string{"*versionlock*", "", "*install*", dnfResolved}, asked: 1,
			want: Offers{
				Beside: []string{
					"newdep.noarch 0:2-1", "a-second-package-with-a-name-that-is-quite-long-so-that-columns-wrap.noarch 1:2-1",
				},
				Gone: []string{"kernel.x86_64 0:6.1.128-136.201.amzn2023", "older-name.noarch 0:1-1"},
			},
		},
		{
			name:   "one is not served, one is locked and one excluded",
			wanted: []string{"dep2.noarch 0:2-1", "locked.noarch 0:2-1", "excluded.noarch 0:2-1", "curl-minimal.noarch 0:8.11.1-9"},
			answers: []string{
				"*versionlock*", "other-0:1-1.*\nlocked-0:1-1.*\n", "*install*locked*", dnfUnmatched, "*install*", dnfResolved,
			}, asked: 3, // once more with fresh lists, and then the rest
			want: Offers{
				Absent: []string{"curl-minimal.noarch 0:8.11.1-9"},
				Held: []string{
					"locked.noarch 0:2-1: a version lock (locked-0:1-1.*)", "excluded.noarch 0:2-1: an exclude",
				},
				Beside: []string{
					"kernel.x86_64 0:6.1.141-155.222.amzn2023", longName, "newdep.noarch 0:2-1",
					"a-second-package-with-a-name-that-is-quite-long-so-that-columns-wrap.noarch 1:2-1",
				},
				Gone: []string{"kernel.x86_64 0:6.1.128-136.201.amzn2023", "older-name.noarch 0:1-1"},
			},
		},
		{
			name: "nothing of it is left", wanted: []string{"locked.noarch 0:2-1"},
			answers: []string{
				"*versionlock*", "Error: No such command: versionlock.\nexit 1", "*install*",
				"All matches were filtered out by exclude filtering for argument: locked-0:2-1.noarch\nexit 1",
			}, asked: 2,
			want: Offers{Held: []string{"locked.noarch 0:2-1: an exclude"}},
		},
		{
			name: "a module's stream", wanted: []string{"nodejs.x86_64 1:18.0-1"},
			answers: []string{
				"*versionlock*", "", "*install*",
				"All matches were filtered out by modular filtering for argument: nodejs-1:18.0-1.x86_64\nexit 1",
			}, asked: 2,
			want: Offers{Held: []string{"nodejs.x86_64 1:18.0-1: the module streams that are enabled"}},
		},
		{
			name: "what it needs is not there", wanted: []string{"needy.noarch 0:2-1", "curl-minimal.noarch 0:9-1"},
			answers: []string{"*versionlock*", "", "*install*", dnfProblem}, asked: 1,
			want: Offers{
				Unresolved: " Problem: conflicting requests - nothing provides nowhere needed by needy-2-1.noarch ",
			},
		},
		{
			name: "somebody has installed it meanwhile", wanted: []string{"curl-minimal.noarch 0:8.11.1-4.amzn2023.0.1"},
			answers: []string{"*versionlock*", "", "*install*", dnfDone}, asked: 1,
			want: Offers{Left: []string{"curl-minimal.noarch 0:8.11.1-4.amzn2023.0.1"}},
		},
	} {
		for _, shell := range shelltest.Shells(t) {
			t.Run(c.name+"/"+shell.Name, func(t *testing.T) {
				folder := t.TempDir()
				fakeTool(t, folder, "dnf", c.answers...)
				offers := dry(t, shell, folder, []string{"DPKG_ADMINDIR=/none"}, c.wanted...)
				requireOffers(t, "dnf", c.want, offers)
				asked, err := os.ReadFile(filepath.Join(folder, "dnf.asked"))
				require.NoError(t, err)
				require.Equal(t, c.asked, strings.Count(string(asked), "--assumeno"), string(asked))
				for line := range strings.Lines(string(asked)) {
					require.Regexp(t, `^(-q versionlock list|--assumeno .*)\n$`, line, "it changes nothing")
				}
			})
		}
	}
}

func requireOffers(t *testing.T, by string, want Offers, got *Offers) {
	t.Helper()
	require.Equal(t, by, got.By)
	for name, lists := range map[string][2][]string{
		"absent": {want.Absent, got.Absent}, "held": {want.Held, got.Held}, "left": {want.Left, got.Left},
		"beside": {want.Beside, got.Beside}, "gone": {want.Gone, got.Gone},
	} {
		require.ElementsMatch(t, lists[0], lists[1], name)
	}
	require.Equal(t, strings.TrimSpace(want.Unresolved), strings.TrimSpace(got.Unresolved))
}

// A dry install that fails says nothing of any package.
func TestADryInstallThatFails(t *testing.T) {
	for _, c := range []struct {
		name, tool string
		answers    []string
		why        string
	}{
		{"dnf reaches no repository", "dnf", []string{"*versionlock*", "", "*install*", dnfAway}, "Errors during downloading"},
		{
			"dnf is locked", "dnf", []string{
				"*versionlock*", "", "*install*",
				"Error: Failed to obtain the transaction lock (logged in as: root).\nexit 200",
			}, "exit code 200.*transaction lock",
		},
		{"dnf breaks", "dnf", []string{"*versionlock*", "", "*install*", "Traceback (most recent call last):\nexit 1"}, "Traceback"},
		{
			"yum reaches no repository", "yum", []string{
				"*versionlock*", "", "*install*", "Cannot find a valid baseurl for repo: amzn2-core/2/x86_64\nexit 1",
			}, "valid baseurl",
		},
		{
			"zypper skips a repository", "zypper",
			[]string{"*locks*", zypperNoLocks, "*install*", zypperAway},
			"exit code 104.*Problem retrieving files",
		},
		{
			"zypper is locked", "zypper", []string{
				"*locks*", "System management is locked by the application with pid 12 (zypper).\nexit 7",
			}, "exit code 7.*is locked by the application",
		},
	} {
		for _, shell := range shelltest.Shells(t) {
			t.Run(c.name+"/"+shell.Name, func(t *testing.T) {
				folder := t.TempDir()
				fakeTool(t, folder, c.tool, c.answers...)
				ran := shell.Run(t, dryMachine(t, folder, "curl-minimal.noarch 0:9-1"), "DPKG_ADMINDIR=/none")
				require.Equal(t, 1, ran.Code, ran.Stdout)
				require.Empty(t, ran.Stdout)
				require.Regexp(t, `^patchtide: the dry install by `+c.tool+` came to no end .*`+c.why+`.*\n$`, ran.Stderr, "one line")
			})
		}
	}
}

// However much is wrong, what is told is told whole: Systems Manager keeps 24,000 characters.
func TestOffersOfManyPackages(t *testing.T) {
	var wanted []string
	var said strings.Builder
	for n := range 300 {
		wanted = append(wanted, fmt.Sprintf("a-package-with-a-name-of-some-length-%d.x86_64 0:2.34-196.amzn2023.0.2", n))
		fmt.Fprintf(&said, "No match for argument: a-package-with-a-name-of-some-length-%d-0:2.34-196.amzn2023.0.2.x86_64\n", n)
	}
	for _, shell := range shelltest.Shells(t) {
		t.Run(shell.Name, func(t *testing.T) {
			folder := t.TempDir()
			fakeTool(t, folder, "dnf", "*versionlock*", "", "*install*", said.String()+"exit 1")
			ran := shell.Run(t, dryMachine(t, folder, wanted...), "DPKG_ADMINDIR=/none")
			require.Zero(t, ran.Code, ran.Stderr)
			require.Less(t, len(ran.Stdout), 24000/4, "there are several such lists")
			offers, err := ParseOffers(ran.Stdout, 300)
			require.NoError(t, err)
			require.Len(t, offers.Absent, 50)
			require.Empty(t, offers.Left)
		})
	}
}

// With yum, as Amazon Linux 2 has it, what is held is not there. Nobody has had it print this here.
func TestOffersOfYum(t *testing.T) {
	wanted := []string{
		"bind.x86_64 32:9.11.4-26.P2.amzn2.13", "curl.x86_64 0:8.3.0-1.amzn2.0.5", "gone.noarch 0:2-1", "nss.x86_64 0:3.90.0-2.amzn2",
	}
	unmatched := `Loaded plugins: priorities, update-motd, versionlock
Excluding 1 update due to versionlock (use "yum versionlock status" to show it)
No package curl-0:8.3.0-1.amzn2.0.5.x86_64 available.
No package gone-0:2-1.noarch available.
No package nss-0:3.90.0-2.amzn2.x86_64 available.
Resolving Dependencies
--> Running transaction check
exit 1`
	resolved := `Loaded plugins: priorities, update-motd, versionlock
Resolving Dependencies
--> Finished Dependency Resolution

Dependencies Resolved

================================================================================
 Package      Arch      Version                          Repository        Size
================================================================================
Updating:
 bind         x86_64    32:9.11.4-26.P2.amzn2.13         amzn2-core       2.3 M
Updating for dependencies:
 bind-a-library-with-a-long-name
              x86_64    32:9.11.4-26.P2.amzn2.13         amzn2-core       159 k

Transaction Summary
================================================================================
Exiting on user command
exit 1`
	for _, shell := range shelltest.Shells(t) {
		t.Run(shell.Name, func(t *testing.T) {
			folder := t.TempDir()
			fakeTool(t, folder, "yum",
				"*versionlock*list", "Loaded plugins: versionlock\n0:curl-8.3.0-1.amzn2.0.4.*\nversionlock list done\n",
				"*list*curl", "Available Packages\ncurl.x86_64      8.3.0-1.amzn2.0.4     amzn2-core\ncurl.x86_64      8.3.0-1.amzn2.0.5     amzn2-core\n",
				"*list*gone", "Error: No matching Packages to list\nexit 1",
				"*list*nss", "Available Packages\nnss.x86_64\n                 3.90.0-2.amzn2        amzn2-core\n",
				"*install*curl*", unmatched, "*install*", resolved)
			requireOffers(t, "yum", Offers{
				Absent: []string{"gone.noarch 0:2-1"},
				Held: []string{
					"curl.x86_64 0:8.3.0-1.amzn2.0.5: a version lock (0:curl-8.3.0-1.amzn2.0.4.*)",
					"nss.x86_64 0:3.90.0-2.amzn2: an exclude",
				},
				Beside: []string{"bind-a-library-with-a-long-name.x86_64 32:9.11.4-26.P2.amzn2.13"},
			}, dry(t, shell, folder, []string{"DPKG_ADMINDIR=/none"}, wanted...))
		})
	}
}

// TestOffersOfOddMachines: what another machine tells is no command there, and who has no package manager says so.
func TestOffersOfOddMachines(t *testing.T) {
	for _, odd := range []string{
		"curl.x86_64 0:1-1\nEND\nhalt", "curl.x86_64 $(halt)", "curl.x86_64 0:1-1 half-configured", "curl 0:1-1", "", "KB5031234 installed",
	} {
		_, _, err := OffersScript([]string{odd})
		require.Error(t, err, odd)
	}
	_, lines, err := OffersScript([]string{"libstdc++6.amd64 0:12.2.0-14+deb12u1~1", "a.noarch 12:3^git1-2"})
	require.NoError(t, err)
	for _, line := range lines {
		require.NotContains(t, line, "{{", "Systems Manager would take it for a parameter")
	}
	_, err = ParseOffers(`{"by":"dnf","asked":2}`, 3)
	require.ErrorContains(t, err, "was of 2 packages, and 3 were asked for")
	_, err = ParseOffers("nothing", 1)
	require.ErrorContains(t, err, "no line of JSON")
	for _, shell := range shelltest.Shells(t) {
		script := shelltest.Replace(t, dryMachine(t, "/none", "curl.x86_64 0:1-1"), "/none:"+systemPath+"${PATH:+:$PATH}",
			shelltest.Tools(t, dryTools...))
		ran := shell.Run(t, script)
		require.Equal(t, 1, ran.Code)
		require.Equal(t, "patchtide: neither apt-get nor zypper, dnf or yum is here\n", ran.Stderr)
	}
}
