package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
)

// What a worker would do otherwise is another configuration; what only people read, or the process, is none.
func TestAFingerprintIsOfWhatWavesDo(t *testing.T) {
	of := func(text string) string {
		loaded, err := config.Parse("patchtide.yaml", []byte(text), nil)
		require.NoError(t, err)
		fingerprint, err := loaded.Fingerprint()
		require.NoError(t, err)
		require.Regexp(t, "^[0-9a-f]{12}$", fingerprint)
		return fingerprint
	}
	example := string(config.Example())
	for _, c := range []struct {
		name     string
		old, new string
		same     bool
	}{
		{"a comment", "accounts:\n", "# who\naccounts:\n", true},
		{"a default that is written out", "    backup: snapshot\n", "    backup: snapshot\n    retention: 168h\n", true},
		{"how the process logs", "accounts:\n", "log_level: debug\naccounts:\n", true},
		{
			"a window", "    backup: snapshot\n",
			"    backup: snapshot\n    windows: [{schedule: \"cron(0 2 ? * SUN *)\", duration: 4h}]\n", false,
		},
		{"a baseline", "baseline: amazon-linux-2023", "baseline: ubuntu-22.04", false},
		{"a group", "auto_scaling_group: web\n", "auto_scaling_group: shop\n", false},
		{"whom to tell", "accounts:\n", "notify: [{slack: {webhook_from: 'ssm:/x'}}]\naccounts:\n", false},
		{"an earlier key", "accounts:\n", "journal_older_keys_from: [file:older.key]\naccounts:\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(example, c.old), c.old)
			changed := of(strings.Replace(example, c.old, c.new, 1))
			require.Equal(t, c.same, changed == of(example))
		})
	}
}
