package main

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-shellwords"
	"github.com/stretchr/testify/require"
)

// shell is another shell in which somebody types what the laboratory printed: it has those variables and no others.
type shell struct {
	t        *testing.T
	folder   string
	environ  []string
	commands []string
}

func newShell(t *testing.T, printed string) *shell {
	t.Helper()
	s := &shell{t: t, folder: t.TempDir()}
	s.environ = append(s.environ, "HOME="+s.folder)
	for _, found := range regexp.MustCompile(`(?m)^  export (\S+)$`).FindAllStringSubmatch(printed, -1) {
		s.environ = append(s.environ, found[1])
	}
	for _, found := range regexp.MustCompile(`(?m)^  (patchtide [^#\n]+)`).FindAllStringSubmatch(printed, -1) {
		s.commands = append(s.commands, strings.TrimSpace(found[1]))
	}
	return s
}

// types runs a command line of the product, and returns its exit code and all it said.
func (s *shell) types(command string) (code int, said string) {
	s.t.Helper()
	binary, err := product()
	require.NoError(s.t, err)
	words, err := shellwords.Parse(command)
	require.NoError(s.t, err)
	cmd := exec.CommandContext(s.t.Context(), binary, words[1:]...)
	cmd.Dir, cmd.Env = s.folder, s.environ
	out, err := cmd.CombinedOutput()
	require.NotNil(s.t, cmd.ProcessState, "%v", err)
	return cmd.ProcessState.ExitCode(), string(out)
}

// TestUpSaysAllThatItTakesToGoOn types each command that up prints, in a shell that has what up prints to be exported.
func TestUpSaysAllThatItTakesToGoOn(t *testing.T) {
	serve(t, "Ctrl-C", func(text string) {
		require.True(t, strings.HasSuffix(text, "\nStop it with Ctrl-C.\n"), text)
		s := newShell(t, text)
		require.Len(t, s.commands, 6, text)
		wave := ""
		for _, command := range s.commands {
			ends, shows := exitDone, ""
			switch {
			case strings.HasPrefix(command, "patchtide wave watch "):
				// It watches until the wave ends, which this one does then.
				code, said := s.types("patchtide wave abort " + wave + ` --reason "seen enough"`)
				require.Equal(t, exitDone, code, said)
				command, ends, shows = strings.Replace(command, "WAVE", wave, 1), exitFailed, "aborted"
			case command == "patchtide doctor":
				ends, shows = exitFailed, "behind AWS's"
			case strings.HasPrefix(command, "patchtide links "):
				shows = "start a wave of " + demoPlan
			case strings.HasPrefix(command, "patchtide plan "):
				shows = "It could run"
			}
			code, said := s.types(command)
			require.Equal(t, ends, code, "%s: %s", command, said)
			require.Contains(t, said, shows, command)
			if strings.HasPrefix(command, "patchtide wave start ") {
				// On a busy machine it says before that, on stderr, for what it waits.
				wave = regexp.MustCompile(`(?m)^wave-web-\S+$`).FindString(said)
				require.NotEmpty(t, wave, said)
			}
		}
	}, "up", "--scenario", "bad-patch")
}

// TestWhatIsKeptIsShownOnceMore is the end of a demo that keeps everything up: the pages, and what to type about the
// wave that was.
func TestWhatIsKeptIsShownOnceMore(t *testing.T) {
	serveWith(t, startToy(t), "Ctrl-C", func(text string) {
		require.True(t, strings.HasSuffix(text, "\nStop it with Ctrl-C.\n"), text)
		_, end, _ := strings.Cut(text, "✓ wave-web-")
		id, _, _ := strings.Cut("wave-web-"+end, " ")
		for _, shown := range []string{
			`Temporal UI             http://127\.0\.0\.1:\d+\n`,
			`This wave               http://127\.0\.0\.1:\d+/namespaces/default/workflows/` + id + `\n`,
			`Fleet                   http://127\.0\.0\.1:\d+\n`,
			`  export TEMPORAL_ADDRESS=127\.0\.0\.1:\d+\n`,
			`  patchtide wave logs ` + id + `\n`,
		} {
			require.Regexp(t, shown, end)
		}
		s := newShell(t, text)
		code, said := s.types("patchtide wave diff " + id)
		require.Contains(t, s.commands, "patchtide wave diff "+id)
		require.Equal(t, exitFailed, code, "a toy's wave writes no evidence: %s", said)
		code, said = s.types("patchtide links --plan " + demoPlan + " --wave " + id)
		require.Contains(t, s.commands, "patchtide links --plan "+demoPlan+" --wave "+id)
		require.Equal(t, exitDone, code, said)
		require.Contains(t, said, id)
	}, "demo", "--keep")
}
