package deploy_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each command that compose gives the product is read by the product itself: with --help behind it nothing runs, but a
// flag or a subcommand that is not there is refused. The laboratory's own tests read its command; linking it here would
// bring the Temporal server along.
func TestCommandsAreTheProducts(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "patchtide")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/patchtide").CombinedOutput()
	require.NoError(t, err, string(output))
	for name, service := range everything(t).Services {
		if service.Build == nil || service.Build.Target != "patchtide" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			output, err := exec.CommandContext(
				t.Context(), binary, append([]string(service.Command), "--help")...,
			).CombinedOutput()
			require.NoError(t, err, string(output))
			require.Contains(
				t, string(output), "patchtide "+service.Command[0], "the help is that of the command and not of the program",
			)
		})
	}
	output, err = exec.CommandContext(t.Context(), binary, "worker", "--no-such-flag", "--help").CombinedOutput()
	require.Error(t, err, "the test would see a flag that is not there: %s", output)
}
