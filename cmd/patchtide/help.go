package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/internal/console"
)

// helpWidth is how wide a help is where no terminal says.
const helpWidth = 80

// help writes what a command does, how it is called, an example, and its own flags. Those that every command has are
// listed by the first command's help alone.
func help(cmd *cobra.Command, _ []string) {
	out := cmd.OutOrStdout()
	h := helpText{out: out, page: console.PageOf(out)}
	if !h.page.Terminal {
		h.page = console.Page{Width: helpWidth, Terminal: true}
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		h.line(0, "%s\n", strings.ReplaceAll(paragraph, "\n", " "))
	}
	h.line(0, "Usage:")
	h.line(4, "  %s", usageLine(cmd))
	if cmd.Example != "" {
		h.examples(cmd.Example)
	}
	h.commands(cmd)
	if flags := cmd.LocalFlags(); flags.HasAvailableFlags() {
		h.line(0, "\nFlags:")
		fmt.Fprint(out, flags.FlagUsagesWrapped(h.page.Width))
	}
	if cmd.HasParent() {
		h.line(0, "")
		h.line(0, "Flags of every command, such as --config, --utc and --temporal-address: `%s --help`", cmd.Root().Name())
	}
}

func usageLine(cmd *cobra.Command) string {
	if _, holds := cmd.Annotations[holdsOthers]; holds {
		return cmd.CommandPath() + " COMMAND"
	}
	return cmd.UseLine()
}

type helpText struct {
	out  io.Writer
	page console.Page
}

func (h helpText) line(indent int, format string, words ...any) {
	fmt.Fprintln(h.out, h.page.Wrap(fmt.Sprintf(format, words...), indent))
}

// examples are commands that can be copied.
func (h helpText) examples(text string) {
	h.line(0, "\nExamples:")
	for example := range strings.SplitSeq(text, "\n") {
		fmt.Fprintln(h.out, h.page.Command("  "+example, 4))
	}
}

// commands are those below the command.
func (h helpText) commands(cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	h.line(0, "\nCommands:")
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			column := cmd.Commands()[0].NamePadding() + 4
			h.line(column, "  %-*s  %s", column-4, child.Name(), child.Short)
		}
	}
}
