package facts

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/shelltest"
)

// What zypper 1.14 has printed; rows of several runs stand in one.
const (
	zypperNoLocks = "<?xml version='1.0'?>\n<stream>\n<locks size=\"0\">\n</locks></stream>\n"
	zypperLocks   = `<?xml version='1.0'?>
<stream>
<locks size="1"><lock number="1"><name>locked</name><type>package</type></lock>
<lock number="2"><name>kernel-*</name><type>package</type></lock>
</locks></stream>
`
	zypperAbsent = `<?xml version='1.0'?>
<stream>
<message type="info">Loading repository data...</message>
<message type="info">&apos;curl.x86_64=7-1&apos; not found in package names. Trying capabilities.</message>
<message type="error">No provider of &apos;curl.x86_64=7-1&apos; found.</message>
</stream>
exit 104`
	zypperResolved = `<?xml version='1.0'?>
<stream>
<message type="info">Resolving package dependencies...</message>
<install-summary download-size="11026" space-usage-diff="0" packages-to-change="2">
<to-upgrade>
<solvable type="package" name="bind" edition="9.16-2" arch="x86_64" edition-old="9.16-1" summary="t">
<description>none</description></solvable>
</to-upgrade>
<to-install>
<solvable type="package" name="newdep" edition="1:2-1" arch="noarch" summary="t">
<description>none</description></solvable>
<solvable type="patch" name="SUSE-2026-1" edition="1" arch="noarch" summary="t">
</to-install>
<to-remove>
<solvable type="package" name="olddep" edition="1-1" arch="noarch" summary="t">
</to-remove>
</install-summary>
`
	zypperProblem = `<?xml version='1.0'?>
<stream>
<prompt id="1">
<description>Problem: nothing provides nowhere needed by bind-9.16-2.x86_64
 Solution 1: do not install bind-9.16-2.x86_64
</description>
<text>Choose from above solutions by number or cancel</text>
</prompt>
</stream>
exit 4`
	zypperSkipped = `<message type="error">Problem retrieving files from &apos;Third&apos;.
</message>
<message type="warning">Skipping repository &apos;Third&apos; because of the above error.</message>
<message type="error">Some of the repositories have not been refreshed because of an error.</message>
`
	zypperAway = `<?xml version='1.0'?>
<stream>
<message type="error">Problem retrieving files from &apos;Test repository&apos;.
</message>
<message type="warning">Skipping repository &apos;Test repository&apos; because of the above error.</message>
<message type="error">Some of the repositories have not been refreshed because of an error.</message>
<message type="error">No provider of &apos;curl-minimal.noarch=9-1&apos; found.</message>
</stream>
exit 104`
)

func TestOffersOfZypper(t *testing.T) {
	for _, shell := range shelltest.Shells(t) {
		t.Run(shell.Name, func(t *testing.T) {
			folder := t.TempDir()
			fakeTool(t, folder, "zypper", "*locks*", zypperLocks, "*install*curl*", zypperAbsent, "*--dry-run*", zypperResolved)
			requireOffers(t, "zypper", Offers{
				Absent: []string{"curl.x86_64 0:7-1"},
				Held: []string{
					"locked.x86_64 0:2-1: a lock (locked)", "kernel-default.x86_64 0:5.14.21-1: a lock (kernel-*)",
				},
				Beside: []string{"newdep.noarch 1:2-1"}, Gone: []string{"olddep.noarch 0:1-1"},
			}, dry(t, shell, folder, []string{"DPKG_ADMINDIR=/none"}, "bind.x86_64 0:9.16-2", "curl.x86_64 0:7-1",
				"locked.x86_64 0:2-1", "kernel-default.x86_64 0:5.14.21-1"))

			fakeTool(t, folder, "zypper", "*locks*", zypperNoLocks, "*--dry-run*", zypperProblem)
			requireOffers(t, "zypper", Offers{
				Unresolved: "Problem: nothing provides nowhere needed by bind-9.16-2.x86_64 Solution 1: do not install bind-9.16-2.x86_64",
			}, dry(t, shell, folder, []string{"DPKG_ADMINDIR=/none"}, "bind.x86_64 0:9.16-2"))
		})
	}
}

// A repository that is away keeps nobody from what the others serve. What is not found then may stand in that one.
func TestOffersOfZypperWithARepositoryAway(t *testing.T) {
	for _, shell := range shelltest.Shells(t) {
		t.Run(shell.Name, func(t *testing.T) {
			folder := t.TempDir()
			fakeTool(t, folder, "zypper", "*locks*", zypperNoLocks, "*--dry-run*", zypperSkipped+zypperResolved+"exit 106")
			requireOffers(t, "zypper", Offers{
				Beside: []string{"newdep.noarch 1:2-1"}, Gone: []string{"olddep.noarch 0:1-1"},
			}, dry(t, shell, folder, []string{"DPKG_ADMINDIR=/none"}, "bind.x86_64 0:9.16-2"))

			for what, said := range map[string]string{
				"cannot be found":     zypperSkipped + zypperAbsent,
				"cannot be resolved":  zypperSkipped + zypperProblem,
				"is nothing to do of": zypperSkipped + "Nothing to do.\nexit 106",
			} {
				fakeTool(t, folder, "zypper", "*locks*", zypperNoLocks, "*--dry-run*", said)
				ran := shell.Run(t, dryMachine(t, folder, "bind.x86_64 0:9.16-2"), "DPKG_ADMINDIR=/none")
				require.NotZero(t, ran.Code, "what %s is told as if all repositories had answered: %s", what, ran.Stdout)
				require.Regexp(t, "dry install by zypper came to no end.*Problem retrieving files", ran.Stderr, what)
			}
		})
	}
}
