package wave_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
	"github.com/patchtide/patchtide/workflows/instance"
)

// Somebody who starts it first has it for himself: it is neither patched as a stopped one nor stopped.
func TestWhoIsStartedBySomebodyElseStaysSo(t *testing.T) {
	scene, id := withStopped(t, 1)
	scene.Decide = []patch.Verb{patch.Skip}
	marked := false
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Account == wavetest.Staging && call.Operation == "CreateTags" && !marked {
			marked = true
			scene.Env.RegisterDelayedCallback(func() {
				machine(scene, id, func(i *world.Instance) { _ = i.Start() })
			}, 0)
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	is := of(t, result, id)
	require.Equal(t, patch.Skipped, is.Outcome, "%+v", is)
	require.Contains(t, is.Reason, "somebody has started it")
	require.False(t, is.WasStopped)
	state, _ := stateOf(scene, id)
	require.Equal(t, "running", state)
	require.Empty(t, scene.Effects("StopInstances"))
	require.Empty(t, scene.Marks())
}

// Likewise while EC2 has no machine for it: that is a server's error, and nothing of ours was done.
func TestWhoIsStartedBySomebodyElseWhileThereIsNoCapacity(t *testing.T) {
	scene, id := withStopped(t, 1)
	scene.Decide = []patch.Verb{patch.Skip}
	refused := false
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Account != wavetest.Staging || call.Operation != "StartInstances" || refused {
			return awssim.Fault{}
		}
		refused = true
		scene.Env.RegisterDelayedCallback(func() {
			machine(scene, id, func(i *world.Instance) { require.NoError(t, i.Start()) })
		}, 0)
		return awssim.Fault{Kind: awssim.FaultError, Code: "InsufficientInstanceCapacity", Status: 500}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, refused)
	require.Contains(t, of(t, result, id).Reason, "somebody has started it")
	state, _ := stateOf(scene, id)
	require.Equal(t, "running", state)
	require.Empty(t, scene.Effects("StopInstances"))
	require.Empty(t, scene.Marks())
}

// Who is made to serve meanwhile is not stopped under its requests, and people are told.
func TestWhoServesMeanwhileIsLeftRunning(t *testing.T) {
	scene, id := withStopped(t, 1)
	scene.AtCall(wavetest.Staging, "StartAutomationExecution", 1, func() {
		scene.Env.RegisterDelayedCallback(func() {
			machine(scene, id, func(i *world.Instance) {
				for _, group := range i.Region.TargetGroups() {
					require.NoError(t, group.Register(i, 80))
				}
			})
		}, time.Minute)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	is := of(t, result, id)
	require.Equal(t, patch.Patched, is.Outcome, "%+v", is)
	require.Contains(t, is.Notes, "it was stopped before, and is left running: somebody has registered it in target group "+
		"web-staging meanwhile")
	state, _ := stateOf(scene, id)
	require.Equal(t, "running", state)
}

// What had nothing due is started, looked at, and stopped again: nobody knows before.
func TestWhoIsStoppedAndLacksNothing(t *testing.T) {
	scene, id := withStopped(t, 1)
	scene.Play(func(story wavetest.Story) {
		story.Later(time.Hour)
		story.Wave("first")
		again := story.Wave("second")
		is := of(t, again, id)
		require.Equal(t, patch.AlreadyCompliant, is.Outcome, "%+v", is)
		require.True(t, is.WasStopped)
		state, _ := stateOf(scene, id)
		require.Equal(t, "stopped", state)
		require.Len(t, scene.Effects("StartAutomationExecution"), 1)
		require.Empty(t, scene.Marks())
	})
}

// Who would get requests as soon as it runs, or would lose what it slept on, is left and named.
func TestWhoIsNotStarted(t *testing.T) {
	for why, do := range map[string]func(*world.Instance){
		"it is registered in target group web-staging, which would send it requests as soon as it runs: deregister it, or " +
			"start it yourself": func(i *world.Instance) {
			for _, group := range i.Region.TargetGroups() {
				_ = group.Register(i, 80)
			}
			_ = i.Stop()
		},
		"it is hibernated: started, it would go on where it was, and a reboot would lose that": func(i *world.Instance) {
			i.Hibernates = true
			_ = i.Hibernate()
		},
	} {
		t.Run(why[:30], func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: wavetest.StagingOnly(wavetest.StartsStopped), Fleet: wavetest.Untargeted(2),
			})
			id := ""
			staged(scene, func(instances []*world.Instance) {
				id = instances[0].ID
				do(instances[0])
			})
			result := played(scene)
			require.Equal(t, patch.SucceededWithGaps, result.Outcome, "%+v", result)
			group := result.Stages[0].Groups[0]
			require.Equal(t, []patch.Gap{{Instance: id, Why: "it is stopped, and was left so: " + why}}, group.Gaps)
			require.Empty(t, scene.Effects("StartInstances"))
		})
	}
}

// A worker that dies, with all of its workflows, leaves what Reconcile puts back: it is stopped, on the version that is
// proven.
func TestReconcileStopsWhoWasStopped(t *testing.T) {
	for _, c := range []struct {
		name, operation string
		proven          bool
	}{
		{"marked", "CreateTags", false},
		{"started", "StartInstances", false},
		{"with a snapshot", "CreateSnapshot", false},
		{"with an install that ran on", "StartAutomationExecution", false},
		{"proven, and not stopped yet", "StopInstances", true},
		{"stopped again, still marked", "DeleteTags", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene, id := withStopped(t, 1)
			if c.proven {
				diesWhileDenied(t, scene, c.operation)
			} else {
				scene.DieAt(wavetest.Staging, c.operation, 1)
			}
			result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, result.Failed)
			require.Empty(t, result.Untrusted)
			state, behind := stateOf(scene, id)
			require.Equal(t, "stopped", state)
			require.Equal(t, c.proven, behind == 0, "behind by %d", behind)
			require.Empty(t, scene.Marks())
			again := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, again.Healed)
			require.Empty(t, again.Failed)
		})
	}
}

// diesWhileDenied runs a wave that AWS denies one operation for good, and ends its workflows as terminated ones do.
func diesWhileDenied(t *testing.T, scene *wavetest.Scene, operation string) {
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Account != wavetest.Staging || call.Operation != operation {
			return awssim.Fault{}
		}
		return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Message: "the role lost it", Status: 403}
	})
	scene.Env.SetWorkflowRunTimeout(wavetest.Patience)
	scene.Env.SetDetachedChildWait(false)
	_, err := scene.Run(wavetest.WebWave)
	require.Error(t, err)
	scene.Sim.SetInterceptor(nil)
}

// A wave that is rolled back starts it, puts its root volume back, and stops it again.
func TestWhoWasStoppedIsRolledBack(t *testing.T) {
	scene, id := withStopped(t, 2)
	scene.Play(func(story wavetest.Story) {
		story.Later(time.Hour)
		story.Wave("first")
		result, err := story.RollBack("first", true)
		require.NoError(t, err)
		for _, is := range result.Stages[0].Groups[0].Instances {
			require.Equal(t, patch.RolledBack, is.Outcome, "%+v", is)
		}
		state, behind := stateOf(scene, id)
		require.Equal(t, "stopped", state)
		require.Positive(t, behind)
		require.Empty(t, scene.Marks())
	})
}

// That it may not be stopped again is told until it is mended, and undoes no patch.
func TestWhoMayNotBeStoppedAgainIsTold(t *testing.T) {
	scene, id := withStopped(t, 1)
	var failing patch.WaveStatus
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Account != wavetest.Staging || call.Operation != "StopInstances" {
			return awssim.Fault{}
		}
		return awssim.Fault{Kind: awssim.FaultError, Code: "OperationNotPermitted", Message: "stop protection", Status: 400}
	})
	scene.OnLook = func(status patch.WaveStatus) {
		if len(status.FailingUndos) > 0 {
			failing = status
			scene.Sim.SetInterceptor(nil)
		}
	}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.NotEmpty(t, failing.FailingUndos)
	require.Contains(t, failing.FailingUndos[0].Error, "stop protection")
	require.Equal(t, patch.Patched, of(t, result, id).Outcome)
	state, _ := stateOf(scene, id)
	require.Equal(t, "stopped", state)
}

// Somebody terminates the workflow of one that it has started, and another takes it as one that runs: it is stopped
// again all the same.
func TestWhoWasStartedByATerminatedWorkflowIsStoppedAgain(t *testing.T) {
	scene, id := withStopped(t, 1)
	tries := 0
	scene.InPlaceOf(names.PatchInstance, func(ctx workflow.Context, in instance.Input) (*patch.InstanceResult, error) {
		if tries++; tries > 1 {
			return instance.PatchInstance(ctx, in)
		}
		workflow.Go(ctx, func(ctx workflow.Context) { _, _ = instance.PatchInstance(ctx, in) })
		for len(scene.Effects("StartInstances")) == 0 {
			require.NoError(t, workflow.Sleep(ctx, time.Second))
		}
		require.NoError(t, workflow.Sleep(ctx, 2*time.Minute)) // it comes up
		return nil, errors.New("terminated")
	})
	scene.Decide = []patch.Verb{patch.Retry}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, 2, tries, "%+v", result)
	is := of(t, result, id)
	require.Equal(t, patch.Patched, is.Outcome, "%+v", is)
	require.True(t, is.WasStopped)
	state, behind := stateOf(scene, id)
	require.Equal(t, "stopped", state)
	require.Zero(t, behind)
	require.Empty(t, scene.Marks())
}
