package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

// temporal looks at the server, the namespace, its search attributes, who polls, and its clock.
func (d *doctor) temporal(ctx context.Context) []Result {
	t, err := d.Dial(ctx)
	if err != nil {
		return []Result{{"temporal", t.Address, Found, err.Error(), "start the server, or set TEMPORAL_ADDRESS, a profile, or temporal_address; waves under way go on when it is back"}}
	}
	defer t.Client.Close()
	_, err = t.Client.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: t.Namespace})
	var missing *serviceerror.NamespaceNotFound
	switch {
	case errors.As(err, &missing):
		return []Result{{
			"temporal", t.Address, Found, "there is no namespace " + t.Namespace,
			fmt.Sprintf("`temporal operator namespace create --namespace %s --retention 30d`, or set TEMPORAL_NAMESPACE", t.Namespace),
		}}
	case err != nil:
		return []Result{{"temporal", t.Address, Found, "asked for the namespace " + t.Namespace + ": " + err.Error(), "see that TEMPORAL_NAMESPACE and the credentials belong together"}}
	}
	results := []Result{{Check: "temporal", Where: t.Address, State: Well, Says: "answers, namespace " + t.Namespace}, attributes(ctx, t)}
	results = append(results, d.pollers(ctx, t)...)
	ahead, err := ahead(ctx, t.Client, t.Namespace, d.Now)
	if err != nil {
		return append(results, Result{"clock", "Temporal", Unproven, "Temporal's clock could not be read: " + err.Error(), "compare the clocks by hand: `date -u` on both machines"})
	}
	return append(results, clock("Temporal", ahead))
}

func attributes(ctx context.Context, t Temporal) Result {
	missing, err := worker.MissingSearchAttributes(ctx, t.Client, t.Namespace)
	switch {
	case err != nil:
		return Result{"search attributes", t.Namespace, Found, err.Error(), "let these credentials list search attributes"}
	case len(missing) == 0:
		return Result{Check: "search attributes", Where: t.Namespace, State: Well, Says: fmt.Sprintf("all %d are there", len(names.SearchAttributes()))}
	}
	commands := make([]string, len(missing))
	for i, name := range missing {
		commands[i] = "`" + worker.CreateSearchAttribute(name) + "`"
	}
	return Result{"search attributes", t.Namespace, Found, "missing: " + strings.Join(missing, ", ") + "; a worker does not start without them", strings.Join(commands, ", ")}
}

// pollAge is how old the newest poll of a queue may be. A poll is held for a minute at most and then sent again; Temporal
// lists who polled in the last five.
const pollAge = 2 * time.Minute

type queue struct {
	name string
	kind enums.TaskQueueType
}

// pollers asks who serves our queues: the one of the workflows, and one for each account and region.
func (d *doctor) pollers(ctx context.Context, t Temporal) []Result {
	queues := []queue{{names.TaskQueue, enums.TASK_QUEUE_TYPE_WORKFLOW}, {names.TaskQueue, enums.TASK_QUEUE_TYPE_ACTIVITY}}
	for _, account := range d.Config.Accounts {
		for _, region := range account.Regions {
			queues = append(queues, queue{names.ActivityQueue(patch.Account{Name: account.Name, ID: account.ID}, region), enums.TASK_QUEUE_TYPE_ACTIVITY})
		}
	}
	var idle []string
	for _, each := range queues {
		out, err := t.Client.DescribeTaskQueue(ctx, each.name, each.kind)
		if err != nil {
			return []Result{{"workers", each.name, Found, err.Error(), "see that these credentials may describe task queues"}}
		}
		served := false
		for _, poller := range out.GetPollers() {
			served = served || d.Now().Sub(poller.GetLastAccessTime().AsTime()) < pollAge
		}
		if !served {
			idle = append(idle, each.name)
		}
	}
	const mend = "start it on its machine: `patchtide worker`"
	switch {
	case len(idle) == 0:
		return []Result{{Check: "workers", Where: t.Namespace, State: Well, Says: fmt.Sprintf("%d task queues are polled", len(queues)-1)}}
	case len(idle) == len(queues):
		return []Result{{"workers", t.Namespace, Found, "no worker runs: nobody polls any queue of ours. Waves stand still, and go on when one runs", mend}}
	}
	var results []Result
	for i, name := range idle {
		if i > 0 && idle[i-1] == name {
			continue // the workflows' queue, asked for both kinds
		}
		results = append(results, Result{
			"workers", name, Found, "nobody polls this queue; a wave that needs it is refused or stands still",
			"the workers that run know another configuration: give each the same patchtide.yaml, and restart it",
		})
	}
	return results
}
