package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/lab/drive"
	"github.com/patchtide/patchtide/internal/patch"
)

// pause stops a worker between the look of an act and the act itself, and lets it go on later.
type pause struct {
	worker *process
	act    string // the operation that the worker is about to call
	undo   string // the operation that takes it back
	resume bool   // let it go on while the undo's call is under way

	refusedOnce, paused, undone bool
	reached                     chan struct{} // the worker stands still
}

// watch is the simulator's interceptor. The act is throttled once, so that what its next attempt reads first is known:
// that is the look before the act.
func (p *pause) watch(call awssim.CallInfo) awssim.Fault {
	switch {
	case call.Operation == p.act && !p.refusedOnce:
		p.refusedOnce = true
		return awssim.Fault{Kind: awssim.FaultThrottle}
	case p.refusedOnce && !p.paused && strings.HasPrefix(call.Operation, "Describe"):
		p.paused = true
		_ = p.worker.signal(syscall.SIGSTOP) // it may be waited for, below
		close(p.reached)
	case call.Operation == p.undo && p.paused && !p.undone:
		p.undone = true
		if p.resume {
			_ = p.worker.signal(syscall.SIGCONT)
		}
	}
	return awssim.Fault{}
}

// TestCrashPausedWorker pauses a worker in the middle of an act until its attempt has timed out, another worker has
// done it and an abort takes it back. What the first one had in mind must not happen any more when it goes on.
func TestCrashPausedWorker(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		act, undo string
		resume    bool
	}{
		"goes on while the undo runs":         {"DeregisterTargets", "RegisterTargets", true},
		"goes on after the wave, for standby": {"EnterStandby", "ExitStandby", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newCrashScene(t, "healthy")
			first, err := b.launchWorker()
			require.NoError(t, err)
			p := &pause{worker: first, act: c.act, undo: c.undo, resume: c.resume, reached: make(chan struct{})}
			b.aws.SetInterceptor(p.watch)
			const waveID = "wave-web-paused"
			closed := b.drive(waveID)
			select {
			case <-p.reached:
			case err := <-closed:
				t.Fatalf("the wave ended before %s: %v", c.act, err)
			case <-time.After(waveBudget):
				t.Fatalf("%s was never called", c.act)
			}
			second, err := b.launchWorker()
			require.NoError(t, err)
			b.eventually(
				func() bool { return effects(b.aws.Events(), c.act) == 1 }, "the second worker does what the first was about to do",
			)
			b.abort(waveID)
			require.NoError(t, <-closed)
			require.NoError(t, second.stop())

			calls := len(b.aws.Events())
			require.NoError(t, first.signal(syscall.SIGCONT)) // nothing, where it has gone on already
			b.eventually(func() bool {
				_, answered := console.Answer[patch.WaveStatus](t.Context(), b.client, waveID)
				return answered
			}, "the first worker answers again")
			require.NoError(t, first.stop())
			for _, event := range b.aws.Events()[calls:] {
				require.False(
					t, event.Effect && event.Operation != "AssumeRole", "%s of %s after everything was over", event.Operation,
					event.Resource,
				)
			}
			require.Equal(t, 1, effects(b.aws.Events(), c.act), c.act)
			require.Equal(t, 1, effects(b.aws.Events(), c.undo), c.undo)
			require.Empty(t, b.violations())
			fmt.Println("crash: 1 pause, 0 violations")
		})
	}
}

// drive runs a wave that is approved by itself; its end comes on the channel.
func (b *crashScene) drive(waveID string) <-chan error {
	ctx, cancel := context.WithTimeout(b.t.Context(), waveBudget)
	b.t.Cleanup(cancel)
	closed := make(chan error, 1)
	go func() {
		driver := &drive.Driver{Temporal: b.client, Console: console.New(io.Discard, nil, time.Now)}
		_, err := driver.Run(ctx, waveID, demoRequest{Plan: demoPlan, Actor: drive.Actor, Reason: "a crash test"})
		closed <- err
	}()
	return closed
}

// abort tells the wave, as often as it takes to be heard: the worker that would answer may stand still.
func (b *crashScene) abort(waveID string) {
	b.t.Helper()
	b.eventually(func() bool {
		ctx, cancel := context.WithTimeout(b.t.Context(), upBudget)
		defer cancel()
		handle, err := b.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
			UpdateID: "abort", WorkflowID: waveID, UpdateName: string(patch.Abort),
			WaitForStage: client.WorkflowUpdateStageCompleted,
			Args:         []any{drive.Order{Actor: drive.Actor, Reason: "a crash test"}},
		})
		return err == nil && handle.Get(ctx, nil) == nil
	}, "the wave takes the abort")
}

// askEvery is how often a condition is asked for; its answer is known to this process or to a server beside it.
const askEvery = 50 * time.Millisecond

func (b *crashScene) eventually(ask func() bool, what string) {
	b.t.Helper()
	require.Eventually(b.t, ask, waveBudget, askEvery, what)
}
