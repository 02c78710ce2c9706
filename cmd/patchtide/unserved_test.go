package main

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/internal/names"
)

// polled is a task queue by its worker.
type polled struct {
	testing.TB
	last  time.Duration // after the beginning it polled last, where it runs no more; mostly before it
	comes time.Duration // after the beginning it polls first, and takes each task at once; 0: it does not
	err   error
	begun time.Time
}

func (p polled) DescribeTaskQueue(
	_ context.Context, queue string, kind enums.TaskQueueType,
) (*workflowservice.DescribeTaskQueueResponse, error) {
	require.Equal(p, names.TaskQueue, queue)
	require.Equal(p, enums.TASK_QUEUE_TYPE_WORKFLOW, kind)
	at := p.begun.Add(p.last)
	if first := p.begun.Add(p.comes); p.comes > 0 && !time.Now().Before(first) {
		at = time.Now()
	}
	if p.err != nil || p.last == 0 && at.Equal(p.begun) {
		return &workflowservice.DescribeTaskQueueResponse{}, p.err
	}
	return &workflowservice.DescribeTaskQueueResponse{Pollers: []*taskqueue.PollerInfo{{
		Identity: "worker-1", LastAccessTime: timestamppb.New(at),
	}}}, nil
}

// A command that needs a worker and finds none says so within seconds, once, and gives up where none comes.
func TestWhatWaitsForAWorkerSaysSo(t *testing.T) {
	for _, c := range []struct {
		name  string
		queue polled
		takes time.Duration
		says  bool
		ends  time.Duration
	}{
		{"no worker runs", polled{}, time.Hour, true, 21 * time.Second},
		{"the worker went away", polled{last: -3 * time.Minute}, time.Hour, true, 21 * time.Second},
		{"it was killed just now, and is listed still", polled{last: -time.Second}, time.Hour, true, 21 * time.Second},
		{"one comes in time", polled{comes: 10 * time.Second}, time.Hour, true, time.Hour},
		{"one comes in the place of a killed one", polled{last: -time.Second, comes: 10 * time.Second}, time.Hour, true, time.Hour},
		{"a worker runs, and takes its time", polled{last: -40 * time.Second, comes: time.Second}, time.Hour, false, time.Hour},
		{"it is answered at once", polled{last: -40 * time.Second}, time.Second, false, time.Second},
		{"Temporal does not tell", polled{err: errors.New("denied")}, time.Minute, false, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.queue.TB = t
				var out bytes.Buffer
				failed := errors.New("as it ended")
				begun := time.Now()
				c.queue.begun = begun
				err := sayingUnserved(t.Context(), c.queue, &out, func(ctx context.Context) error {
					select {
					case <-ctx.Done():
					case <-time.After(c.takes):
					}
					return failed
				})
				require.ErrorIs(t, err, failed)
				require.Equal(t, c.ends, time.Since(begun))
				require.Equal(t, c.ends < c.takes, errors.Is(err, errNoWorker), "it gave up")
				if c.says {
					require.Equal(t, noWorker+"\n", out.String())
				} else {
					require.Empty(t, out.String())
				}
			})
		})
	}
}

// given is a workflow for whose result somebody waits.
type given struct {
	client.Client // what is not here is not asked
	client.WorkflowRun
	ends, calls error  // the workflow, and calling it off
	stop        func() // the waiting; nil: it is waited for
	cancelled   bool
}

func (g *given) Get(ctx context.Context, _ any) error {
	if g.stop == nil {
		return g.ends
	}
	g.stop()
	<-ctx.Done()
	return ctx.Err()
}

func (g *given) CancelWorkflow(ctx context.Context, id, run string) error {
	g.cancelled = id == "plan-web" && run == "r" && ctx.Err() == nil
	return g.calls
}
func (g *given) GetID() string    { return "plan-web" }
func (g *given) GetRunID() string { return "r" }

// Whoever stops waiting for a result is told what becomes of the workflow: what only looks is called off.
func TestAResultThatNobodyWaitsFor(t *testing.T) {
	failed := errors.New("as it ended")
	for _, c := range []struct {
		name      string
		given     given
		stops     bool
		onlyLooks bool
		says      string // of the error
		called    bool   // off
	}{
		{"it ends well", given{}, false, true, "", false},
		{"it fails", given{ends: failed}, false, true, "as it ended", false},
		{"a look", given{}, true, true, "plan-web was called off", true},
		{
			"a look that cannot be called off",
			given{calls: failed},
			true, true,
			"plan-web could not be called off, and looks once a worker runs: as it ended", true,
		},
		{
			"what changes something",
			given{},
			true, false,
			"nobody waits for plan-web any longer; it goes on in Temporal, or begins once a worker runs", false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			if c.stops {
				c.given.stop = stop
			}
			cmd := &cobra.Command{}
			cmd.SetContext(ctx)
			err := awaitResult(cmd, &c.given, &c.given, c.onlyLooks, nil)
			if c.says == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.says)
			}
			require.Equal(t, c.called, c.given.cancelled)
		})
	}
}
