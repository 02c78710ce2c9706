package config_test

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
)

func TestPrecedence(t *testing.T) {
	for _, c := range []struct {
		name, file, env, flag, want string
	}{
		{"default", "", "", "", "info"},
		{"file over default", "log_level: debug", "", "", "debug"},
		{"environment over file", "log_level: debug", "warn", "", "warn"},
		{"environment over default", "", "warn", "", "warn"},
		{"flag over environment", "log_level: debug", "warn", "error", "error"},
		{"flag over file", "log_level: debug", "", "error", "error"},
		{"flag that repeats the default still wins", "log_level: debug", "warn", "info", "info"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("PATCHTIDE_LOG_LEVEL", c.env)
			flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
			config.AddFlags(flags)
			if c.flag != "" {
				require.NoError(t, flags.Parse([]string{"--log-level", c.flag}))
			}
			got, err := config.Parse("f.yaml", append(config.Example(), []byte("\n"+c.file+"\n")...), flags)
			require.NoError(t, err)
			require.Equal(t, c.want, got.Settings.LogLevel)
		})
	}

	t.Run("every setting has a flag and a variable", func(t *testing.T) {
		flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
		config.AddFlags(flags)
		for _, s := range config.SettingsTable() {
			require.NotNil(t, flags.Lookup(s.Flag), s.Key)
			require.NotEmpty(t, s.Doc, s.Key)
			require.Equal(t, "PATCHTIDE_"+strings.ToUpper(s.Key), s.Env)
		}
		require.NoError(t, flags.Parse([]string{"--single-worker"}))
		got, err := config.Parse("f.yaml", []byte(replaced(t, "single_worker: true", "single_worker: false")), flags)
		require.NoError(t, err)
		require.True(t, got.Settings.SingleWorker)
	})

	t.Run("nothing inside lists is overridden", func(t *testing.T) {
		t.Setenv("PATCHTIDE_ACCOUNTS", "x")
		t.Setenv("PATCHTIDE_PLANS_0_NAME", "x")
		got, err := config.Parse("f.yaml", config.Example(), nil)
		require.NoError(t, err)
		require.Equal(t, []string{"web"}, got.PlanNames())
	})

	t.Run("a wrong value is named by its variable or flag", func(t *testing.T) {
		t.Setenv("PATCHTIDE_SINGLE_WORKER", "yes")
		t.Setenv("PATCHTIDE_TEMPORAL_ADDRESS", "7233")
		t.Setenv("PATCHTIDE_BASELINES_DIR", "./none")
		t.Setenv("PATCHTIDE_EVIDENCE", "ftp://x")
		flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
		config.AddFlags(flags)
		require.NoError(t, flags.Parse([]string{"--log-level=loud"}))
		_, err := config.Parse("f.yaml", config.Example(), flags)
		require.EqualError(t, err, `command line: --log-level: "loud" is not known; write one of debug, info, warn, error
environment: PATCHTIDE_BASELINES_DIR: ./none cannot be read: no such file or directory; give a directory of *.yaml files, or leave it out
environment: PATCHTIDE_EVIDENCE: is no place for evidence; write it like evidence: s3://bucket/prefix, or a folder like ./evidence
environment: PATCHTIDE_SINGLE_WORKER: "yes" is neither true nor false
environment: PATCHTIDE_TEMPORAL_ADDRESS: does not have the right form; write it like 127.0.0.1:7233`)
	})
}
