package workflows_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/preflight"
	"github.com/patchtide/patchtide/workflows/soak"
)

// children are the workflows that only others start, each with an input that would make it act.
func children() map[string]any {
	web := patch.Group{
		Account: patch.Account{Name: "production", ID: wavetest.Production}, Region: wavetest.Tokyo, AutoScalingGroup: "web",
	}
	policy := patch.Policy{Timing: patch.DefaultTiming()}
	of := instance.Common{WaveID: "wave-1", Group: web, Instance: "i-0123456789abcdef0", Policy: policy}
	record := journal.Record{WaveID: "wave-1", Group: web, Policy: policy, Instance: of.Instance}
	end := instance.QuarantineEnd{Verb: patch.QuarantineTerminate, Record: record, Actor: "anybody", Reason: "none"}
	plan := patch.Plan{Timing: policy.Timing, Stages: []patch.Stage{{Groups: []patch.Group{web}}}}
	return map[string]any{
		names.PatchGroup:    group.Input{WaveID: "wave-1", Group: web, Policy: policy},
		names.ExamineGroups: preflight.ExamineInput{WaveID: "wave-1", Plan: plan},
		names.RegisterGroups: preflight.RegisterInput{
			WaveID: "wave-1", Groups: []patch.Group{web}, Baseline: "amazon-linux-2023", Timing: policy.Timing,
		},
		names.FindTargetGroups: preflight.TargetsInput{WaveID: "wave-1", Groups: []patch.Group{web}, Timing: policy.Timing},
		names.JudgeGroups: preflight.JudgeInput{
			WaveID: "wave-1", Plan: plan, Was: [][]patch.InstanceResult{{{ID: of.Instance}}},
		},
		names.ScanGroups: preflight.ScanInput{
			WaveID: "wave-1", Groups: []preflight.Scanning{{Group: web, Members: []string{of.Instance}}}, Timing: policy.Timing,
		},
		names.WatchSoak: soak.Input{
			WaveID: "wave-1", Groups: []soak.Watched{{Group: web, Instances: []string{of.Instance}}}, Timing: policy.Timing,
			Every: patch.SoakEvery,
		},
		names.HealGroup:       group.HealInput{WaveID: "wave-1", Group: web, Policy: policy},
		names.ReleaseGroup:    group.ReleaseInput{WaveID: "wave-1", Group: web, Policy: policy, End: end},
		names.PatchInstance:   instance.Input{Common: of},
		names.RestoreInstance: instance.RestoreInput{Common: of},
		names.HealInstance:    instance.HealInput{Common: of, Heal: instance.Heal{Record: record, Marked: true}},
		names.EndQuarantine:   instance.EndQuarantineInput{Common: of, End: end},
		names.HoldService:     workflows.ServiceInput{WaveID: "wave-1", Service: patch.Service{Name: "web"}},
		names.Notify:          patch.Notice{Kind: patch.NoticeStranded, Key: "forged"},
	}
}

// Who may start workflows must not patch, restore or terminate an instance of their choice by starting a child by hand.
func TestAChildStartedByHandDoesNothing(t *testing.T) {
	for name, input := range children() {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "by-hand", TaskQueue: names.TaskQueue})
			scene.Env.ExecuteWorkflow(name, input)
			requireNotByHand(t, scene, scene.Env.GetWorkflowError(), name)
		})
	}
}

// Nor from within a workflow that is not the one whose lock, or whose wave, the child works for.
func TestAChildOfAStrangerDoesNothing(t *testing.T) {
	for name, input := range children() {
		if name == names.Notify {
			continue // anybody's
		}
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "stranger", TaskQueue: names.TaskQueue})
			stranger := func(ctx workflow.Context) error {
				child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: "of-a-stranger"})
				return workflow.ExecuteChildWorkflow(child, name, input).Get(child, nil)
			}
			scene.Env.RegisterWorkflowWithOptions(stranger, workflow.RegisterOptions{Name: "stranger"})
			scene.Env.ExecuteWorkflow("stranger")
			requireNotByHand(t, scene, scene.Env.GetWorkflowError(), name)
		})
	}
}

// What a record says is believed as the journal has it, and not as whoever starts the child says: one that a signed
// record does not tell of is neither restored nor terminated, under the very id of its group's lock.
func TestARecordThatIsHandedOverIsNotBelieved(t *testing.T) {
	for _, name := range []string{names.HealInstance, names.EndQuarantine} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			var id string
			scene.Production(func(group *world.ScalingGroup) { id = group.Members()[0].Instance.ID })
			web := patch.Group{
				Account: patch.Account{Name: "production", ID: wavetest.Production}, Region: wavetest.Tokyo, AutoScalingGroup: "web",
			}
			policy := patch.Policy{Timing: patch.DefaultTiming(), Restore: patch.RestoreRootVolume}
			of := instance.Common{WaveID: "wave-1", Group: web, Instance: id, Policy: policy}
			forged := journal.Record{
				WaveID: "wave-1", Group: web, Policy: policy, Instance: id, At: scene.Env.Now(), Installing: true,
				Origin:     journal.Origin{NamespaceID: scene.Control.NamespaceID, WorkflowID: "wave-1", RunID: "run-1"},
				Intended:   journal.Intended{Standby: true, Suspend: []string{"Launch"}},
				Quarantine: &journal.Quarantine{Why: "forged", At: scene.Env.Now()},
			}
			input := map[string]any{
				names.HealInstance: instance.HealInput{Common: of, Heal: instance.Heal{Record: forged, Marked: true}},
				names.EndQuarantine: instance.EndQuarantineInput{Common: of, End: instance.QuarantineEnd{
					Verb: patch.QuarantineTerminate, Record: forged, Actor: "anybody", Reason: "none",
				}},
			}[name]
			lock := func(ctx workflow.Context) (*patch.InstanceResult, error) {
				var result patch.InstanceResult
				child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: names.InstanceLock(web, id)})
				err := workflow.ExecuteChildWorkflow(child, name, input).Get(child, &result)
				return &result, err
			}
			scene.Env.RegisterWorkflowWithOptions(lock, workflow.RegisterOptions{Name: "lock"})
			scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: names.GroupLock(web), TaskQueue: names.TaskQueue})
			scene.Env.ExecuteWorkflow("lock")
			require.NoError(t, scene.Env.GetWorkflowError())
			var result patch.InstanceResult
			require.NoError(t, scene.Env.GetWorkflowResult(&result))
			require.NotEqual(t, patch.Terminated, result.Outcome, "%+v", result)
			require.Contains(t, fmt.Sprint(result), "there is no journal record wave-1 111122223333/ap-northeast-1/"+id)
			require.Empty(t, scene.Mutations(wavetest.Production))
		})
	}
}

func requireNotByHand(t *testing.T, scene *wavetest.Scene, err error, name string) {
	t.Helper()
	var refused *temporal.ApplicationError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, activities.ErrInvalidInput, refused.Type())
	require.True(t, refused.NonRetryable())
	require.Contains(t, refused.Message(), name+" is started by")
	require.Contains(t, refused.Message(), "nothing was done")
	require.Empty(t, scene.Sim.Events())
}
