package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

func TestReconcileHealsWhatADeadWaveLeft(t *testing.T) {
	four := [3]int{2, 4, 6}
	full := [3]int{4, 4, 4}
	for _, c := range []struct {
		left      string
		sized     [3]int
		account   string
		operation string
		nth       int
	}{
		{"the group's mark", four, wavetest.Production, "CreateOrUpdateTags", 1},
		{"the instance's mark", four, wavetest.Production, "CreateTags", 1},
		{"suspended processes", four, wavetest.Production, "SuspendProcesses", 1},
		{"standby", four, wavetest.Production, "EnterStandby", 1},
		{"standby and a snapshot", four, wavetest.Production, "CreateSnapshot", 1},
		{"an install that ran on", four, wavetest.Production, "StartAutomationExecution", 1},
		{"an instance on its way back", four, wavetest.Production, "ExitStandby", 1},
		{"an instance in service, still marked", four, wavetest.Production, "ResumeProcesses", 1},
		{"the second instance in standby", four, wavetest.Production, "EnterStandby", 2},
		{"nothing but the group's mark again", four, wavetest.Production, "ResumeProcesses", 4},
		{"raised max and desired", full, wavetest.Production, "UpdateAutoScalingGroup", 1},
		{"raised desired", [3]int{4, 4, 6}, wavetest.Production, "SetDesiredCapacity", 1},
		{"a surge and an instance in standby", full, wavetest.Production, "EnterStandby", 1},
		{"a surge and an install", full, wavetest.Production, "StartAutomationExecution", 2},
		{"max, the surge being gone", full, wavetest.Production, "TerminateInstanceInAutoScalingGroup", 1},
		{"deregistered targets", four, wavetest.Staging, "DeregisterTargets", 1},
		{"deregistered targets and an install", four, wavetest.Staging, "StartAutomationExecution", 1},
	} {
		t.Run(c.left, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.Sized(c.sized[0], c.sized[1], c.sized[2]),
			})
			scene.DieAt(c.account, c.operation, c.nth)
			before := len(scene.Mutations(c.account))

			dry := scene.Reconcile(workflows.ReconcileRequest{DryRun: true}, time.Hour)
			require.NotEmpty(t, dry.Healed)
			require.Len(t, scene.Mutations(c.account), before, "a dry run changes nothing")

			result := scene.Reconcile(workflows.ReconcileRequest{}, time.Minute)
			require.Empty(t, result.Failed)
			require.Empty(t, result.Untrusted)
			require.Empty(t, result.Unmarked)
			require.Equal(t, wavetest.Resources(dry.Healed), wavetest.Resources(result.Healed))
			scene.RequireInvariants(nil, wavetest.Except{})

			again := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, slices.Concat(again.Healed, again.Untrusted, again.Unmarked, again.InUse, again.TooRecent))
			require.Empty(t, again.Failed)
		})
	}
}

func TestReconcileLeavesWhatIsInUseOrTooRecent(t *testing.T) {
	wave, group := "wave-test", "patch-group/"+wavetest.Production+"/"+wavetest.Tokyo+"/web"
	for _, c := range []struct {
		name             string
		locks            map[string]string
		closed           map[string]time.Duration // before Reconcile begins
		inUse, tooRecent int
	}{
		{name: "its wave runs", locks: map[string]string{wave: ""}, inUse: 2},
		{name: "its group's child compensates", locks: map[string]string{group: wave}, inUse: 2},
		{name: "its wave was terminated just now", closed: map[string]time.Duration{wave: 14 * time.Minute}, tooRecent: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.DieAt(wavetest.Production, "EnterStandby", 1)
			before := len(scene.Mutations(wavetest.Production))
			scene.ClosedAt = map[string]time.Time{}
			for id, ago := range c.closed {
				scene.ClosedAt[id] = scene.Env.Now().Add(time.Hour - ago)
			}
			for id, parent := range c.locks {
				scene.Locks[id] = parent
			}
			result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Len(t, result.InUse, c.inUse)
			require.Len(t, result.TooRecent, c.tooRecent)
			require.Equal(t, c.tooRecent == 0, result.Clean(), "what is too recent is left out there")
			for _, finding := range result.TooRecent {
				require.Regexp(t, `^its workflow ended at .* UTC; reconcile again from .* UTC on$`, finding.State)
			}
			require.Empty(t, result.Healed)
			require.Empty(t, result.Unmarked, "what is in the middle of its work is not odd")
			require.Len(t, scene.Mutations(wavetest.Production), before)

			clear(scene.Locks)
			clear(scene.ClosedAt)
			require.Len(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Minute).Healed, 2)
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}

func TestReconcileTouchesNothingOfOthers(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	var standby, tagged, copied string
	scene.Production(func(g *world.ScalingGroup) {
		members := g.Members()
		standby, tagged, copied = members[0].Instance.ID, members[1].Instance.ID, members[2].Instance.ID
		_, err := g.EnterStandby([]string{standby}, true)
		require.NoError(t, err)
		require.NoError(t, g.Suspend([]string{"AZRebalance"}))
		members[1].Instance.Tags[names.TagJournal] = "wave-other " + wavetest.Production + "/" + wavetest.Tokyo + "/" + tagged
		members[2].Instance.Tags[names.TagJournal] = "wave-other " + wavetest.Production + "/" + wavetest.Tokyo + "/" + tagged
	})
	before := len(scene.Mutations(wavetest.Production))
	result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Empty(t, result.Healed)
	require.Empty(t, result.Failed)
	require.ElementsMatch(t, []string{"instance " + tagged, "instance " + copied}, wavetest.Resources(result.Untrusted))
	require.Contains(t, wavetest.Resources(result.Unmarked), "instance "+standby)
	require.Len(t, scene.Mutations(wavetest.Production), before)
	scene.Production(func(g *world.ScalingGroup) {
		require.Contains(t, g.Suspended, "AZRebalance")
		require.Equal(t, world.LifecycleStandby, g.Members()[0].State)
	})
}

// A name that AWS lists as suspended for a process which it has no more is nothing that anybody could mend.
func TestAProcessThatIsNoMoreIsNothingOdd(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.Production(func(g *world.ScalingGroup) {
		g.Suspended["RemoveFromLoadBalancerLowPriority"] = "User suspended at 2014-03-01T00:00:00Z"
	})
	require.Empty(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Unmarked)
}

func TestReconcileTellsOfARaisedMaxWithoutAMark(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.Sized(4, 4, 4)})
	scene.DieAt(wavetest.Production, "UpdateAutoScalingGroup", 1)
	scene.Production(func(g *world.ScalingGroup) {
		require.Equal(t, 5, g.Max)
		g.Untag(names.TagJournal, nil) // by hand
	})
	result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Empty(t, result.Healed)
	require.Equal(t, slices.Repeat([]string{"auto scaling group web"}, 2), wavetest.Resources(result.Unmarked))
	states := result.Unmarked[0].State + "\n" + result.Unmarked[1].State
	require.Contains(t, states, "its max is 5 and was 4")
	require.Contains(t, states, "suspended without our mark: AZRebalance")
	scene.Production(func(g *world.ScalingGroup) { require.Equal(t, 5, g.Max, "told, not healed") })
	left := scene.Reconcile(workflows.ReconcileRequest{}, 15*24*time.Hour).Unmarked
	require.Len(t, left, 1, "whoever has max so for two weeks means it")
	require.Contains(t, left[0].State, "suspended without our mark: AZRebalance")
}

func TestReconcileMendsTheGroupOfAnInstanceThatDiedInStandby(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.DieAt(wavetest.Production, "EnterStandby", 1)
	var dead string
	scene.Production(func(g *world.ScalingGroup) {
		for _, member := range g.Members() {
			if member.State == world.LifecycleStandby {
				dead = member.Instance.ID
				member.Instance.Terminate()
			}
		}
	})
	require.NotEmpty(t, dead)
	result := scene.Reconcile(workflows.ReconcileRequest{}, 2*time.Hour)
	require.Empty(t, result.Failed)
	require.Contains(t, wavetest.Resources(result.Healed), "instance "+dead)
	scene.RequireInvariants(nil, wavetest.Except{Newcomers: 1, Out: []string{dead}})
}

func TestReconcileFinishesARestoreThatWasUnderWay(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch"})
	scene.DieAt(wavetest.Production, "CreateReplaceRootVolumeTask", 1)
	result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Empty(t, result.Failed)
	require.Len(t, result.Healed, 2)
	require.Contains(t, result.Healed[1].State, "its root volume is put back")
	require.Len(t, scene.Effects("CreateReplaceRootVolumeTask"), 1,
		"the replacement under way is found again, not repeated")
	scene.RequireInvariants(nil, wavetest.Except{})
}

func TestReconcileDeletesExpiredBackups(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.DieAt(wavetest.Production, "CreateSnapshot", 1)
	require.Empty(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
	dry := scene.Reconcile(workflows.ReconcileRequest{DryRun: true}, 100*24*time.Hour)
	require.NotEmpty(t, dry.Expired)
	require.Empty(t, scene.Effects("DeleteSnapshot"))
	require.Equal(t, dry.Expired, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
	require.Len(t, scene.Effects("DeleteSnapshot"), len(dry.Expired))
	require.Empty(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
}

// A wave that is parked, or on hold for longer than its backups are kept, can still be rolled back by them.
func TestReconcileKeepsTheBackupsOfAnOpenWave(t *testing.T) {
	for name, runs := range map[string]string{"the wave": "wave-test", "its roll back": names.RollBack("wave-test")} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.DieAt(wavetest.Production, "CreateSnapshot", 1)
			scene.Locks[runs] = ""
			require.Empty(t, scene.Reconcile(workflows.ReconcileRequest{DryRun: true}, 100*24*time.Hour).Expired)
			require.Empty(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
			require.Empty(t, scene.Effects("DeleteSnapshot"))
			delete(scene.Locks, runs)
			require.NotEmpty(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
			require.NotEmpty(t, scene.Effects("DeleteSnapshot"))
		})
	}
}

func TestReconcileRefusesAnUnknownField(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.Env.ExecuteWorkflow(names.Reconcile, map[string]bool{"dryRun": true})
	require.ErrorContains(t, scene.Env.GetWorkflowError(), `{"dry_run": true}`)
	require.Empty(t, scene.Sim.Events())
}
