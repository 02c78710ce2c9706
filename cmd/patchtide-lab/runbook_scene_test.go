package main

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mattn/go-shellwords"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/lab"
)

// onCall is somebody with the runbook: on the worker's machine, with a configuration that `patchtide init` wrote.
type onCall struct {
	*crashScene
	page   *runbookPage
	folder string
	values map[string]string // what stands for WAVE and INSTANCE
}

func newOnCall(t *testing.T, page *runbookPage, scenario string, speed float64) *onCall {
	t.Helper()
	o := &onCall{
		crashScene: newSceneAtSpeed(t, scenario, speed), page: page, folder: t.TempDir(), values: map[string]string{},
	}
	require.NoError(t, os.WriteFile(filepath.Join(o.folder, "journal.key"), []byte(strings.Repeat("k", 48)), 0o600))
	code, said := o.run(
		"init",
		"--external-id-from",
		"env:"+externalIDEnv,
		"--role",
		"staging=arn:aws:iam::222233334444:role/patchtide",
		"--role",
		"production=arn:aws:iam::111122223333:role/patchtide",
	)
	require.Equal(t, exitDone, code, said)
	code, said = o.run("check")
	require.Equal(t, exitDone, code, said)
	return o
}

// environ is what the worker's machine has in its environment.
func (o *onCall) environ() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + o.aws.url, "AWS_REGION=" + o.aws.region(), "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + o.aws.scenario.Home.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + o.aws.scenario.Home.SecretAccessKey,
		externalIDEnv + "=" + externalIDs(o.aws.scenario)[externalIDEnv],
		"TEMPORAL_ADDRESS=" + o.address, "TEMPORAL_NAMESPACE=" + lab.Namespace, "PATCHTIDE_TEMPORAL_UI=http://127.0.0.1:8233",
		"PATCHTIDE_EVIDENCE=" + filepath.Join(o.data, "worker", evidenceFolder),
	}
}

// run runs one command line of the product, and returns its exit code and all it said.
func (o *onCall) run(args ...string) (code int, said string) {
	o.t.Helper()
	binary, err := product()
	require.NoError(o.t, err)
	ctx, cancel := context.WithTimeout(o.t.Context(), waveBudget)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Env = o.folder, append(os.Environ(), o.environ()...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.NotNil(o.t, cmd.ProcessState, "%v", err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// do runs a command as the runbook shows it, which must end with one of the codes, and returns all it said, without
// underscores.
func (o *onCall) do(command string, codes ...int) (said string) {
	o.t.Helper()
	o.page.mark(o.t, command)
	code, said := o.run(o.args(command)...)
	o.t.Logf("%s: exit %d", command, code)
	require.Contains(o.t, codes, code, "%s: %s", command, said)
	return strings.ReplaceAll(said, "_", " ") // as states and outcomes are said to people
}

// args takes a command apart as a shell does, with what stands for its capitals.
func (o *onCall) args(command string) []string {
	o.t.Helper()
	words, err := shellwords.Parse(command)
	require.NoError(o.t, err)
	for i, word := range words {
		if value := o.values[word]; value != "" {
			words[i] = value
		}
		require.False(
			o.t, slices.Contains([]string{"WAVE", "INSTANCE"}, words[i]), "%s: nothing stands for %s, only for %v", command,
			word, slices.Sorted(maps.Keys(o.values)),
		)
	}
	return words[1:]
}

// start starts a wave of the plan web, which stands for WAVE from now on.
func (o *onCall) start(wave string, flags ...string) {
	o.t.Helper()
	o.values["WAVE"] = wave
	code, said := o.run(append([]string{"wave", "start", demoPlan, "--id", wave, "--reason", "monthly patches"}, flags...)...)
	require.Equal(o.t, exitDone, code, said)
}

const onHold = 3 // the product's exit code where a person is asked
