package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// pollAge is how old the newest poll of a queue may be. A poll is held for a minute at most and then sent again;
// Temporal lists who polled in the last five.
const pollAge = 2 * time.Minute

// queue is a task queue of ours, which a worker polls for each kind of task that comes there.
type queue struct {
	name   string
	kinds  []enums.TaskQueueType
	idle   []enums.TaskQueueType // those that nobody polls
	served []string              // who polls, for whatever kind
}

var kindWords = map[enums.TaskQueueType]string{
	enums.TASK_QUEUE_TYPE_WORKFLOW: "workflows", enums.TASK_QUEUE_TYPE_ACTIVITY: "activities",
}

// pollers asks who serves our queues: the one of the workflows, and one for each account and region.
func (d *doctor) pollers(ctx context.Context, t Temporal) []Result {
	queues := []*queue{
		{name: names.TaskQueue, kinds: []enums.TaskQueueType{enums.TASK_QUEUE_TYPE_WORKFLOW, enums.TASK_QUEUE_TYPE_ACTIVITY}},
	}
	for _, account := range d.Config.Accounts {
		for _, region := range account.Regions {
			name := names.ActivityQueue(patch.Account{Name: account.Name, ID: account.ID}, region)
			queues = append(queues, &queue{name: name, kinds: []enums.TaskQueueType{enums.TASK_QUEUE_TYPE_ACTIVITY}})
		}
	}
	polled := false
	for _, each := range queues {
		if err := d.askPollers(ctx, t, each); err != nil {
			return []Result{{"workers", each.name, Problem, err.Error(), "see that these credentials may describe task queues"}}
		}
		polled = polled || len(each.served) > 0
	}
	if !polled {
		return []Result{{
			"workers", t.Namespace, Problem,
			"no worker runs: nobody polls any queue of ours. Waves stand still, and go on when one runs",
			"start it on its machine: `patchtide worker`",
		}}
	}
	var results []Result
	for _, each := range queues {
		if len(each.idle) > 0 {
			results = append(results, each.result())
		}
	}
	if len(results) == 0 {
		results = append(
			results,
			Result{Check: "workers", Where: t.Namespace, State: OK, Says: fmt.Sprintf("%d task queues are polled", len(queues))},
		)
	}
	return results
}

// Polling is who polls a queue now, by what Temporal tells of it.
func Polling(asked *workflowservice.DescribeTaskQueueResponse, now time.Time) []string {
	var polling []string
	for _, poller := range asked.GetPollers() {
		if now.Sub(poller.GetLastAccessTime().AsTime()) < pollAge {
			polling = append(polling, poller.GetIdentity())
		}
	}
	return polling
}

// askPollers asks for each kind of task who polled the queue lately.
func (d *doctor) askPollers(ctx context.Context, t Temporal, q *queue) error {
	for _, kind := range q.kinds {
		out, err := t.Client.DescribeTaskQueue(ctx, q.name, kind)
		if err != nil {
			return err
		}
		polling := Polling(out, d.Now())
		q.served = append(q.served, polling...)
		if len(polling) == 0 {
			q.idle = append(q.idle, kind)
		}
	}
	slices.Sort(q.served)
	q.served = slices.Compact(q.served)
	return nil
}

// result tells of a queue that is not polled for every kind.
func (q *queue) result() Result {
	if len(q.served) == 0 {
		return Result{
			"workers", q.name, Problem, "nobody polls this queue; a wave that needs it is refused or stands still",
			"the workers that run know another configuration: give each the same patchtide.yaml, and restart it",
		}
	}
	var polled, idle []string
	for _, kind := range q.kinds {
		if slices.Contains(q.idle, kind) {
			idle = append(idle, kindWords[kind])
		} else {
			polled = append(polled, kindWords[kind])
		}
	}
	return Result{
		"workers", q.name, Problem,
		fmt.Sprintf(
			"polled for %s and by nobody for %s: waves stand still", strings.Join(polled, " and "), strings.Join(idle, " and "),
		),
		fmt.Sprintf(
			"our worker polls for both: see what %s is, restart it where it is ours, and give a program that is not a queue "+
				"of its own",
			strings.Join(q.served, ", "),
		),
	}
}
