package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// clockQueue is a task queue on which there is never a task.
const clockQueue = "patchtide-doctor-clock"

const (
	pollFor   = 5 * time.Second        // Temporal refuses polls that are shorter than two
	lookEvery = 100 * time.Millisecond // for the poll to be listed
)

// ahead is how far Temporal's clock is ahead of ours. No call of Temporal's tells the time, and no reply is dated; but
// the list of who polls a queue says by the server's clock when each last did. So we poll a queue of our own, and look
// for ourselves.
func ahead(ctx context.Context, c client.Client, namespace string, now func() time.Time) (time.Duration, error) {
	host, _ := os.Hostname() // only to be recognised
	identity := fmt.Sprintf("patchtide-doctor@%s-%s", host, uuid.NewString())
	polling, stop := context.WithTimeout(ctx, pollFor)
	ended := make(chan struct{})
	begun := now()
	go func() {
		defer close(ended)
		// Its answer does not matter: it is the poll itself that is listed, or a time-out below.
		_, _ = c.WorkflowService().PollActivityTaskQueue(polling, &workflowservice.PollActivityTaskQueueRequest{
			Namespace: namespace, Identity: identity,
			TaskQueue: &taskqueue.TaskQueue{Name: clockQueue, Kind: enums.TASK_QUEUE_KIND_NORMAL},
		})
	}()
	defer func() { stop(); <-ended }()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		out, err := c.DescribeTaskQueue(polling, clockQueue, enums.TASK_QUEUE_TYPE_ACTIVITY)
		if err != nil {
			return 0, err
		}
		for _, poller := range out.GetPollers() {
			if poller.GetIdentity() == identity {
				return between(begun, now(), poller.GetLastAccessTime().AsTime()), nil
			}
		}
		select {
		case <-polling.Done():
			return 0, errors.New("our own poll was not listed")
		case <-tick.C:
		}
	}
}

// between is how far a moment of another clock is from the time that passed here while it was read: 0 inside it.
func between(from, to, other time.Time) time.Duration {
	switch {
	case other.Before(from):
		return other.Sub(from)
	case other.After(to):
		return other.Sub(to)
	}
	return 0
}
