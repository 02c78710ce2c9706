package facts

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/shelltest"
)

const (
	systemPath = "/usr/sbin:/usr/bin:/sbin:/bin" // where the script looks for tools before anywhere else
	deployed   = "/opt /srv /usr/local /var/www" // where it looks for what is deployed
)

// machine is this one with some of its parts replaced, and the script as it is sent there.
type machine struct {
	*testing.T
	script string
	env    []string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	if _, err := os.Stat("/proc/sys/kernel/random/boot_id"); err != nil {
		t.Skip("this is no Linux machine, and the script is for Linux")
	}
	_, lines := Script(patch.Linux)
	m := &machine{T: t, script: strings.Join(lines, "\n")}
	m.replace(deployed, "/none") // there may be a whole Go in them
	return m
}

// before puts a folder of tools in front of the system's; only makes it all that there is.
func (m *machine) before(folder string) { m.replace(systemPath+"$", folder+":"+systemPath+"$") }
func (m *machine) only(folder string)   { m.replace(systemPath+"${PATH:+:$PATH}", folder) }

func (m *machine) replace(what, by string) {
	m.Helper()
	m.script = shelltest.Replace(m.T, m.script, what, by)
}

// tell is what the machine tells by one of its shells.
func (m *machine) tell(shell shelltest.Shell) (*patch.MachineFacts, []string) {
	m.Helper()
	return m.told(shell.Run(m.T, m.script, m.env...))
}

// told reads what a script that ended well has printed.
func (m *machine) told(ran shelltest.Ran) (*patch.MachineFacts, []string) {
	m.Helper()
	require.Zero(m, ran.Code, ran.Stderr)
	facts, packages, err := Parse(ran.Stdout)
	require.NoError(m, err)
	return facts, packages
}
