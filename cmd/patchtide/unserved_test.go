package main

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/internal/names"
)

// polled is a task queue that somebody polled so long ago; nobody where it is negative.
type polled struct {
	testing.TB
	ago   time.Duration
	comes time.Duration // when one does, since the epoch
	err   error
}

func (p polled) DescribeTaskQueue(
	_ context.Context, queue string, kind enums.TaskQueueType,
) (*workflowservice.DescribeTaskQueueResponse, error) {
	require.Equal(p, names.TaskQueue, queue)
	require.Equal(p, enums.TASK_QUEUE_TYPE_WORKFLOW, kind)
	if at := time.Unix(0, int64(p.comes)); p.comes > 0 && p.ago < 0 && time.Now().After(at) {
		p.ago = 0
	}
	if p.err != nil || p.ago < 0 {
		return &workflowservice.DescribeTaskQueueResponse{}, p.err
	}
	return &workflowservice.DescribeTaskQueueResponse{Pollers: []*taskqueue.PollerInfo{{
		Identity: "worker-1", LastAccessTime: timestamppb.New(time.Now().Add(-p.ago)),
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
		{"no worker runs", polled{ago: -1}, time.Hour, true, 21 * time.Second},
		{"the worker went away", polled{ago: 3 * time.Minute}, time.Hour, true, 21 * time.Second},
		{"one comes in time", polled{ago: -1, comes: 10 * time.Second}, time.Hour, true, time.Hour},
		{"a worker runs, and takes its time", polled{ago: 40 * time.Second}, time.Hour, false, time.Hour},
		{"it is answered at once", polled{ago: -1}, time.Second, false, time.Second},
		{"Temporal does not tell", polled{ago: -1, err: errors.New("denied")}, time.Minute, false, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.queue.TB = t
				var out bytes.Buffer
				failed := errors.New("as it ended")
				begun := time.Now()
				if c.queue.comes > 0 {
					c.queue.comes += time.Duration(begun.UnixNano())
				}
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
