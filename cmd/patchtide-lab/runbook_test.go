package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const runbookFile = "../../docs/runbook.md"

// inRunbook is a command as the page shows it in the text.
var inRunbook = regexp.MustCompile("`(patchtide [^`]+)`")

// commandsIn lists every command of a page: the lines of its sh blocks, without their comments, and those in the text.
func commandsIn(page string) (all []string) {
	block := false
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			block = line == "```sh"
		case block && strings.HasPrefix(line, "patchtide "):
			command, _, _ := strings.Cut(line, "  #")
			all = append(all, strings.TrimSpace(command))
		default:
			for _, found := range inRunbook.FindAllStringSubmatch(line, -1) {
				all = append(all, found[1])
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestCommandsAreFoundWhereverThePageShowsThem(t *testing.T) {
	page := "Run `patchtide doctor`, or `patchtide wave show WAVE` and `patchtide-lab demo`.\n" +
		"```sh\npatchtide wave list   # all\npatchtide doctor\nopenssl rand\n```\n| a | `patchtide freeze --reason \"a # " +
		"b\"` |\n" +
		"```yaml\npatchtide: no\n```\n"
	require.Equal(
		t,
		[]string{"patchtide doctor", `patchtide freeze --reason "a # b"`, "patchtide wave list", "patchtide wave show WAVE"},
		commandsIn(page),
	)
}

// runbookPage is the page and which of its commands were run.
type runbookPage struct {
	commands []string
	mu       sync.Mutex
	ran      map[string]bool
}

func (p *runbookPage) mark(t *testing.T, command string) {
	t.Helper()
	require.Contains(
		t,
		p.commands,
		command,
		"%s does not show this command; write what is run here as it stands there",
		runbookFile,
	)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ran[command] = true
}

// TestTheRunbook plays each symptom of docs/runbook.md on the laboratory and does what the page says, with its own
// words. A command of the page that no scenario runs fails it.
func TestTheRunbook(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(runbookFile)
	require.NoError(t, err)
	page := &runbookPage{commands: commandsIn(string(text)), ran: map[string]bool{}}
	require.Greater(t, len(page.commands), 30, "the page has commands")
	t.Run("symptoms", func(t *testing.T) { // returns when all its parallel tests have ended
		for name, scenario := range map[string]func(*testing.T, *runbookPage){
			"a bad patch holds": badPatchHolds, "an odd machine, and yesterday's wave": oddMachine, "AWS throttles": awsThrottles,
			"an instance in quarantine": inQuarantine, "worker and server are down": workerAndServerDown,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				scenario(t, page)
			})
		}
	})
	if t.Failed() {
		return // what was not reached was not run
	}
	for _, command := range page.commands {
		require.True(t, page.ran[command], "%s shows a command that no scenario runs: %s", runbookFile, command)
	}
}
