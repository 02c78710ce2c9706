package main

import (
	"encoding/json"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// silent are the commands without a result of their own to print, each with the reason.
var silent = map[string]string{
	"patchtide worker":     "it runs until it is stopped, and logs; log_format: json is for machines",
	"patchtide iam policy": "it prints a policy document, which is JSON always",
	"patchtide iam trust":  "it prints a policy document, which is JSON always",
}

// Whoever scripts the command line relies on it: what prints a result prints it as a document, too.
func TestEveryCommandWithAResultPrintsItAsJSON(t *testing.T) {
	seen := map[string]bool{}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, child := range cmd.Commands() {
			walk(child)
		}
		path := cmd.CommandPath()
		seen[path] = true
		_, holds := cmd.Annotations[holdsOthers]
		flag := cmd.LocalNonPersistentFlags().Lookup("json")
		switch {
		case holds:
			require.True(t, cmd.HasSubCommands(), "%s is marked as holding others, and holds none", path)
			require.Nil(t, flag, "%s only shows its help", path)
		case silent[path] != "":
			require.Nil(t, flag, "%s prints JSON: it does not belong among the silent", path)
		default:
			require.NotNil(t, flag, "%s prints its result, and has no --json", path)
			require.Equal(t, "bool", flag.Value.Type(), path)
		}
	}
	walk(newRoot())
	for path := range silent {
		require.True(t, seen[path], "%s is no command any more", path)
	}
}

func TestVersionAsJSON(t *testing.T) {
	code, stdout, stderr := call(t, "version", "--json")
	require.Equal(t, exitDone, code, stderr)
	var document built
	require.NoError(t, json.Unmarshal([]byte(stdout), &document))
	require.Equal(t, version(), document.Version)
	require.NotEmpty(t, document.Go)
}
