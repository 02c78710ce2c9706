package facts

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/shelltest"
)

// lineOf is a script's line for a list of packages.
func lineOf(t *testing.T, packages ...string) string {
	t.Helper()
	text := strings.Join(packages, "\n") + "\n"
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, err := writer.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	sum := sha256.Sum256([]byte(text))
	return `{"boot_id":"b1","os":"amzn","release":"2023.6.20250211","kernel":"6.1","pending_reboot":true,"packages_sha256":"` +
		hex.EncodeToString(
			sum[:],
		) + `","packages_gz":"` + base64.StdEncoding.EncodeToString(
		packed.Bytes(),
	) + `"}`
}

func TestParse(t *testing.T) {
	whole := lineOf(t, "acl.x86_64 0:2.3.1-2", "zlib.x86_64 0:1.2.11-33")
	for _, test := range []struct {
		name, output string
		packages     []string
		wrong        string
	}{
		{name: "a whole line", output: whole + "\n", packages: []string{"acl.x86_64 0:2.3.1-2", "zlib.x86_64 0:1.2.11-33"}},
		{
			name: "after the chatter of a login script", output: "Welcome {\n" + whole,
			packages: []string{"acl.x86_64 0:2.3.1-2", "zlib.x86_64 0:1.2.11-33"},
		},
		{name: "cut by AWS within the packages", output: whole[:len(whole)-30] + "\n"},
		{
			name:   "cut by AWS within the packages, with AWS's note of it",
			output: whole[:len(whole)-30] + "\n---Output truncated---",
		},
		{name: "cut before the packages", output: whole[:60], wrong: "is no JSON"},
		{name: "nothing", output: "", wrong: "printed no line of JSON"},
		{name: "no boot id", output: `{"boot_id":"","packages_sha256":"x"}`, wrong: "no boot id"},
		{
			name: "a hash of something else", output: strings.Replace(whole, `"packages_sha256":"`, `"packages_sha256":"00`, 1),
			wrong: "does not have the hash",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			facts, packages, err := Parse(test.output)
			if test.wrong != "" {
				require.ErrorContains(t, err, test.wrong)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.packages, packages)
			require.Equal(t, "b1", facts.BootID)
			require.Equal(t, "2023.6.20250211", facts.Release)
			require.True(t, facts.PendingReboot)
			require.Len(t, facts.PackagesSHA256, 64)
		})
	}
}

func TestFactsOfADomainsMember(t *testing.T) {
	yes, no := true, false
	for line, want := range map[string]*bool{`"domain_joined":true,`: &yes, `"domain_joined":false,`: &no, `"domain_joined":null,`: nil, "": nil} {
		facts, _, err := Parse(
			strings.Replace(lineOf(t, "KB5041111 installed"), `"packages_sha256"`, line+`"packages_sha256"`, 1),
		)
		require.NoError(t, err)
		require.Equal(t, want, facts.DomainJoined, line)
	}
	_, script := Script(patch.Windows)
	text := strings.Join(script, "\n")
	require.Contains(t, text, "PartOfDomain")
	require.Less(
		t, strings.Index(text, "domain_joined ="), strings.Index(text, "packages_gz ="), "a reply cut short keeps it",
	)
}

// TestTheBootOfWindowsHasOneSource: of two, the one that is there today may be gone tomorrow, and reads as a reboot.
func TestTheBootOfWindowsHasOneSource(t *testing.T) {
	_, lines := Script(patch.Windows)
	script := strings.Join(lines, "\n")
	require.Equal(t, 1, strings.Count(script, "$boot = "), "told by one expression")
	require.Contains(t, script, "boot_id = $boot;")
	require.NotContains(t, script, "Get-WinEvent", "its log is overwritten")
	require.NotContains(t, script, "LastBootUpTime", "it moves when the clock is set")
}

// TestFactsScriptsFitAutomation keeps the scripts within what Automation takes as a parameter, and away from its own
// braces.
func TestFactsScriptsFitAutomation(t *testing.T) {
	for _, platform := range []patch.Platform{patch.Linux, patch.Windows} {
		t.Run(string(platform), func(t *testing.T) {
			_, lines := Script(platform)
			require.Equal(t, "# patchtide:facts", lines[0])
			require.LessOrEqual(t, len(lines), 50)
			for _, line := range lines {
				require.NotEmpty(t, line)
				require.LessOrEqual(t, len(line), 512)
				require.NotContains(t, line, "{{")
			}
		})
	}
}

// TestFactsShell runs the script on this machine, and over what is deployed to it.
func TestFactsShell(t *testing.T) {
	var first *patch.MachineFacts
	for _, shell := range shelltest.Shells(t) {
		t.Run(shell.Name, func(t *testing.T) {
			shelltest.Need(t, "dpkg-query", "dpkg")
			facts, packages := newMachine(t).tell(shell)
			boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
			require.NoError(t, err)
			require.Equal(t, strings.TrimSpace(string(boot)), facts.BootID)
			require.NotEmpty(t, packages)
			require.IsIncreasing(t, packages)
			for _, line := range packages {
				require.Regexp(t, `^[^ ]+\.[a-z0-9]+ \d+:[^ ]+( unpacked| half-configured| half-installed)?$`, line)
			}
			if first == nil {
				first = facts
			}
			require.Equal(t, first, facts, "whatever the shell is")
		})
	}
}

// TestFactsOfWhatIsDeployed: any file counts, but for what an application writes while it runs.
func TestFactsOfWhatIsDeployed(t *testing.T) {
	place := t.TempDir()
	shell := shelltest.Shells(t)[0]
	seen := func(content string, names ...string) string {
		for _, name := range names {
			path := filepath.Join(place, filepath.FromSlash(name))
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		}
		m := newMachine(t)
		m.replace("in /none;", "in "+place+" "+place+"/missing;")
		facts, _ := m.tell(shell)
		require.Len(t, facts.ApplicationSHA256, 64)
		return facts.ApplicationSHA256
	}
	first := seen("2.3", "app/bin/web")
	require.Equal(t, first, seen("noise",
		"app/logs/today", "app/web.log", "app/web.log.1", "app/web.pid", "app/cache/page", "app/var/state"))
	require.NotEqual(t, first, seen("2.10", "app/bin/web"))
	require.NotEqual(t, first, seen("x", "other app/conf"))
}

// TestFactsTellWhatARestoreWouldMiss: a machine made up of other disks and timers.
func TestFactsTellWhatARestoreWouldMiss(t *testing.T) {
	shell := shelltest.Shells(t)[0]
	for _, c := range []struct {
		name, findmnt, lsblk, enabled string
		elsewhere                     []string
		patchers                      []string
	}{
		{
			name: "one disk", findmnt: "echo /dev/nvme0n1p1", lsblk: `printf 'nvme0n1p1 part\nnvme0n1 disk\n'`,
			elsewhere: []string{}, patchers: []string{},
		},
		{
			name:      "data on another disk",
			findmnt:   `case "$*" in *"--target /var/lib") echo /dev/nvme1n1 ;; *) echo /dev/nvme0n1p1 ;; esac`,
			lsblk:     `case "$*" in *nvme1n1) printf 'nvme1n1 disk\n' ;; *) printf 'nvme0n1p1 part\nnvme0n1 disk\n' ;; esac`,
			elsewhere: []string{"/var/lib on nvme1n1"}, patchers: []string{},
		},
		{
			name: "a volume group over two disks", findmnt: "echo /dev/mapper/vg-root",
			lsblk:     `printf 'dm-0 lvm\nnvme0n1 disk\nnvme1n1 disk\n'`,
			elsewhere: []string{"/ on nvme0n1 nvme1n1"}, patchers: []string{},
		},
		{
			name: "nothing can be told", findmnt: "exit 1", lsblk: "exit 1", elsewhere: []string{"/ on unknown disks"},
			patchers: []string{},
		},
		{
			name: "it patches itself", findmnt: "echo /dev/nvme0n1p1", lsblk: `printf 'nvme0n1 disk\n'`,
			enabled:   "dnf-automatic.timer",
			elsewhere: []string{}, patchers: []string{"dnf-automatic.timer"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := t.TempDir()
			for name, body := range map[string]string{
				"findmnt": c.findmnt, "lsblk": c.lsblk, "systemctl": `[ "$3" = "` + c.enabled + `" ]`,
			} {
				shelltest.Fake(t, path, name, body)
			}
			m := newMachine(t)
			m.before(path)
			facts, _ := m.tell(shell)
			require.Equal(t, c.elsewhere, facts.Elsewhere)
			require.Equal(t, c.patchers, facts.Patchers)
		})
	}
}

// What a first boot installs is told: the machine does not answer before cloud-init is done, whatever that came to.
func TestAMachineTellsNothingBeforeItsFirstBootIsDone(t *testing.T) {
	_, lines := SettledScript(patch.Linux)
	script := shelltest.Replace(t, strings.Join(lines, "\n"), "timeout 120 cloud-init", "timeout 1 cloud-init")
	for _, c := range []struct {
		name, cloudInit string
		code            int
	}{
		{"there is none", "", 0},
		{"it is done", "exit 0", 0},
		{"it ended with errors", "exit 2", 0},
		{"it is at work still", "sleep 20", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, shell := range shelltest.Shells(t) {
				folder := t.TempDir()
				if c.cloudInit != "" {
					shelltest.Fake(t, folder, "cloud-init", c.cloudInit)
				}
				ran := shell.Run(t, script, "PATH="+folder+":"+os.Getenv("PATH"))
				require.Equal(t, c.code, ran.Code, "%s: %s", shell.Name, ran.Stderr)
				if c.code != 0 {
					require.Contains(t, ran.Stderr, "patchtide: cloud-init is at work still")
					require.Empty(t, ran.Stdout)
				}
			}
		})
	}
	_, windows := SettledScript(patch.Windows)
	_, plain := Script(patch.Windows)
	require.Equal(t, plain, windows)
}
