package main

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/doctor"
	"github.com/patchtide/patchtide/internal/names"
)

// unservedAfter is after how long a command that waits says that nobody is there to answer it.
const unservedAfter = 5 * time.Second

// noWorker is what it says.
const noWorker = "no worker polls the queue " + names.TaskQueue +
	" now: this goes on once one runs. Start it on its machine: patchtide worker"

// queues is what tells who polls a task queue: Temporal's client.
type queues interface {
	DescribeTaskQueue(
		ctx context.Context, queue string, kind enums.TaskQueueType,
	) (*workflowservice.DescribeTaskQueueResponse, error)
}

// withWorker is withTemporal for a command that only a worker can answer: it waits for one, and does not do so in
// silence.
func withWorker(cmd *cobra.Command, do func(c client.Client) error) error {
	return withTemporal(cmd, func(c client.Client) error {
		return sayingUnserved(cmd.Context(), c, cmd.ErrOrStderr(), func() error { return do(c) })
	})
}

// sayingUnserved does something that a worker has to answer and says once, while it waits, that none runs.
func sayingUnserved(ctx context.Context, q queues, out io.Writer, do func() error) error {
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			select {
			case <-watching.Done():
				return
			case <-time.After(unservedAfter):
			}
			if sayUnserved(watching, q, out) {
				return
			}
		}
	})
	defer watch.Wait()
	defer stop()
	return do()
}

// sayUnserved says that no worker runs, where that is so, and reports whether it is. Where Temporal does not tell,
// nothing is said: what waits for it hears that by itself.
func sayUnserved(ctx context.Context, q queues, out io.Writer) bool {
	asked, err := q.DescribeTaskQueue(ctx, names.TaskQueue, enums.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil || len(doctor.Polling(asked, time.Now())) > 0 {
		return false
	}
	line(out, "%s", noWorker)
	return true
}
