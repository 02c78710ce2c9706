package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/terminaltest"
)

// onTerminal runs a command line of the product on a terminal of its own, as a person does, and hands over how it ends.
func (b *crashScene) onTerminal(args ...string) (*terminaltest.Terminal, <-chan error) {
	b.t.Helper()
	binary, err := product()
	require.NoError(b.t, err)
	terminal := terminaltest.Open(b.t, 110, 60)
	cmd := exec.CommandContext(
		b.t.Context(), binary, append(args, "--temporal-address", b.address, "--temporal-namespace", lab.Namespace)...,
	)
	cmd.Dir, cmd.Env = b.t.TempDir(), append(os.Environ(), "TERM=xterm-256color", "PATCHTIDE_ACTOR=alice")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal.Program, terminal.Program, terminal.Program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(b.t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return terminal, ended
}

// TestAWaveIsSteeredFromAScreen watches a real wave on a terminal: it is drawn, a key asks what a verb needs, the verb
// arrives with who and why, and whoever leaves touches nothing. Where there is no terminal, the same command writes
// lines.
func TestAWaveIsSteeredFromAScreen(t *testing.T) {
	t.Parallel()
	b := newCrashScene(t, "healthy")
	require.NoError(t, b.startWorker())
	const wave = "wave-web-screen"
	code, said := b.operator("wave", "start", demoPlan, "--id", wave, "--reason", "a test")
	require.Equal(t, exitDone, code, said)
	terminal, ended := b.onTerminal("wave", "watch", wave)
	terminal.Shows(wave+"  plan web", "staging", "░░░░░░", "production/ap-northeast-1/web")
	terminal.Shows("████████████████ 2 of 2 patched  ✓ succeeded", "awaiting approval: "+
		"production", "a approve · x reject")

	terminal.Type("a")
	terminal.Shows("approve  --stage production --hold 1  "+wave+"  by alice", "Reason", "enter sends it")
	terminal.Type(terminaltest.Enter)
	terminal.Shows("a reason is needed: the next on-call will want to know why")
	require.Empty(t, b.decisions(wave), "nothing is sent without one")
	terminal.Type("staging looks well" + terminaltest.Enter)
	terminal.Shows("running: production", "p pause")
	decided := b.decisions(wave)
	require.Len(t, decided, 1)
	require.Equal(
		t, []any{patch.Approve, "alice", "staging looks well", "production"},
		[]any{decided[0].Verb, decided[0].Actor, decided[0].Reason, decided[0].Stage},
	)

	terminal.Type("p")
	terminal.Shows("pause  --stage production  " + wave + "  by alice")
	terminal.Type("\x1b")
	terminal.Shows("p pause", "q leave")
	terminal.Type("q")
	terminal.Shows(wave + " goes on without you (running). Watch it again: `patchtide wave watch " + wave + "`")
	require.NoError(t, <-ended, "leaving is no failure")
	terminal.IsWhole()
	require.Len(t, b.decisions(wave), 1, "what was not sent is not decided")

	code, said = b.operator("wave", "watch", wave)
	require.Equal(t, exitDone, code, said)
	require.Contains(t, said, "closed: succeeded")
	require.NotContains(t, said, "\x1b", "lines have neither colours nor a cursor")
	require.NoError(t, b.stopWorker())
	require.Empty(t, b.violations())
}

// decisions asks a wave what was decided so far.
func (b *crashScene) decisions(wave string) []patch.Decision {
	b.t.Helper()
	value, err := b.client.QueryWorkflow(b.t.Context(), wave, "", names.QueryStatus)
	require.NoError(b.t, err)
	var status patch.WaveStatus
	require.NoError(b.t, value.Get(&status))
	return status.Decisions
}
