package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// ours are all commands but those that cobra adds.
func ours(root *cobra.Command) (all []*cobra.Command) {
	all = append(all, root)
	for _, child := range root.Commands() {
		if child.Name() != "completion" && child.Name() != "help" {
			all = append(all, ours(child)...)
		}
	}
	return all
}

// shellWords are the words of a command line whose quotes are plain.
func shellWords(line string) []string {
	var words []string
	for _, word := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1) {
		words = append(words, strings.Trim(word, `"`))
	}
	return words
}

// Every help fits a terminal of 80 columns, shows commands that work as they stand, and lists its own flags only.
func TestTheHelpOfEveryCommand(t *testing.T) {
	for _, cmd := range ours(newRoot()) {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			code, text, _ := call(t, append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
			require.Equal(t, exitDone, code)
			for line := range strings.Lines(text) {
				require.LessOrEqual(t, ansi.StringWidth(strings.TrimRight(line, "\n")), 80, line)
			}
			require.Equal(t, !cmd.HasParent(), strings.Contains(text, "--journal-key-from"), "a flag of every command")
			_, holds := cmd.Annotations[holdsOthers]
			require.NotEmpty(t, cmd.Example)
			for example := range strings.SplitSeq(cmd.Example, "\n") {
				words := shellWords(example)
				require.Equal(t, "patchtide", words[0], example)
				found, rest, err := newRoot().Find(words[1:])
				require.NoError(t, err, example)
				if !holds {
					require.Equal(t, cmd.CommandPath(), found.CommandPath(), example)
				}
				require.NoError(t, found.ParseFlags(rest), example)
				require.NoError(t, found.ValidateArgs(found.Flags().Args()), example)
			}
		})
	}
}
