package config_test

import (
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
)

func TestProcessNeedsNoFile(t *testing.T) {
	t.Setenv("PATCHTIDE_TEMPORAL_ADDRESS", "temporal.example:7233")
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags)
	require.NoError(t, flags.Parse([]string{"--temporal-namespace", "patching"}))

	settings, err := config.Process(flags)
	require.NoError(t, err)
	require.Equal(t, "temporal.example:7233", settings.TemporalAddress)
	require.Equal(t, "patching", settings.TemporalNamespace)
	require.Equal(t, "info", settings.LogLevel, "a default")
}

func TestProcessNamesAWrongVariable(t *testing.T) {
	t.Setenv("PATCHTIDE_LOG_LEVEL", "loud")
	_, err := config.Process(nil)
	require.ErrorContains(t, err, "PATCHTIDE_LOG_LEVEL")
}
