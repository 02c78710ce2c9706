package reconcile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
	"github.com/patchtide/patchtide/workflows/instance"
)

// A quarantine that has been ended is not ended again by a second request, which had read its record before: the
// instance serves.
func TestAQuarantineIsEndedOnce(t *testing.T) {
	for _, account := range []string{"production", "staging"} {
		for _, verb := range []patch.QuarantineVerb{patch.QuarantineRelease, patch.QuarantineTerminate} {
			t.Run(account+" "+string(verb), func(t *testing.T) {
				scene, id := quarantineOne(t, account, nil)
				scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(wavetest.Settled)) })
				stale := recordOf(scene, account, id)
				result, err := scene.EndQuarantine(wavetest.ReleaseRequest(id))
				require.NoError(t, err)
				require.Equal(t, patch.Released, result.Ended.Outcome, "%+v", result.Ended)
				changes := len(scene.Mutations(scene.AccountID(account)))

				scene.NewEnv(scene.Env.Now().Add(time.Hour))
				scene.Register()
				var again patch.GroupResult
				scene.AsParent(names.QuarantineID(id), names.GroupLock(stale.Group), names.ReleaseGroup,
					workflows.GroupReleaseInput{
						WaveID: names.QuarantineID(id), Group: stale.Group, Policy: stale.Policy,
						End: instance.QuarantineEnd{Verb: verb, Record: stale, Actor: "another", Reason: "me too"},
					}, &again)
				require.Equal(t, patch.NotStarted, again.Instances[0].Outcome)
				require.Contains(t, again.Instances[0].Reason, "nothing was changed: it is not in the quarantine any more")
				require.Empty(t, again.Stranded)
				for _, change := range scene.Mutations(scene.AccountID(account))[changes:] {
					require.NotContains(t, change, id, "%v", scene.Mutations(scene.AccountID(account))[changes:])
				}
				findInstance(scene, id, func(instance *world.Instance) { require.Equal(t, world.Running, instance.State) })
			})
		}
	}
}

// recordOf is the record that an instance's quarantine tag points to.
func recordOf(scene *wavetest.Scene, account, id string) journal.Record {
	place := patch.Place{Account: patch.Account{Name: account, ID: scene.AccountID(account)}, Region: wavetest.Tokyo}
	read, err := scene.Control.ReadRecord(scene.T.Context(), activities.ReadRecordInput{
		Pointer: activities.Journal{WaveID: "wave-test", Record: recordName(scene, id)},
		About:   journal.About{WaveID: "wave-test", Place: place, Instance: id},
	})
	require.NoError(scene.T, err)
	require.Empty(scene.T, read.Untrusted)
	return *read.Record
}

func recordName(scene *wavetest.Scene, id string) string {
	name := ""
	findInstance(scene, id, func(instance *world.Instance) {
		name = instance.Region.Account.ID + "/" + instance.Region.Name + "/" + id
	})
	return name
}

// A release may let another instance of the service go: it waits for no lock, but takes it or changes nothing.
func TestAReleaseHoldsTheServicesLock(t *testing.T) {
	scene, id := quarantineOne(t, "production", nil)
	scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(wavetest.Settled)) })
	again := func() {
		scene.NewEnv(scene.Env.Now().Add(time.Hour))
		scene.Register()
	}
	lock := names.ServiceLock("web")
	changes := len(scene.Mutations(wavetest.Production))
	again()
	scene.Play(func(story wavetest.Story) {
		locked := workflow.WithChildOptions(story.Ctx, workflow.ChildWorkflowOptions{WorkflowID: lock})
		wave := workflow.ExecuteChildWorkflow(locked, names.HoldService, workflows.ServiceInput{
			WaveID: "wave-test", Service: patch.Service{Name: "web"},
		})
		require.NoError(t, wave.GetChildWorkflowExecution().Get(locked, nil))
		ended := releases(story, id)
		require.Equal(t, patch.Quarantined, ended.Outcome)
		require.Contains(t, ended.Reason, "nothing was changed: service web is locked by "+lock)
		require.NoError(t,
			wave.SignalChildWorkflow(locked, names.SignalRelease, workflows.ServiceRelease{AtRest: true}).Get(locked, nil))
		require.NoError(t, wave.Get(locked, nil))
	})
	require.Len(t, scene.Mutations(wavetest.Production), changes)

	again()
	held := false
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "AttachInstances" {
			scene.Env.RegisterDelayedCallback(func() {
				value, err := scene.Env.QueryWorkflowByID(lock, names.QueryStatus)
				require.NoError(t, err)
				var status workflows.ServiceStatus
				require.NoError(t, value.Get(&status))
				require.Equal(t, "web", status.Service)
				held = true
			}, 0)
		}
		return awssim.Fault{}
	})
	scene.Play(func(story wavetest.Story) {
		require.Equal(t, patch.Released, releases(story, id).Outcome)
		// It is free again: another may take it.
		locked := workflow.WithChildOptions(story.Ctx, workflow.ChildWorkflowOptions{WorkflowID: lock})
		next := workflow.ExecuteChildWorkflow(locked, names.HoldService, workflows.ServiceInput{
			WaveID: "wave-test", Service: patch.Service{Name: "web"},
		})
		require.NoError(t, next.GetChildWorkflowExecution().Get(locked, nil))
		require.NoError(t,
			next.SignalChildWorkflow(locked, names.SignalRelease, workflows.ServiceRelease{AtRest: true}).Get(locked, nil))
		require.NoError(t, next.Get(locked, nil))
	})
	require.True(t, held)
}

// releases asks for an instance's release and returns what became of it.
func releases(story wavetest.Story, id string) *patch.InstanceResult {
	child := workflow.WithChildOptions(story.Ctx, workflow.ChildWorkflowOptions{WorkflowID: names.QuarantineID(id)})
	var result workflows.QuarantineResult
	require.NoError(story.Scene.T,
		workflow.ExecuteChildWorkflow(child, names.Quarantine, wavetest.ReleaseRequest(id)).Get(child, &result))
	return result.Ended
}
