package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/terminaltest"
)

// onTerminal runs a command line on a terminal, as a person does, and hands over how it ends.
func onTerminal(t *testing.T, args ...string) (*terminaltest.Terminal, <-chan error) {
	t.Helper()
	t.Setenv("TERM", "xterm-256color")
	terminal := terminaltest.Open(t, 100, 40)
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(terminal.Program)
	root.SetOut(terminal.Program)
	root.SetErr(terminal.Program)
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(t.Context()) }()
	return terminal, ended
}

func TestInitAsksOnATerminal(t *testing.T) {
	simulated(t)
	t.Setenv("AWS_REGION", "")
	terminal, ended := onTerminal(t, "init")
	terminal.Shows("Which roles may Patchtide assume, one for each account?", "with commas between")
	terminal.Type(terminaltest.Enter)
	terminal.Shows("input cannot be empty")
	terminal.Type(
		"staging=arn:aws:iam::222233334444:role/patchtide, production=arn:aws:iam::111122223333:role/patchtide" +
			terminaltest.Enter,
	)
	terminal.Shows("┃ Where is the external id")
	terminal.Type("env:PATCHTIDE_EXTERNAL_ID" + terminaltest.Enter)
	terminal.Shows("┃ Which regions?")
	terminal.Type("ap-northeast-1" + terminaltest.Enter)
	terminal.Shows("patchtide.yaml: 2 groups in plans [web]", "openssl rand -base64 48 > journal.key")
	require.NoError(t, <-ended)
	terminal.IsWhole()

	code, stdout, stderr := call(t, "check")
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "patchtide.yaml is right: 2 accounts, plans [web]")
	asked, err := os.ReadFile("patchtide.yaml")
	require.NoError(t, err)
	code, _, stderr = call(t, append(initArgs, "--region", "ap-northeast-1", "--force")...)
	require.Equal(t, exitDone, code, stderr)
	told, err := os.ReadFile("patchtide.yaml")
	require.NoError(t, err)
	require.Equal(t, string(told), string(asked), "answers and flags make the same file")
	_, err = config.Load("patchtide.yaml", nil)
	require.NoError(t, err)
}

func TestInitIsLeftWithoutAFile(t *testing.T) {
	simulated(t)
	terminal, ended := onTerminal(t, "init")
	terminal.Shows("Which roles may Patchtide assume")
	terminal.Type(terminaltest.CtrlC)
	var exit *exitError
	require.ErrorAs(t, <-ended, &exit)
	require.Equal(t, exitUsage, exit.code)
	require.ErrorContains(t, exit, "the questions were not answered")
	require.NoFileExists(t, "patchtide.yaml")
}
