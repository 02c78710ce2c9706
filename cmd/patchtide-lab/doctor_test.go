package main

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/doctor"
	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/names"
)

// TestTheDoctorFindsWhatTemporalLacks asks the product's doctor about a real server that is not as a worker needs it:
// each thing is found by itself, with how to mend it, and gone once that was done.
func TestTheDoctorFindsWhatTemporalLacks(t *testing.T) {
	t.Parallel()
	o := newOnCall(t, nil, "healthy", 1) // AWS's own speed: the doctor looks at its clock
	code, said := o.run("reconcile", "schedule", "--every", "1h", "--reason", "it shall run by itself")
	require.Equal(t, exitDone, code, said)
	look := func(args ...string) (found []doctor.Result) {
		t.Helper()
		code, said := o.run(append([]string{"doctor", "--json"}, args...)...)
		var report doctor.Report
		require.NoError(t, json.Unmarshal([]byte(said), &report), said)
		for _, result := range report.Results {
			if result.State != doctor.OK {
				found = append(found, result)
			}
		}
		require.Equal(t, len(found) == 0, code == exitDone, "%d: %+v", code, found)
		return found
	}
	serve := func(queue string, options worker.Options) {
		t.Helper()
		w := worker.New(o.client, queue, options)
		if !options.DisableWorkflowWorker {
			w.RegisterWorkflowWithOptions(toyWave, workflow.RegisterOptions{Name: names.PatchWave})
		}
		w.RegisterActivityWithOptions(func() error { return nil }, activity.RegisterOptions{Name: "nothing"})
		require.NoError(t, w.Start())
		t.Cleanup(w.Stop)
	}
	const mend = "see that a worker runs, `patchtide worker`: one that has just ended is listed for 1m15s, by the queues " +
		"that it polled last. One that runs and does not poll this queue knows another configuration: give each the same " +
		"patchtide.yaml, and restart it"

	require.Equal(t, []doctor.Result{{
		Check: "temporal", Where: o.address, State: doctor.Problem, Says: "there is no namespace nosuch",
		Mend: "`temporal operator namespace create --namespace nosuch --retention 30d`, or set TEMPORAL_NAMESPACE",
	}}, look("--temporal-namespace", "nosuch"))
	require.Contains(t, look()[0].Says, "no worker runs")

	// Something that polls our queue and does half of it.
	serve(names.TaskQueue, worker.Options{LocalActivityWorkerOnly: true, Identity: "somebody's"})
	const production, staging = "patchtide-111122223333-ap-northeast-1", "patchtide-222233334444-ap-northeast-1"
	serve(production, worker.Options{DisableWorkflowWorker: true})
	o.eventually(func() bool { return len(look()) == 2 && look()[0].Where == names.TaskQueue }, "both are listed")
	require.Equal(t, []doctor.Result{
		{
			Check: "workers", Where: names.TaskQueue, State: doctor.Problem,
			Says: "polled for workflows and by nobody for activities: waves stand still",
			Mend: "our worker polls for both, and one that has just ended is listed for 1m15s by what it polled last: see " +
				"whether somebody's runs, start it again where it is ours, and give a program that is not a queue of its own",
		},
		{
			Check: "workers", Where: staging, State: doctor.Problem,
			Says: "nobody polls this queue; a wave that needs it is refused or stands still", Mend: mend,
		},
	}, look())
	serve(names.TaskQueue, worker.Options{})
	serve(staging, worker.Options{DisableWorkflowWorker: true})
	o.eventually(func() bool { return len(look()) == 0 }, "all is well")

	// One is taken away, and one made anew as something else.
	operator := o.client.OperatorService()
	_, err := operator.RemoveSearchAttributes(t.Context(), &operatorservice.RemoveSearchAttributesRequest{
		Namespace: lab.Namespace, SearchAttributes: []string{names.AttributeStage, names.AttributeState},
	})
	require.NoError(t, err)
	add := func(name string, kind enums.IndexedValueType) {
		t.Helper()
		o.eventually(func() bool {
			_, err := operator.AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
				Namespace: lab.Namespace, SearchAttributes: map[string]enums.IndexedValueType{name: kind},
			})
			return err == nil
		}, name+" is made")
	}
	add(names.AttributeState, enums.INDEXED_VALUE_TYPE_INT)
	found := look()
	require.Len(t, found, 1)
	require.Equal(
		t, "PatchtideState is of type Int instead of Keyword, PatchtideStage is missing; a worker does not start so",
		found[0].Says,
	)
	require.Equal(t, "`temporal operator search-attribute remove --yes --namespace default --name PatchtideState && "+
		"temporal operator search-attribute create --type Keyword --namespace default --name PatchtideState`, "+
		"`temporal operator search-attribute create --type Keyword --namespace default --name PatchtideStage`", found[0].Mend)
	code, said = o.run("worker")
	require.Equal(t, exitFailed, code)
	require.Contains(
		t, said,
		"PatchtideStage is missing: temporal operator search-attribute create --type Keyword --namespace default --name "+
			"PatchtideStage",
	)

	// A worker that has read another file is named by whatever knows the file, without asking it anything.
	other := names.Worker{Process: "7@box", Config: "0123456789ab", Journal: "ba9876543210"}
	serve(names.TaskQueue, worker.Options{Identity: other.Identity()})
	o.eventually(func() bool {
		return slices.ContainsFunc(look(), func(r doctor.Result) bool {
			return r.Check == "worker's file" && r.Where == "7@box"
		})
	}, "doctor names it")
	for _, command := range [][]string{
		{"check"}, {"schedule", "sync"}, {"schedule", "list"}, {"wave", "start", "web", "--no-wait"},
	} {
		_, said := o.run(command...)
		require.Contains(t, said, "warning: the worker 7@box, which polled ", command)
		require.Contains(t, said, "runs with another configuration (0123456789ab) than patchtide.yaml", command)
	}
}
