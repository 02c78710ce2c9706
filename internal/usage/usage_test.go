package usage_test

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/usage"
)

func TestWhatIsWrongIsSaidInWordsOfTheUser(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"a command", []string{"lsit"}, `unknown command "lsit" for "tool"; did you mean list?`},
		{"a command like none", []string{"frobnicate"}, `unknown command "frobnicate" for "tool"`},
		{"a flag", []string{"list", "--satte", "x"}, "unknown flag: --satte; did you mean --state?"},
		{"a flag of all commands", []string{"list", "--confg", "x"}, "unknown flag: --confg; did you mean --config?"},
		{"a flag like none", []string{"list", "--frobnicate"}, "unknown flag: --frobnicate"},
		{"a value", []string{"list", "--most", "many"}, `--most "many" is no whole number`},
		{"too large a value", []string{"list", "--most", "99999999999999999999"}, `--most "99999999999999999999" is too ` +
			"large a number"},
		{"an argument that is missing", []string{"show"}, "tool show takes WAVE, and 0 were given"},
		{"one too many", []string{"show", "a", "b"}, "tool show takes WAVE, and 2 were given"},
		{"one where none is taken", []string{"list", "a"}, `tool list takes no arguments, and "a" was given`},
	} {
		t.Run(c.name, func(t *testing.T) {
			does := func(*cobra.Command, []string) error { return nil }
			root := &cobra.Command{Use: "tool", Args: usage.Command, RunE: does, SilenceErrors: true, SilenceUsage: true}
			root.PersistentFlags().String("config", "", "")
			list := &cobra.Command{Use: "list", Args: usage.Checked(cobra.NoArgs), RunE: does}
			list.Flags().String("state", "", "")
			list.Flags().Int("most", 1, "")
			root.AddCommand(list, &cobra.Command{Use: "show WAVE", Args: usage.Checked(cobra.ExactArgs(1)), RunE: does})
			root.SetFlagErrorFunc(usage.Flag)
			root.SetArgs(c.args)
			require.EqualError(t, root.Execute(), c.says)
		})
	}
}
