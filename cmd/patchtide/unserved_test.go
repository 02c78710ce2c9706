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
	ago time.Duration
	err error
}

func (p polled) DescribeTaskQueue(
	_ context.Context, queue string, kind enums.TaskQueueType,
) (*workflowservice.DescribeTaskQueueResponse, error) {
	require.Equal(p, names.TaskQueue, queue)
	require.Equal(p, enums.TASK_QUEUE_TYPE_WORKFLOW, kind)
	if p.err != nil || p.ago < 0 {
		return &workflowservice.DescribeTaskQueueResponse{}, p.err
	}
	return &workflowservice.DescribeTaskQueueResponse{Pollers: []*taskqueue.PollerInfo{{
		Identity: "worker-1", LastAccessTime: timestamppb.New(time.Now().Add(-p.ago)),
	}}}, nil
}

// A command that needs a worker and finds none says so within seconds, once, and goes on waiting.
func TestWhatWaitsForAWorkerSaysSo(t *testing.T) {
	for _, c := range []struct {
		name  string
		queue polled
		takes time.Duration
		says  bool
	}{
		{"no worker runs", polled{ago: -1}, time.Minute, true},
		{"the worker went away", polled{ago: 3 * time.Minute}, time.Minute, true},
		{"a worker runs, and takes its time", polled{ago: 40 * time.Second}, time.Minute, false},
		{"it is answered at once", polled{ago: -1}, time.Second, false},
		{"Temporal does not tell", polled{ago: -1, err: errors.New("denied")}, time.Minute, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.queue.TB = t
				var out bytes.Buffer
				failed := errors.New("as it ended")
				err := sayingUnserved(t.Context(), c.queue, &out, func() error {
					time.Sleep(c.takes) //nolint:forbidigo // of simulated time
					return failed
				})
				require.Equal(t, failed, err)
				if c.says {
					require.Equal(t, noWorker+"\n", out.String())
				} else {
					require.Empty(t, out.String())
				}
			})
		})
	}
}
