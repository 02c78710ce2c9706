package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/baselinesync"
	"github.com/patchtide/patchtide/internal/terminaltest"
	"github.com/patchtide/patchtide/workflows"
)

// rejectByHand lets somebody reject patches in production's baseline, in Systems Manager.
func rejectByHand(t *testing.T, sim *awssim.Sim, patches ...string) {
	t.Helper()
	sim.Inspect(func(w *world.World) {
		region := w.Account(simtest.Production.Account.ID).Region(simtest.Tokyo)
		for _, b := range region.Baselines() {
			if b.Name == "patchtide-amazon-linux-2023" {
				changed := *b
				changed.Rejected = patches
				require.NoError(t, region.UpdateBaseline(changed))
			}
		}
	})
}

// What an infrastructure team does: see that something is missing, make it, see that it is equal, see what somebody
// changed and where an account is away, and put it back.
func TestBaselinesAreComparedAndSynced(t *testing.T) {
	sim := simulated(t)
	path := file(t)
	at := []string{"--config", path}
	sync := func(more ...string) []string { return append(append([]string{"baseline", "sync"}, more...), at...) }
	diff := func(more ...string) []string { return append(append([]string{"baseline", "diff"}, more...), at...) }

	code, stdout, stderr := call(t, diff()...)
	require.Equal(t, exitFailed, code, stderr)
	require.Contains(
		t, stdout, "amazon-linux-2023 in production/ap-northeast-1: patchtide-amazon-linux-2023 is not there yet",
	)
	require.Contains(t, stdout, "0 equal, 0 different, 2 not there yet, 0 not read")

	code, _, stderr = call(t, sync()...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "nobody can be asked here; look with --dry-run, then give --yes")
	code, _, stderr = call(t, sync("--dry-run")...)
	require.Equal(t, exitFailed, code, stderr)
	require.Zero(t, sim.Calls()["ssm:CreatePatchBaseline"])

	code, stdout, stderr = call(t, sync("--yes")...)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "amazon-linux-2023 in staging/ap-northeast-1: made (pb-")
	require.Contains(t, stdout, "2 made, 0 changed, 0 unchanged, 0 failed")
	code, stdout, stderr = call(t, sync("--yes")...)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "0 made, 0 changed, 2 unchanged, 0 failed")
	code, stdout, stderr = call(t, diff()...)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "2 equal, 0 different")

	rejectByHand(t, sim, "kernel*")
	code, stdout, stderr = call(t, diff("amazon-linux-2023")...)
	require.Equal(t, exitFailed, code, stderr)
	require.Contains(t, stdout, "amazon-linux-2023 in production/ap-northeast-1: patchtide-amazon-linux-2023 (pb-")
	require.Contains(t, stdout, "  it was changed last on "+time.Now().UTC().Format(time.DateOnly))
	require.Contains(t, stdout, "; it was written from this file, and somebody changed it in Systems Manager since")
	require.Contains(t, stdout, "  rejected patches\n    - kernel*\n    + nothing\n")
	require.Contains(t, stdout, "- is what Systems Manager has, + is what the file says\n1 equal, 1 different")

	code, stdout, _ = call(t, diff("--json")...)
	require.Equal(t, exitFailed, code)
	var states []baselinesync.State
	require.NoError(t, json.Unmarshal([]byte(stdout), &states))
	require.Len(t, states, 2)
	require.Equal(t, baselinesync.Different, states[1].Condition)
	require.Equal(t, []baselines.Difference{{What: "rejected patches", Found: "kernel*"}}, states[1].Differences)

	code, stdout, stderr = call(t, sync("--yes", "--json")...)
	require.Equal(t, exitDone, code, stderr)
	require.NoError(t, json.Unmarshal([]byte(stdout), &states))
	require.Equal(t, []string{"unchanged", "changed"}, []string{states[0].Done, states[1].Done})

	code, _, stderr = call(t, diff("rhel-9")...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "no plan of "+path+" is patched by the baseline rhel-9; plans are by amazon-linux-2023")
	code, _, stderr = call(t, diff("beos")...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, `there is no baseline "beos"`)
}

// An account that cannot be entered is named, keeps nobody from the others, and is neither equal nor different.
func TestABaselineThatCannotBeRead(t *testing.T) {
	sim := simulated(t)
	path := file(t, "arn:aws:iam::222233334444:role/patchtide\n", "arn:aws:iam::222233334444:role/nobody\n")
	code, stdout, stderr := call(t, "baseline", "sync", "--yes", "--config", path)
	require.Equal(t, exitGaps, code, stderr)
	require.Contains(t, stdout, "amazon-linux-2023 in staging/ap-northeast-1: failed: ")
	require.Contains(t, stdout, "1 made, 0 changed, 0 unchanged, 1 failed")

	code, stdout, stderr = call(t, "baseline", "diff", "--config", path)
	require.Equal(t, exitGaps, code, stderr)
	require.Regexp(t, `staging/ap-northeast-1: not read: .*AccessDenied`, stdout)
	require.Contains(t, stdout, "1 equal, 0 different, 0 not there yet, 1 not read")
	rejectByHand(t, sim, "kernel*")
	code, _, stderr = call(t, "baseline", "diff", "--config", path)
	require.Equal(t, exitFailed, code, stderr)
}

// On a terminal it shows what differs, asks, and takes a no for a no.
func TestBaselineSyncAsks(t *testing.T) {
	for answer, c := range map[string]struct{ says, fails string }{
		"y": {"2 made, 0 changed, 0 unchanged, 0 failed", ""},
		"n": {"", "nothing was changed"},
	} {
		t.Run(answer, func(t *testing.T) {
			sim := simulated(t)
			terminal, ended := onTerminal(t, "baseline", "sync", "--config", file(t))
			terminal.Shows("2 not there yet", "Make 2 baselines equal to the files?")
			terminal.Type(answer)
			if c.says != "" {
				terminal.Shows(c.says)
			}
			err := <-ended
			if c.fails == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.fails)
			require.Zero(t, sim.Calls()["ssm:CreatePatchBaseline"])
		})
	}
	t.Run("left", func(t *testing.T) {
		sim := simulated(t)
		terminal, ended := onTerminal(t, "baseline", "sync", "--config", file(t))
		terminal.Shows("Make 2 baselines equal to the files?")
		terminal.Type(terminaltest.CtrlC)
		require.ErrorContains(t, <-ended, "nothing was changed")
		require.Zero(t, sim.Calls()["ssm:CreatePatchBaseline"])
	})
}

// What is in Systems Manager becomes a file, plans name it, and a comparison finds nothing.
func TestABaselineIsAdopted(t *testing.T) {
	sim := simulated(t)
	days := 3
	for _, account := range []string{simtest.Production.Account.ID, simtest.Staging.Account.ID} {
		sim.Inspect(func(w *world.World) {
			region := w.Account(account).Region(simtest.Tokyo)
			made, err := region.CreateBaseline(world.Baseline{
				Name: "Corp-AL2023", OS: "AMAZON_LINUX_2023", Rejected: []string{"docker*"},
				Rules: []world.ApprovalRule{{
					AfterDays: &days, Filters: []world.PatchFilter{{Key: "CLASSIFICATION", Values: []string{"Security"}}},
				}},
			})
			require.NoError(t, err)
			require.NoError(t, region.RegisterPatchGroup("corp", made.ID))
		})
	}
	own := t.TempDir()
	adopt := func(config string, more ...string) []string {
		return append([]string{
			"baseline", "adopt", "Corp-AL2023", "--account", "production", "--region", "ap-northeast-1", "--config", config,
		}, more...)
	}
	path := file(t)
	code, _, stderr := call(t, adopt(path)...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "where to? set baselines_dir in the configuration, or name a file by --out")
	code, stdout, stderr := call(t, adopt(path, "--out", "-")...)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "ssm_name: Corp-AL2023\n")

	code, stdout, stderr = call(t, adopt(path, "--baselines-dir", own)...)
	require.Equal(t, exitDone, code, stderr)
	written := filepath.Join(own, "corp-al2023.yaml")
	require.Contains(t, stdout, written+": Corp-AL2023 of production/ap-northeast-1 (pb-")
	require.FileExists(t, written)
	require.Equal(t, 0, sim.Calls()["ssm:UpdatePatchBaseline"])

	path = file(t, "baseline: amazon-linux-2023", "baseline: corp-al2023")
	code, stdout, stderr = call(t, "baseline", "diff", "--config", path, "--baselines-dir", own)
	require.Equal(t, exitDone, code, stdout+stderr)
	require.Contains(t, stdout, "2 equal, 0 different")
	code, stdout, stderr = call(t, "baseline", "list", "--config", path, "--baselines-dir", own)
	require.Equal(t, exitDone, code, stderr)
	require.Regexp(t, `corp-al2023 +\| AMAZON_LINUX_2023 +\| .*corp-al2023.yaml +\| +\| web`, stdout)

	code, _, stderr = call(t, adopt(file(t), "--out", written)...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "is there already; name another file by --out, or give --force")
	code, _, stderr = call(t, adopt(path, "--account", "nobody", "--baselines-dir", own)...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, `there is no account "nobody"`)
	code, _, stderr = call(t, "baseline", "adopt", "x")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--account is missing")
}

// Baselines are linted without a configuration, and their mistakes all told.
func TestBaselineLint(t *testing.T) {
	t.Chdir(t.TempDir())
	code, stdout, stderr := call(t, "baseline", "lint")
	require.Equal(t, exitDone, code, stderr)
	require.Equal(t, "20 baselines, 0 mistakes, 0 warnings\n", stdout)

	require.NoError(t, os.WriteFile("over.yaml", []byte("name: over\ndescription: x\noperating_system: UBUNTU\n"+
		"rules: [{name: all}]\nexceptions: [{patch: vim, owner: ann, reason: x, until: 2026-01-31}]\n"), 0o600))
	const wrong = "name: wrong\noperating_system: UBUNTU\nrules: [{name: all}]\n"
	require.NoError(t, os.WriteFile("wrong.yaml", []byte(wrong), 0o600))
	code, stdout, stderr = call(t, "baseline", "lint", "over.yaml")
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "warning: over.yaml:5: exceptions[0].until: the day of the exception of vim is over")
	code, _, _ = call(t, "baseline", "lint", "over.yaml", "--strict")
	require.Equal(t, exitUsage, code)

	code, stdout, _ = call(t, "baseline", "lint", "--baselines-dir", ".")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stdout, "wrong.yaml:1: description: is missing; write it like")
	require.Contains(t, stdout, "22 baselines, 1 mistake, 1 warning\n")
	code, stdout, _ = call(t, "baseline", "lint", "--baselines-dir", ".", "--json")
	require.Equal(t, exitUsage, code)
	var found linted
	require.NoError(t, json.Unmarshal([]byte(stdout), &found))
	require.False(t, found.OK)
	require.Len(t, found.Problems, 1)
	require.Len(t, found.Warnings, 1)

	code, _, stderr = call(t, "baseline", "lint", "none.yaml")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "none.yaml: no such file or directory")
	code, stdout, stderr = call(t, "baseline", "list")
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "windows-server-2025")
}

// A scan that found its baseline changed says what differed and since when.
func TestAScanTellsADriftOfItsBaseline(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, printFleet(&out, workflows.FleetScan{Groups: []workflows.GroupScan{{
		BaselineID: "pb-1", BaselineDiffered: `rejected patches is "kernel*", should be nothing (it was changed last on ...)`,
	}}}))
	require.Contains(t, out.String(), "it differed from the file until this scan made it equal: rejected patches is")
}
