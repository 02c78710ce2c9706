package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
)

// call runs one command line as a shell would.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// file writes a configuration: the example, with each pair's first text replaced by its second.
func file(t *testing.T, pairs ...string) string {
	t.Helper()
	text := string(config.Example())
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, text, pairs[i])
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	path := filepath.Join(t.TempDir(), "patchtide.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestCheckOfARightFile(t *testing.T) {
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1") // where none answers, nothing is said of workers
	path := file(t)
	code, stdout, stderr := call(t, "check", "--config", path)
	require.Equal(t, exitDone, code, stderr)
	require.Equal(
		t,
		path+" is right: 2 accounts, plans [web]\nplan web: an instance that fails gets its root volume back as it was, "+
			"and loses what was written to it since\n",
		stdout,
	)
	require.Empty(t, stderr)

	code, stdout, stderr = call(t, "check", "--json", "--config", path)
	require.Equal(t, exitDone, code, stderr)
	require.JSONEq(t, `{"ok": true, "problems": []}`, stdout)
	require.Empty(t, stderr)
}

func TestCheckWarnsOfAPlanThatPromotesWhatWasPutBack(t *testing.T) {
	path := file(t, "bake: 10m", "bake: 10m\n        promote: with_skips",
		"approval: {required: true, timeout: 24h}", "approval: {required: false}")
	code, stdout, stderr := call(t, "check", "--config", path)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "plan web: promote: with_skips lets stage production begin by itself after instances of "+
		"stage staging failed and were put back")
}

// The day of an exception that is over is told, and with --strict it is a mistake of the file.
func TestCheckOfAnExceptionThatIsOver(t *testing.T) {
	own := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(own, "ours.yaml"), []byte("name: ours\ndescription: Ours.\n"+
		"operating_system: AMAZON_LINUX_2023\nrules: [{name: all, approve_after_days: 7}]\n"+
		"exceptions: [{patch: 'docker*', owner: ann, reason: breaks the runtime, until: 2026-01-31}]\n"), 0o600))
	path := file(t, "baseline: amazon-linux-2023", "baseline: ours")
	says := "baseline ours has an exception of docker* until 2026-01-31, for which ann answers: breaks the runtime. That " +
		"day is over, and it rejects still"
	code, stdout, stderr := call(t, "check", "--config", path, "--baselines-dir", own)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "plan web: "+says)
	code, _, stderr = call(t, "check", "--strict", "--config", path, "--baselines-dir", own)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "plans[0].baseline: "+says)
}

func TestCheckWarnsOfBackupsThatASoakOutlasts(t *testing.T) {
	path := file(t, "        service: web\n", "        service: web\n        after: 3d\n")
	code, stdout, stderr := call(t, "check", "--config", path)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "plan web: stage production waits 3d for stage staging: from 1d on (rollback_max_age) its "+
		"backups count as old, and a roll back asks for --accept-loss once the wave has closed")
}

func TestCheckTellsWhereAndWhatToWrite(t *testing.T) {
	for _, c := range []struct {
		name  string
		pairs []string
		key   string
		want  string // a part of the message
	}{
		{"unknown key", []string{"restore: root_volume", "restor: root_volume"}, "plans[0].restor", "restore"},
		{
			"wrong type",
			[]string{"max_unavailable: 1", "max_unavailable: one"},
			"plans[0].stages[1].max_unavailable",
			`write it like 2 or "10%"`,
		},
		{"an account id without quotes", []string{`id: "222233334444"`, "id: 222233334444"}, "accounts[0].id", "quote it"},
		{
			"a missing account",
			[]string{"- account: staging", "- account: stagging"},
			"plans[0].stages[0].groups[0].account",
			"stagging",
		},
		{"no journal key", []string{"journal_key_from: file:journal.key", ""}, "journal_key_from", "is missing"},
		{"a local folder for many workers", []string{"single_worker: true", ""}, "evidence", "single_worker: true"},
		{
			"a baseline that is none",
			[]string{"baseline: amazon-linux-2023", "baseline: amazon-linux-1"},
			"plans[0].baseline",
			"amazon-linux-2023",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := file(t, c.pairs...)
			code, stdout, stderr := call(t, "check", "--config", path)
			require.Equal(t, exitUsage, code)
			require.Empty(t, stdout)
			require.Contains(t, stderr, path)
			require.Contains(t, stderr, c.key)
			require.Contains(t, stderr, c.want)

			code, stdout, stderr = call(t, "check", "--json", "--config", path)
			require.Equal(t, exitUsage, code)
			require.Empty(t, stderr, "with --json everything is in the document")
			var document checked
			require.NoError(t, json.Unmarshal([]byte(stdout), &document))
			require.False(t, document.OK)
			require.Equal(t, path, document.Problems[0].File)
			require.Equal(t, c.key, document.Problems[0].Key)
			require.Contains(t, document.Problems[0].Message, c.want)
		})
	}
}

func TestCheckTellsEveryMistakeAtOnce(t *testing.T) {
	path := file(t, "restore: root_volume", "restor: root_volume", "max_unavailable: 1", "max_unavailable: one")
	code, _, stderr := call(t, "check", "--config", path)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "restor")
	require.Contains(t, stderr, "max_unavailable")
}

func TestWrongUsage(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.yaml")
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown command", []string{"dance"}, `unknown command "dance"`},
		{"a misspelt command", []string{"wvae"}, "did you mean wave?"},
		{"a misspelt verb", []string{"wave", "aprove", "wave-1"}, "did you mean approve?"},
		{
			"a number that is none",
			[]string{"wave", "set-concurrency", "wave-1", "--max-parallel-groups", "two"},
			`--max-parallel-groups "two" is no whole number`,
		},
		{"another", []string{"wave", "skip", "wave-1", "--hold", "two"}, `--hold "two" is no whole number`},
		{
			"a number that is too large",
			[]string{"wave", "list", "--most", "99999999999999999999"},
			"is too large a number",
		},
		{"a duration that is none", []string{"reconcile", "schedule", "--every", "often"}, "write one like 1h"},
		{"a hold that nobody explains", []string{"reconcile", "schedule", "--pause"}, "--reason is missing"},
		{"unknown flag", []string{"check", "--confg", "x"}, "unknown flag: --confg; did you mean --config?"},
		{"check takes no argument", []string{"check", "patchtide.yaml"}, "patchtide.yaml"},
		{"no such file", []string{"check", "--config", missing}, missing},
		{"worker without a file", []string{"worker", "--config", missing}, missing},
		{"wave start without a plan", []string{"wave", "start"}, "patchtide wave start takes PLAN, and 0 were given"},
		{"two plans", []string{"wave", "start", "web", "api"}, "takes PLAN, and 2 were given"},
		{
			"of one that runs by itself",
			[]string{"freeze", "shwo"},
			`unknown command "shwo" for "patchtide freeze"; did you mean show?`,
		},
		{
			"what others call it",
			[]string{"freeze", "list"},
			`unknown command "list" for "patchtide freeze"; did you mean show?`,
		},
		{"unknown verb", []string{"wave", "explode", "wave-1"}, `unknown command "explode"`},
		{
			"a verb by the name of its Update",
			[]string{"wave", "roll_back", "wave-1", "--reason", "x"},
			`unknown command "roll_back" for "patchtide wave"; did you mean roll-back?`,
		},
		{"a verb without a wave", []string{"wave", "approve", "--reason", "x"}, "takes WAVE, and 0 were given"},
		{
			"a verb without a reason",
			[]string{"wave", "skip", "wave-1", "--actor", "me"},
			"--reason is missing; the next on-call will want to know\nSee",
		},
		{
			"a verb without an actor",
			[]string{"wave", "skip", "wave-1", "--actor", "", "--reason", "x"},
			"--actor is missing; say who you are\nSee",
		},
		{
			"a scope that is none",
			[]string{"wave", "roll-back", "wave-1", "--actor", "me", "--reason", "x", "--scope", "all"},
			"neither stage nor wave",
		},
		{
			"a scope of another verb",
			[]string{"wave", "skip", "wave-1", "--actor", "me", "--reason", "x", "--scope", "wave"},
			"unknown flag: --scope",
		},
		{
			"set-concurrency without a number",
			[]string{"wave", "set-concurrency", "wave-1", "--actor", "me", "--reason", "x"},
			"--max-parallel-groups must be 1 or more\nSee",
		},
		{
			"extend-window without a moment",
			[]string{"wave", "extend-window", "wave-1", "--actor", "me", "--reason", "x"},
			"--until is missing: write when the window is to close",
		},
		{"freeze without a reason", []string{"freeze", "--actor", "me"}, "--reason is missing"},
		{"block without a reason", []string{"patch", "block", "curl:8-1", "--actor", "me"}, "--reason is missing"},
		{
			"block all versions",
			[]string{"patch", "block", "curl", "--actor", "me", "--reason", "x"},
			`"curl" names no version; write it like openssl.x86_64:1:3.2.2-1.amzn2023.0.1`,
		},
		{"block nothing", []string{"patch", "block", "--actor", "me", "--reason", "x"}, "takes PATCH..., and 0 were given"},
		{
			"block on another system",
			[]string{"patch", "block", "curl:8-1", "--platform", "macos", "--actor", "me", "--reason", "x"},
			`--platform: "macos" is neither linux nor windows`,
		},
		{"clear without a reason", []string{"patch", "clear", "curl:8-1", "--actor", "me"}, "--reason is missing"},
		{
			"a blame of nothing",
			[]string{"wave", "skip", "wave-1", "--blame", "", "--actor", "me", "--reason", "x"},
			"names no package",
		},
		{"scan without a plan", []string{"scan"}, "takes PLAN, and 0 were given"},
		{"plan without a plan", []string{"plan"}, "takes PLAN, and 0 were given"},
		{"plan of two", []string{"plan", "web", "api"}, "takes PLAN, and 2 were given"},
		{"plan that scans somehow", []string{"plan", "web", "--scan=often"}, `--scan "often" is neither true nor false`},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := call(t, c.args...)
			require.Equal(t, exitUsage, code, stderr)
			require.Contains(t, stderr, c.want)
			require.Empty(t, stdout)
		})
	}
}

// Nothing listens there: the answer names the address and how to give another.
func TestNoTemporal(t *testing.T) {
	for _, args := range [][]string{
		{"wave", "start", "web"},
		{"wave", "show", "wave-1"},
		{"wave", "skip", "wave-1", "--actor", "me", "--reason", "x"},
		{"scan", "web"},
		{"plan", "web"},
		{"plan", "web", "--json"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			code, stdout, stderr := call(t, append(args, "--temporal-address", "127.0.0.1:1")...)
			require.Equal(t, exitFailed, code)
			require.Contains(t, stderr, "127.0.0.1:1")
			require.Contains(t, stderr, "TEMPORAL_ADDRESS")
			require.Empty(t, stdout)
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{{}, {"wave"}, {"help"}} {
		code, stdout, stderr := call(t, args...)
		require.Equal(t, exitDone, code)
		require.Contains(t, stdout, "Commands:")
		require.Empty(t, stderr)
	}
	for _, asked := range []string{"version", "--version"} {
		code, stdout, _ := call(t, asked)
		require.Equal(t, exitDone, code)
		require.Equal(t, "patchtide "+version()+"\n", stdout)
	}
}

// Who decides is what the client says: every command that asks for it says so.
func TestEveryActorIsToldAsUnproven(t *testing.T) {
	var look func(cmd *cobra.Command) int
	look = func(cmd *cobra.Command) int {
		found := 0
		if flag := cmd.Flags().Lookup("actor"); flag != nil {
			found++
			require.Contains(t, flag.Usage, "nothing proves", cmd.CommandPath())
		}
		for _, child := range cmd.Commands() {
			found += look(child)
		}
		return found
	}
	require.Greater(t, look(newRoot()), 10)
}
