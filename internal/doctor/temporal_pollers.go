package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/pollers"
)

// queue is a task queue of ours, which a worker polls for each kind of task that comes there.
type queue struct {
	name   string
	kinds  []enums.TaskQueueType
	idle   []enums.TaskQueueType // those that nobody polls
	served []string              // who polls, for whatever kind
	last   time.Time             // the latest poll of the kind that was polled longest ago
}

var kindWords = map[enums.TaskQueueType]string{
	enums.TASK_QUEUE_TYPE_WORKFLOW: "workflows", enums.TASK_QUEUE_TYPE_ACTIVITY: "activities",
}

// pollers asks who serves our queues: the one of the workflows, and one for each account and region. now is by
// Temporal's clock, as far as it could be read.
func (d *doctor) pollers(ctx context.Context, t Temporal, now time.Time) []Result {
	queues := []*queue{
		{name: names.TaskQueue, kinds: []enums.TaskQueueType{enums.TASK_QUEUE_TYPE_WORKFLOW, enums.TASK_QUEUE_TYPE_ACTIVITY}},
	}
	for _, account := range d.Config.Accounts {
		for _, region := range account.Regions {
			name := names.ActivityQueue(patch.Account{Name: account.Name, ID: account.ID}, region)
			queues = append(queues, &queue{name: name, kinds: []enums.TaskQueueType{enums.TASK_QUEUE_TYPE_ACTIVITY}})
		}
	}
	polled, longest := false, now
	for _, each := range queues {
		if err := askPollers(ctx, t.Client, each, now); err != nil {
			return []Result{{"workers", each.name, Problem, err.Error(), "see that these credentials may describe task queues"}}
		}
		polled = polled || len(each.served) > 0
		if each.last.Before(longest) {
			longest = each.last
		}
	}
	if !polled {
		return []Result{{
			"workers", t.Namespace, Problem,
			fmt.Sprintf("no worker runs: nobody has polled any queue of ours in the last %s. Waves stand still, and go on "+
				"when one runs", pollers.Age),
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
		results = append(results, Result{
			Check: "workers", Where: t.Namespace, State: OK,
			Says: fmt.Sprintf("%d task queues are polled, each within the last %s, since %s. Who has ended since then is taken "+
				"for being there until %s", len(queues), max(now.Sub(longest), time.Second).Round(time.Second),
				longest.UTC().Format(clockUTC), longest.Add(pollers.Age).UTC().Format(clockUTC)),
		})
	}
	return results
}

const clockUTC = "15:04:05 UTC"

// askPollers asks for each kind of task who polled the queue lately.
func askPollers(ctx context.Context, queues pollers.Queues, q *queue, now time.Time) error {
	q.last = now
	for _, kind := range q.kinds {
		out, err := queues.DescribeTaskQueue(ctx, q.name, kind)
		if err != nil {
			return err
		}
		polling := pollers.Of(out, now)
		if len(polling) == 0 {
			q.idle = append(q.idle, kind)
			continue
		}
		if last := polling[0].Last; last.Before(q.last) {
			q.last = last
		}
		for _, poller := range polling {
			q.served = append(q.served, poller.Process())
		}
	}
	slices.Sort(q.served)
	q.served = slices.Compact(q.served)
	return nil
}

// configurations tells of each worker that knows another configuration than the file.
func (d *doctor) configurations(ctx context.Context, t Temporal, now time.Time) []Result {
	workers, err := pollers.Workers(ctx, t.Client, now)
	if err != nil {
		return nil // the look at who polls has told it
	}
	others, err := pollers.OtherConfigurations(workers, now, d.Config)
	switch {
	case err != nil:
		return []Result{{"worker's file", d.Config.File, Problem, err.Error(), "run `patchtide check`"}}
	case len(workers) > 0 && len(others) == 0:
		return []Result{{
			Check: "worker's file", Where: d.Config.File, State: OK,
			Says: fmt.Sprintf("every worker that polls runs with this configuration (%d)", len(workers)),
		}}
	}
	var results []Result
	for _, other := range others {
		results = append(results, Result{"worker's file", other.Process, Problem, other.Says, other.Mend})
	}
	return results
}

// result tells of a queue that is not polled for every kind.
func (q *queue) result() Result {
	if len(q.served) == 0 {
		return Result{
			"workers", q.name, Problem, "nobody polls this queue; a wave that needs it is refused or stands still",
			"see that a worker runs, `patchtide worker`: one that has just ended is listed for " + pollers.Age.String() + ", by the " +
				"queues that it polled last. One that runs and does not poll this queue knows another configuration: give each " +
				"the same patchtide.yaml, and restart it",
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
			"our worker polls for both, and one that has just ended is listed for %s by what it polled last: see whether %s "+
				"runs, start it again where it is ours, and give a program that is not a queue of its own",
			pollers.Age, strings.Join(q.served, ", "),
		),
	}
}
