package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/worker"
)

// temporal looks at the server, the namespace, its search attributes, who polls, and its clock.
func (d *doctor) temporal(ctx context.Context) []Result {
	t, err := d.Dial(ctx)
	if err != nil {
		return []Result{
			{
				"temporal", t.Address, Problem, err.Error(),
				"start the server, or set TEMPORAL_ADDRESS, a profile, or temporal_address; waves under way go on when it is back",
			},
		}
	}
	defer t.Client.Close()
	_, err = t.Client.WorkflowService().DescribeNamespace(
		ctx, &workflowservice.DescribeNamespaceRequest{Namespace: t.Namespace},
	)
	var missing *serviceerror.NamespaceNotFound
	switch {
	case errors.As(err, &missing):
		return []Result{{
			"temporal", t.Address, Problem, "there is no namespace " + t.Namespace,
			fmt.Sprintf(
				"`temporal operator namespace create --namespace %s --retention 30d`, or set TEMPORAL_NAMESPACE", t.Namespace,
			),
		}}
	case err != nil:
		return []Result{
			{
				"temporal", t.Address, Problem, "asked for the namespace " + t.Namespace + ": " + err.Error(),
				"see that TEMPORAL_NAMESPACE and the credentials belong together",
			},
		}
	}
	results := []Result{
		{Check: "temporal", Where: t.Address, State: OK, Says: "answers, namespace " + t.Namespace}, attributes(ctx, t),
	}
	ahead, unread := ahead(ctx, t.Client, t.Namespace, d.Now)
	now := d.Now().Add(ahead) // by Temporal's clock, or ours where it could not be read
	results = append(results, d.pollers(ctx, t, now)...)
	results = append(results, d.configurations(ctx, t, now)...)
	results = append(results, d.schedules(ctx, t)...)
	if unread != nil {
		return append(
			results,
			Result{
				"clock", "Temporal", Unknown, "Temporal's clock could not be read: " + unread.Error(),
				"compare the clocks by hand: `date -u` on both machines",
			},
		)
	}
	return append(results, clock("Temporal", ahead))
}

func attributes(ctx context.Context, t Temporal) Result {
	wrong, err := worker.WrongSearchAttributes(ctx, t.Client, t.Namespace)
	switch {
	case err != nil:
		return Result{"search attributes", t.Namespace, Problem, err.Error(), "let these credentials list search attributes"}
	case len(wrong) == 0:
		return Result{
			Check: "search attributes", Where: t.Namespace, State: OK,
			Says: fmt.Sprintf("all %d are there", len(names.SearchAttributes())),
		}
	}
	says, commands := make([]string, len(wrong)), make([]string, len(wrong))
	for i, attribute := range wrong {
		says[i], commands[i] = attribute.String(), "`"+attribute.Mend+"`"
	}
	return Result{
		"search attributes", t.Namespace, Problem, strings.Join(says, ", ") + "; a worker does not start so",
		strings.Join(commands, ", "),
	}
}
