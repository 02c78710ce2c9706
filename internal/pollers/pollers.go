// Package pollers reads from Temporal who serves our task queues. It needs no worker to answer: a worker says in its
// identity which configuration and which journal it has.
package pollers

import (
	"context"
	"slices"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/patchtide/patchtide/internal/names"
)

// Age is how old the last poll of somebody who is there may be. A poll is held by the server for a minute at most and
// then sent again. Temporal keeps who polled for five minutes and does not tell who has ended: who did so is taken for
// being there until its last poll is as old.
const Age = 75 * time.Second

// Poller is somebody who polls a queue.
type Poller struct {
	Identity string
	Worker   names.Worker // what it says of itself; zero where it is no worker of ours
	Last     time.Time    // when it last began to poll, by Temporal's clock
}

// Queues is what tells who polls a task queue: Temporal's client.
type Queues interface {
	DescribeTaskQueue(
		ctx context.Context, queue string, kind enums.TaskQueueType,
	) (*workflowservice.DescribeTaskQueueResponse, error)
}

// Of lists who polls a queue now, by what Temporal tells of it, the latest poll first. now is by Temporal's clock, as
// far as it is known.
func Of(asked *workflowservice.DescribeTaskQueueResponse, now time.Time) []Poller {
	var all []Poller
	for _, each := range asked.GetPollers() {
		last := each.GetLastAccessTime().AsTime()
		if now.Sub(last) >= Age {
			continue
		}
		worker, _ := names.ParseWorker(each.GetIdentity())
		all = append(all, Poller{Identity: each.GetIdentity(), Worker: worker, Last: last})
	}
	slices.SortFunc(all, func(a, b Poller) int { return b.Last.Compare(a.Last) })
	return all
}

// Workers lists the workers of ours that poll for workflows now, the latest poll first.
func Workers(ctx context.Context, queues Queues, now time.Time) ([]Poller, error) {
	asked, err := queues.DescribeTaskQueue(ctx, names.TaskQueue, enums.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(Of(asked, now), func(p Poller) bool { return p.Worker == (names.Worker{}) }), nil
}

// Process names it for people: its process and machine, or all that it says.
func (p Poller) Process() string {
	if p.Worker.Process != "" {
		return p.Worker.Process
	}
	return p.Identity
}
