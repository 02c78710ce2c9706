package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// Whoever asks what is blocked reads who said so, since when and why, and what clears it.
func TestWhatIsSaidOfBlockedPatches(t *testing.T) {
	one := patch.BlockedPatch{
		Platform: patch.Linux, Name: "curl.x86_64", Version: "0:8-1", Actor: "ann", Reason: "logins fail",
		Since: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC),
	}
	is := "curl.x86_64 0:8-1 is blocked by ann since 2026-11-22 02:00 UTC: logins fail"
	every := one
	every.Name = "curl"
	for _, c := range []struct {
		name   string
		result workflows.PatchesResult
		want   []string
	}{
		{"nothing", workflows.PatchesResult{Verb: patch.ListBlocked}, []string{"nothing is blocked"}},
		{
			"one",
			workflows.PatchesResult{Verb: patch.ListBlocked, Blocked: patch.Blocks{one}},
			[]string{is, `to clear it: patchtide patch clear curl.x86_64:0:8-1 --reason "..."`},
		},
		{
			"blocked just now", workflows.PatchesResult{
				Verb: patch.BlockPatch, Blocked: patch.Blocks{one}, Fresh: patch.Blocks{one}, Runs: []string{"i-1 got it"},
			}, []string{is, "  i-1 got it", "1 blocked in all"},
		},
		{
			"blocked already",
			workflows.PatchesResult{Verb: patch.BlockPatch, Blocked: patch.Blocks{one}},
			[]string{"nothing changed: it is blocked already"},
		},
		{
			"cleared", workflows.PatchesResult{
				Verb: patch.ClearPatch, Cleared: patch.Blocks{one}, Not: []string{"vim.x86_64 0:1-1"},
			}, []string{
				"cleared, and blocked no longer: curl.x86_64 0:8-1, which ", "not blocked: vim.x86_64 0:1-1", "0 blocked in all",
			},
		},
		{
			"cleared, and blocked for every architecture", workflows.PatchesResult{
				Verb: patch.ClearPatch, Cleared: patch.Blocks{one}, Blocked: patch.Blocks{every},
			}, []string{
				"cleared: curl.x86_64 0:8-1, which ",
				`blocked still, as curl 0:8-1; to clear that: patchtide patch clear curl:0:8-1 --reason "..."`, "1 blocked in all",
			},
		},
		{
			"cleared before", workflows.PatchesResult{Verb: patch.ListBlocked, Before: []patch.Clearing{
				{Patch: one, Actor: "bob", Reason: "it was the deployment", At: one.Since},
			}}, []string{"cleared: curl.x86_64 0:8-1 by bob at ", "it was the deployment"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, printPatches(&out, c.result))
			for _, want := range c.want {
				require.Contains(t, out.String(), want)
			}
		})
	}
}

// What is blamed may be said more than once.
func TestBlameMayBeRepeated(t *testing.T) {
	for _, verb := range patch.Verbs() {
		cmd, _, err := newRoot().Find([]string{"wave", verb.Command()})
		require.NoError(t, err)
		flag := cmd.Flags().Lookup("blame")
		require.Equal(t, verb.Spec().Blames, flag != nil, verb)
		if flag == nil {
			continue
		}
		require.NoError(t, flag.Value.Set("curl"))
		require.NoError(t, flag.Value.Set("vim.x86_64"))
		require.Equal(t, "curl,vim.x86_64", flag.Value.String())
	}
}

// What is asked for wrongly is told in the words of the command, before anything is asked of a worker.
func TestABlockThatIsAskedForWronglyIsAWrongUsage(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no version", []string{"foo"}, `patchtide: "foo" names no version; write it like`},
		{
			"an until that has passed",
			[]string{"curl.x86_64:0:8-1", "--until", "2020-01-01T00:00:00Z"},
			"patchtide: --until: 2020-01-01T00:00:00Z has passed",
		},
		{"an until that is none", []string{"curl.x86_64:0:8-1", "--until", "soon"}, `patchtide: --until: "soon" is no moment`},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := call(t, append([]string{"patch", "block", "--reason", "logins fail"}, c.args...)...)
			require.Equal(t, exitUsage, code)
			require.Empty(t, stdout)
			require.Contains(t, stderr, c.says)
		})
	}
}
