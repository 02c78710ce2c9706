package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/screen"
)

func looked(state patch.WaveState, outcome patch.Outcome) screen.Look {
	return screen.Look{
		At: time.Date(2026, 11, 22, 2, 0, 0, 0, time.Local), Closed: state == patch.StateClosed,
		Status: patch.WaveStatus{
			WaveID: "wave-web-1", Plan: "web", State: state, Outcome: outcome, Verbs: patch.VerbsIn(state, false),
		},
	}
}

// inLines watches a wave that shows itself as looks, one after the other.
func inLines(t *testing.T, how watching, flags []string, looks ...screen.Look) (screen.Look, string, error) {
	t.Helper()
	cmd, _, err := newRoot().Find([]string{"wave", "watch"})
	require.NoError(t, err)
	require.NoError(t, cmd.ParseFlags(flags))
	var out bytes.Buffer
	cmd.SetOut(&out)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cmd.SetContext(ctx)
	how.every = time.Millisecond
	next := 0
	last, err := watchInLines(cmd, func(context.Context) screen.Look {
		if next++; next < len(looks) {
			return looks[next]
		}
		stop() // nobody watches longer
		return looks[len(looks)-1]
	}, looks[0], how)
	return last, out.String(), err
}

func TestPlainLinesOutlastAnOutage(t *testing.T) {
	away := screen.Look{Err: errors.New("connection refused")}
	away.Details.Waits.On = []patch.Wait{{Activity: "AwaitInstall", Attempt: 2, Failure: "the install, step install"}}
	last, text, err := inLines(
		t,
		watching{},
		nil,
		looked(patch.StateRunning, ""),
		away,
		away,
		looked(patch.StateRunning, ""),
		looked(patch.StateClosed, patch.Succeeded),
	)
	require.NoError(t, err)
	require.True(t, last.Closed)
	since := console.Clock(looked(patch.StateRunning, "").At)
	require.Equal(
		t, 1, strings.Count(text, "No answer since "+since+": connection refused"), "said once: %s", text,
	)
	require.Regexp(t, `^\d\d:\d\d:\d\d [A-Z]+  Watching wave-web-1\n`, text, "a log that is cut off still says which wave")
	require.Equal(
		t, 1, strings.Count(text, "It waits for the wave: await install, attempt 2: the install, step install\n"),
		"what Temporal tells without a worker: %s", text,
	)
	require.Contains(t, text, "It answers again")
	require.Contains(t, text, "closed: succeeded")
}

func TestPlainLinesEndOnHoldOnlyWhenAsked(t *testing.T) {
	held := looked(patch.StateOnHold, "")
	last, _, err := inLines(t, watching{untilHold: true}, nil, looked(patch.StateRunning, ""), held)
	require.NoError(t, err)
	require.Equal(t, patch.StateOnHold, last.Status.State)

	_, _, err = inLines(t, watching{}, nil, held, held)
	require.ErrorContains(t, err, "stopped watching; wave-web-1 waits for somebody (on hold), whoever watches. It waits "+
		"until somebody answers. Watch it again: `patchtide wave watch wave-web-1`")
	running := looked(patch.StateRunning, "")
	_, _, err = inLines(t, watching{}, nil, running, running)
	require.ErrorContains(t, err, "stopped watching; wave-web-1 goes on without you (running). Watch it again:")
}

// A wave that was just told what to do may still be in the state in which it asked: it asks no more.
func TestPlainLinesGoOnWhileADecisionIsCarriedOut(t *testing.T) {
	for _, state := range []patch.WaveState{patch.StateAwaitingApproval, patch.StateOnHold, patch.StatePaused, patch.StateParked} {
		told := looked(state, "")
		told.Status.Verbs = nil
		last, _, err := inLines(t, watching{untilHold: true}, nil, told, told, looked(patch.StateClosed, patch.Aborted))
		require.NoError(t, err)
		require.Equal(t, patch.Aborted, last.Status.Outcome, state)
	}
}

// Whoever told a wave to roll back asked for that, and not for its patches.
func TestExitCodeOfAWaveThatWasToldToRollBack(t *testing.T) {
	for _, c := range []struct {
		name string
		look screen.Look
		code int
	}{
		{"put back", looked(patch.StateClosed, patch.RolledBack), exitDone},
		{"nothing was patched", looked(patch.StateClosed, patch.NothingPutBack), exitDone},
		{"not all of it", looked(patch.StateClosed, patch.Failed), exitFailed},
		{"aborted meanwhile", looked(patch.StateClosed, patch.Aborted), exitFailed},
		{"it asks", looked(patch.StateOnHold, ""), exitOnHold},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := watching{untilHold: true, putsBack: true}.exit(c.look.Status)
			var exit *exitError
			if c.code == exitDone {
				require.NoError(t, err)
				return
			}
			require.ErrorAs(t, err, &exit)
			require.Equal(t, c.code, exit.code)
		})
	}
}

// The exit code is the wave's: 0 done, 1 failed, 3 on hold.
func TestExitCodeOfAWatchedWave(t *testing.T) {
	for name, c := range map[string]struct {
		look screen.Look
		code int
	}{
		"succeeded":   {looked(patch.StateClosed, patch.Succeeded), exitDone},
		"with skips":  {looked(patch.StateClosed, patch.SucceededWithSkips), exitDone},
		"stale image": {looked(patch.StateClosed, patch.SucceededImageStale), exitStale},
		"rolled back": {looked(patch.StateClosed, patch.RolledBack), exitFailed},
		"aborted":     {looked(patch.StateClosed, patch.Aborted), exitFailed},
		"on hold":     {looked(patch.StateOnHold, ""), exitOnHold},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			cmd := &cobra.Command{}
			printsJSON(cmd)
			require.NoError(t, cmd.ParseFlags([]string{"--json"}))
			cmd.SetOut(&out)
			cmd.SetContext(t.Context())
			err := showStatus(cmd, rolledBackLater{}, c.look.Status)
			var exit *exitError
			if c.code == exitDone {
				require.NoError(t, err)
			} else {
				require.ErrorAs(t, err, &exit)
				require.Equal(t, c.code, exit.code)
			}
			var status patch.WaveStatus
			require.NoError(t, json.Unmarshal(out.Bytes(), &status))
			require.Equal(t, c.look.Status.State, status.State)
		})
	}
}

// Whoever watches is told what does not answer, in words.
func TestWhyThereIsNoAnswer(t *testing.T) {
	const temporal = "Temporal does not answer in time; `patchtide doctor` tells what is away"
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"our own patience":     {fmt.Errorf("describe it: %w", context.DeadlineExceeded), temporal},
		"the server's":         {serviceerror.NewDeadlineExceeded("context deadline exceeded"), temporal},
		"no worker":            {&silentError{errors.New("no worker answers")}, "no worker answers"},
		"a refused connection": {errors.New("connection refused"), "connection refused"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, whyAway(c.err)) })
	}
}
