// Package usage says what is wrong with a command line, and what may have been meant.
package usage

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// tolerance is by how many letters a word may differ from what was meant.
const tolerance = 2

// Command refuses what is none of the command's commands, with those that may be meant.
func Command(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	said := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	return errors.New(said + meant(cmd, args[0], ""))
}

// Checked is a check of cobra's that says what the command takes.
func Checked(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return arguments(cmd, args, err)
		}
		return nil
	}
}

func arguments(cmd *cobra.Command, args []string, err error) error {
	_, takes, some := strings.Cut(cmd.Use, " ")
	switch {
	case cmd.HasSubCommands():
		return Command(cmd, args)
	case !some && len(args) > 0:
		return fmt.Errorf("%s takes no arguments, and %q was given", cmd.CommandPath(), args[0])
	case some && strings.Contains(err.Error(), "arg(s)"): // cobra counts, and does not say of what
		return fmt.Errorf("%s takes %s, and %d were given", cmd.CommandPath(), takes, len(args))
	}
	return err
}

// Flag is why a flag was refused, without the names of functions and with what may be meant. err is pflag's.
func Flag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var wrong *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		flags := &cobra.Command{} // cobra's own measure of what is alike is that of its commands
		note := func(flag *pflag.Flag) {
			flags.AddCommand(&cobra.Command{Use: flag.Name, Run: func(*cobra.Command, []string) {}})
		}
		cmd.LocalFlags().VisitAll(note)
		cmd.InheritedFlags().VisitAll(note)
		return errors.New(err.Error() + meant(flags, unknown.GetSpecifiedName(), "--"))
	case errors.As(err, &wrong):
		return fmt.Errorf("--%s %q %s", wrong.GetFlag().Name, wrong.GetValue(), value(wrong))
	}
	return err
}

func value(wrong *pflag.InvalidValueError) string {
	switch {
	case errors.Is(wrong, strconv.ErrRange):
		return "is too large a number"
	case wrong.GetFlag().Value.Type() == "int":
		return "is no whole number"
	case strings.HasPrefix(wrong.GetFlag().Value.Type(), "float"):
		return "is no number"
	case wrong.GetFlag().Value.Type() == "bool":
		return "is neither true nor false"
	case wrong.GetFlag().Value.Type() == "duration":
		return "is no duration; write one like 1h or 90m"
	}
	return "cannot be taken"
}

// meant names those of the command's commands that are like what was written; "" where none is.
func meant(cmd *cobra.Command, written, prefix string) string {
	cmd.SuggestionsMinimumDistance = tolerance
	var alike []string
	for _, one := range cmd.SuggestionsFor(written) {
		alike = append(alike, prefix+one)
	}
	if len(alike) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(alike, " or ") + "?"
}
