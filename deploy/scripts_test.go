package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeTool puts a program on PATH that records its arguments and does as body says.
func fakeTool(t *testing.T, folder, name, body string) {
	t.Helper()
	script := "#!/bin/sh\necho \"" + name + " $*\" >> \"$CALLS\"\n" + body + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(script), 0o755))
}

// runScript runs a script of deploy/temporal as its container does and returns the calls that its tools saw.
func runScript(t *testing.T, folder, script string, environment ...string) []string {
	t.Helper()
	calls := filepath.Join(folder, "calls")
	require.NoError(t, os.WriteFile(calls, nil, 0o600))
	command := exec.CommandContext(t.Context(), "/bin/sh", filepath.Join("temporal", script))
	command.Env = append(
		[]string{"PATH=" + folder + ":/usr/bin:/bin", "CALLS=" + calls, "STATE=" + folder}, environment...,
	)
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	content, err := os.ReadFile(calls)
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(content)), "\n")
}

func TestSchemaScript(t *testing.T) {
	folder := t.TempDir()
	fakeTool(t, folder, "temporal-sql-tool", "")
	require.Equal(t, []string{
		"temporal-sql-tool --db temporal create",
		"temporal-sql-tool --db temporal setup-schema --version 0.0",
		"temporal-sql-tool --db temporal update-schema --schema-dir /etc/temporal/schema/postgresql/v12/temporal/versioned",
		"temporal-sql-tool --db temporal_visibility create",
		"temporal-sql-tool --db temporal_visibility setup-schema --version 0.0",
		"temporal-sql-tool --db temporal_visibility update-schema --schema-dir " +
			"/etc/temporal/schema/postgresql/v12/visibility/versioned",
	}, runScript(t, folder, "schema.sh"))
}

func TestNamespaceScriptMakesOnlyWhatIsMissing(t *testing.T) {
	folder := t.TempDir()
	// It remembers what was made, and its first attribute's name begins with the second one's.
	fakeTool(t, folder, "temporal", `case "$*" in
*"namespace describe"*) test -e "$STATE/namespace" ;;
*"namespace create"*) touch "$STATE/namespace" ;;
*"search-attribute create"*) echo "  $7  Keyword" >> "$STATE/attributes" ;;
*"search-attribute list"*) cat "$STATE/attributes" ;;
esac`)
	environment := []string{
		"TEMPORAL_ADDRESS=temporal:7233", "TEMPORAL_NAMESPACE=default", "RETENTION=720h", "SEARCH_ATTRIBUTES=PlanB Plan",
	}
	created := func(calls []string) (out []string) {
		for _, call := range calls {
			if strings.Contains(call, " create ") {
				out = append(out, call)
			}
		}
		return out
	}
	require.Equal(t, []string{
		"temporal operator namespace create --namespace default --retention 720h",
		"temporal operator search-attribute create --namespace default --name PlanB --type Keyword",
		"temporal operator search-attribute create --namespace default --name Plan --type Keyword",
	}, created(runScript(t, folder, "namespace.sh", environment...)))
	require.Empty(t, created(runScript(t, folder, "namespace.sh", environment...)), "a second start makes nothing")
}
