package workflows_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// A quarantine that has been ended is not ended again by a second request, which had read its record before: the instance serves.
func TestAQuarantineIsEndedOnce(t *testing.T) {
	for _, account := range []string{"production", "staging"} {
		for _, verb := range []patch.QuarantineVerb{patch.QuarantineRelease, patch.QuarantineTerminate} {
			t.Run(account+" "+string(verb), func(t *testing.T) {
				b, id := quarantineOne(t, account, nil)
				b.sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(settled)) })
				stale := b.recordOf(id)
				result, err := b.settle(release(id))
				require.NoError(t, err)
				require.Equal(t, patch.Released, result.Settled.Outcome, "%+v", result.Settled)
				changes := len(b.mutations(account))

				b.newEnv(b.env.Now().Add(time.Hour))
				b.register()
				b.env.ExecuteWorkflow(names.PatchGroup, workflows.GroupInput{
					WaveID: "quarantine-again", Group: stale.Group, Policy: stale.Policy,
					Settle: &workflows.Settle{Verb: verb, Record: stale, Actor: "another", Reason: "me too"},
				})
				require.NoError(t, b.env.GetWorkflowError())
				var again patch.GroupResult
				require.NoError(t, b.env.GetWorkflowResult(&again))
				require.Equal(t, patch.NotStarted, again.Instances[0].Outcome)
				require.Contains(t, again.Instances[0].Reason, "nothing was changed: it is not in the quarantine any more")
				require.Empty(t, again.Stranded)
				for _, change := range b.mutations(account)[changes:] {
					require.NotContains(t, change, id, "%v", b.mutations(account)[changes:])
				}
				b.find(id, func(instance *world.Instance) { require.Equal(t, world.Running, instance.State) })
			})
		}
	}
}

// recordOf is the record that an instance's quarantine tag points to.
func (b *bench) recordOf(id string) workflows.Record {
	read, err := b.control.ReadRecord(b.t.Context(), activities.Journal{WaveID: "wave-test", Record: b.recordName(id)})
	require.NoError(b.t, err)
	require.Empty(b.t, read.Untrusted)
	var record workflows.Record
	require.NoError(b.t, json.Unmarshal(read.Record, &record))
	return record
}

func (b *bench) recordName(id string) string {
	name := ""
	b.find(id, func(instance *world.Instance) {
		name = instance.Region.Account.ID + "/" + instance.Region.Name + "/" + id
	})
	return name
}

// A release may let another instance of the service go: it waits for no lock, but takes it or changes nothing.
func TestAReleaseHoldsTheServicesLock(t *testing.T) {
	b, id := quarantineOne(t, "production", nil)
	b.sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(settled)) })
	again := func() {
		b.newEnv(b.env.Now().Add(time.Hour))
		b.register()
	}
	lock := names.ServiceLock("web")
	changes := len(b.mutations("production"))
	again()
	b.play(func(h history) {
		locked := workflow.WithChildOptions(h.ctx, workflow.ChildWorkflowOptions{WorkflowID: lock})
		wave := workflow.ExecuteChildWorkflow(locked, names.HoldService, workflows.ServiceInput{WaveID: "wave-1", Service: patch.Service{Name: "web"}})
		require.NoError(t, wave.GetChildWorkflowExecution().Get(locked, nil))
		settled := h.releases(id)
		require.Equal(t, patch.Quarantined, settled.Outcome)
		require.Contains(t, settled.Reason, "nothing was changed: service web is locked by "+lock)
		require.NoError(t, wave.SignalChildWorkflow(locked, names.SignalRelease, workflows.ServiceRelease{AtRest: true}).Get(locked, nil))
		require.NoError(t, wave.Get(locked, nil))
	})
	require.Len(t, b.mutations("production"), changes)

	again()
	held := false
	b.sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "AttachInstances" {
			b.env.RegisterDelayedCallback(func() {
				value, err := b.env.QueryWorkflowByID(lock, names.QueryStatus)
				require.NoError(t, err)
				var status workflows.ServiceStatus
				require.NoError(t, value.Get(&status))
				require.Equal(t, "web", status.Service)
				held = true
			}, 0)
		}
		return awssim.Fault{}
	})
	b.play(func(h history) {
		require.Equal(t, patch.Released, h.releases(id).Outcome)
		// It is free again: another may take it.
		locked := workflow.WithChildOptions(h.ctx, workflow.ChildWorkflowOptions{WorkflowID: lock})
		next := workflow.ExecuteChildWorkflow(locked, names.HoldService, workflows.ServiceInput{WaveID: "wave-2", Service: patch.Service{Name: "web"}})
		require.NoError(t, next.GetChildWorkflowExecution().Get(locked, nil))
		require.NoError(t, next.SignalChildWorkflow(locked, names.SignalRelease, workflows.ServiceRelease{AtRest: true}).Get(locked, nil))
		require.NoError(t, next.Get(locked, nil))
	})
	require.True(t, held)
}

// releases asks for an instance's release and returns what became of it.
func (h history) releases(id string) *patch.InstanceResult {
	child := workflow.WithChildOptions(h.ctx, workflow.ChildWorkflowOptions{WorkflowID: names.EndQuarantine(id)})
	var result workflows.QuarantineResult
	require.NoError(h.b.t, workflow.ExecuteChildWorkflow(child, names.Quarantine, release(id)).Get(child, &result))
	return result.Settled
}
