package instance_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// forgetful is a worker's connection whose memory of what AWS has listed can be lost, as by a restart, or as on another
// worker.
type forgetful struct {
	aws.Connector
	memory atomic.Pointer[aws.Absences]
}

func forget(scene *wavetest.Scene) *forgetful {
	f := &forgetful{Connector: scene.AWS.Connector}
	f.restart()
	scene.AWS.Connector = f
	return f
}

func (f *forgetful) restart() { f.memory.Store(&aws.Absences{}) }

func (f *forgetful) Connect(ctx context.Context, account patch.Account, region string) (*aws.Services, error) {
	services, err := f.Connector.Connect(ctx, account, region)
	if err != nil {
		return nil, err
	}
	own := *services
	own.Absences = f.memory.Load()
	return &own, nil
}

// emptyOnce answers the next DescribeAutoScalingGroups in production with nothing, once armed.
func emptyOnce(call awssim.CallInfo, armed *atomic.Bool) awssim.Fault {
	if call.Operation == "DescribeAutoScalingGroups" && call.Account == wavetest.Production &&
		armed.CompareAndSwap(true, false) {
		return awssim.Fault{Kind: awssim.FaultEmpty}
	}
	return awssim.Fault{}
}

// A worker that has just started has seen no group yet. One empty answer to it makes no group of a wave gone.
func TestAnotherWorkersFirstAnswerIsEmpty(t *testing.T) {
	for _, c := range []struct {
		name, scenario string
		at             patch.Step
		want           patch.Outcome // of the first production instance
	}{
		{"before the return", "healthy", patch.StepInstall, patch.Patched},
		{"in an undo", "bad-patch", patch.StepRestore, patch.RolledBack},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: c.scenario})
			scene.Decide = []patch.Verb{patch.Abort}
			worker := forget(scene)
			var armed atomic.Bool
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault { return emptyOnce(call, &armed) })
			scene.WhenAtStep(c.at, func(string) {
				worker.restart()
				armed.Store(true)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.False(t, armed.Load())
			first := result.Stages[1].Groups[0].Instances[0]
			require.Equal(t, c.want, first.Outcome, first.Reason)
			require.Empty(t, scene.Marks())
			scene.Production(func(group *world.ScalingGroup) {
				for _, member := range group.Members() {
					require.Equal(t, world.LifecycleInService, member.State, member.Instance.ID)
				}
			})
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// Room of a group that one answer does not list is given back all the same, by the wave and by Reconcile.
func TestRoomIsGivenBackBehindAnEmptyAnswer(t *testing.T) {
	t.Run("by the wave", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.Sized(4, 4, 6)})
		worker := forget(scene)
		var armed atomic.Bool
		unmarked := 0
		scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
			if call.Operation == "DeleteTags" && call.Service == "ec2" && call.Account == wavetest.Production {
				if unmarked++; unmarked == 4 { // the last of them is done: what comes next is its room
					worker.restart()
					armed.Store(true)
				}
			}
			return emptyOnce(call, &armed)
		})
		result, err := scene.Run(wavetest.WebWave)
		require.NoError(t, err)
		require.False(t, armed.Load())
		require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
		require.Empty(t, scene.Marks())
		scene.Production(func(group *world.ScalingGroup) { require.Equal(t, 4, group.Desired) })
	})
	for _, nth := range []int{1, 2, 3} {
		t.Run("by Reconcile", func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.Sized(4, 4, 6)})
			worker := forget(scene)
			scene.DieAt(wavetest.Production, "SetDesiredCapacity", 1)
			worker.restart()
			looks := 0
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Account == wavetest.Production && call.Operation == "DescribeAutoScalingGroups" {
					if looks++; looks == nth {
						worker.restart()
						return awssim.Fault{Kind: awssim.FaultEmpty}
					}
				}
				return awssim.Fault{}
			})
			healed := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.GreaterOrEqual(t, looks, nth)
			require.Empty(t, healed.Failed)
			if nth == 1 { // it is the list of all groups that was empty: nothing was found, and the next run finds it
				require.Empty(t, healed.Healed)
				require.Empty(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Failed)
			}
			require.Empty(t, scene.Marks())
			scene.Production(func(group *world.ScalingGroup) { require.Equal(t, 4, group.Desired) })
		})
	}
}

// Whoever is put back is looked at twice: a registration that one answer lacks would have its root volume replaced
// under its traffic.
func TestAPutBackLooksAtItsTargetsTwice(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.PlanWith()),
		Fleet: wavetest.WithFaults(withElsewhere(nil), world.WorldFault{
			Kind: world.FaultInstallFails, Account: "production", Nth: 2,
		}),
	})
	other := ""
	scene.Production(func(group *world.ScalingGroup) {
		elsewhere := targetGroup(t, group.Region, "other")
		other = elsewhere.ARN
		for _, member := range group.Members() {
			require.NoError(t, elsewhere.Register(member.Instance, 80))
		}
		group.Region.World.Advance(group.Region.World.Now().Add(10 * time.Minute))
	})
	scene.Decide = []patch.Verb{patch.RollBack}
	held := false
	scene.OnHold = func(patch.WaveStatus) { held = true }
	looks := 0
	var did []string
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		switch {
		case !held:
		case call.Operation == "DescribeTargetHealth" && call.Resource == other:
			if looks++; looks == 3 { // the first two are of the group as a whole
				return awssim.Fault{Kind: awssim.FaultEmpty}
			}
		case call.Operation == "DeregisterTargets" || call.Operation == "CreateReplaceRootVolumeTask":
			did = append(did, call.Operation)
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, []string{"DeregisterTargets", "CreateReplaceRootVolumeTask"}, did)
	scene.RequireInvariants(result, wavetest.Except{})
}
