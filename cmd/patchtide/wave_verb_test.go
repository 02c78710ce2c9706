package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/patch"
)

// Every verb has a command that says what the verb does and has a flag for each thing that it takes.
func TestEveryVerbHasACommand(t *testing.T) {
	for _, verb := range patch.Verbs() {
		t.Run(string(verb), func(t *testing.T) {
			cmd, _, err := newRoot().Find([]string{"wave", verb.Command()})
			require.NoError(t, err)
			require.Equal(t, verb.Command(), cmd.Name())
			require.NotEmpty(t, cmd.Short)
			require.NotNil(t, cmd.Flags().Lookup("reason"))
			for _, field := range verb.Spec().Fields {
				flag := cmd.Flags().Lookup(field.Flag())
				require.NotNil(t, flag, field.Flag())
				require.Equal(t, field.Usage, flag.Usage)
				require.Empty(t, flag.DefValue)
				require.NoError(t, flag.Value.Set(field.Example))
				require.Equal(t, field.Example, flag.Value.String())
			}
		})
	}
}

func TestWhatARefusalSays(t *testing.T) {
	no := temporal.NewApplicationError("the wave is running: it takes pause, not skip", "")
	require.EqualError(t, refused("wave-1", "skip", no),
		"wave-1 refused skip: the wave is running: it takes pause, not skip")
	away := errors.New("connection lost")
	require.EqualError(t, refused("wave-1", "skip", away), "tell wave-1 skip: connection lost", "nobody refused")
}
