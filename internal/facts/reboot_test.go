package facts

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/shelltest"
)

// A reboot is asked for by an exit code, of a machine that has not booted since, and of no other.
func TestRebootScript(t *testing.T) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Skip("this is no Linux machine, and the script is for Linux")
	}
	now := strings.TrimSpace(string(boot))
	for _, shell := range shelltest.Shells(t) {
		t.Run(shell.Name, func(t *testing.T) {
			document, lines := RebootScript(patch.Linux, now)
			require.Equal(t, "AWS-RunShellScript", document)
			ran := shell.Run(t, strings.Join(lines, "\n"))
			require.Equal(t, 194, ran.Code, ran.Stderr)
			require.Empty(t, Booted(ran.Stdout))

			_, lines = RebootScript(patch.Linux, "11111111-2222-3333-4444-555555555555")
			ran = shell.Run(t, strings.Join(lines, "\n"))
			require.Zero(t, ran.Code, ran.Stderr)
			require.Equal(t, now, Booted(ran.Stdout))

			script := shelltest.Replace(t, strings.Join(lines, "\n"), "</proc/sys/kernel/random/boot_id", "</dev/null")
			ran = shell.Run(t, script)
			require.Equal(t, 1, ran.Code, "what cannot be proven is not begun")
		})
	}
	document, lines := RebootScript(patch.Windows, "20261101020304123456")
	require.Equal(t, "AWS-RunPowerShellScript", document)
	require.Contains(t, strings.Join(lines, "\n"), "$asked = '20261101020304123456'")
	require.Equal(t, "exit 3010", lines[len(lines)-1])
	_, asks := Script(patch.Windows)
	for _, line := range asks {
		if strings.HasPrefix(line, "$boot = ") || strings.HasPrefix(line, "$first = ") {
			require.Contains(t, lines, line, "both reckon a boot in one way")
		}
	}
}
