package workflows_test

import (
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows"
)

// die runs a wave and cuts the worker off right after the nth call of an operation took effect; then the wave's workflows
// end without running any code, as terminated ones do.
func (b *bench) die(account, operation string, nth int) {
	b.t.Helper()
	var reached, cut atomic.Bool
	b.at(account, operation, nth, func() { reached.Store(true) })
	b.wire.wrap = func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
		if cut.Load() {
			return nil, errors.New("no route")
		}
		response, err := next.RoundTrip(request)
		cut.Store(reached.Load())
		return response, err
	}
	b.env.SetWorkflowRunTimeout(patience)
	b.env.SetDetachedChildWait(false) // the children end with it
	_, err := b.run(theWeb)
	require.Error(b.t, err)
	require.True(b.t, reached.Load(), "the wave never called %s #%d", operation, nth)
	b.sim.SetInterceptor(nil)
	b.wire.wrap = nil
}

// reconcile runs Reconcile in a fresh Temporal, some time after the last workflow ended.
func (b *bench) reconcile(request workflows.ReconcileRequest, later time.Duration) *workflows.Reconciliation {
	b.t.Helper()
	b.newEnv(b.env.Now().Add(later))
	b.register()
	b.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: names.ReconcileID, TaskQueue: names.TaskQueue})
	b.env.ExecuteWorkflow(names.Reconcile, request)
	require.True(b.t, b.env.IsWorkflowCompleted())
	require.NoError(b.t, b.env.GetWorkflowError())
	var result workflows.Reconciliation
	require.NoError(b.t, b.env.GetWorkflowResult(&result))
	require.True(b.t, result.Done)
	require.Equal(b.t, result.Places, result.Looked)
	return &result
}

// resources lists what findings are about.
func resources(findings []workflows.Finding) []string {
	var found []string
	for _, finding := range findings {
		found = append(found, finding.Resource)
	}
	return found
}

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
		{"the group's mark", four, accountProduction, "CreateOrUpdateTags", 1},
		{"the instance's mark", four, accountProduction, "CreateTags", 1},
		{"suspended processes", four, accountProduction, "SuspendProcesses", 1},
		{"standby", four, accountProduction, "EnterStandby", 1},
		{"standby and a snapshot", four, accountProduction, "CreateSnapshot", 1},
		{"an install that ran on", four, accountProduction, "StartAutomationExecution", 1},
		{"an instance on its way back", four, accountProduction, "ExitStandby", 1},
		{"an instance in service, still marked", four, accountProduction, "ResumeProcesses", 1},
		{"the second instance in standby", four, accountProduction, "EnterStandby", 2},
		{"nothing but the group's mark again", four, accountProduction, "ResumeProcesses", 4},
		{"raised max and desired", full, accountProduction, "UpdateAutoScalingGroup", 1},
		{"raised desired", [3]int{4, 4, 6}, accountProduction, "SetDesiredCapacity", 1},
		{"a surge and an instance in standby", full, accountProduction, "EnterStandby", 1},
		{"a surge and an install", full, accountProduction, "StartAutomationExecution", 2},
		{"max, the surge being gone", full, accountProduction, "TerminateInstanceInAutoScalingGroup", 1},
		{"deregistered targets", four, accountStaging, "DeregisterTargets", 1},
		{"deregistered targets and an install", four, accountStaging, "StartAutomationExecution", 1},
	} {
		t.Run(c.left, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", fleet: sized(c.sized[0], c.sized[1], c.sized[2])})
			b.die(c.account, c.operation, c.nth)
			before := len(b.mutations(c.account))

			dry := b.reconcile(workflows.ReconcileRequest{DryRun: true}, time.Hour)
			require.NotEmpty(t, dry.Healed)
			require.Len(t, b.mutations(c.account), before, "a dry run changes nothing")

			result := b.reconcile(workflows.ReconcileRequest{}, time.Minute)
			require.Empty(t, result.Left)
			require.Empty(t, result.Untrusted)
			require.Empty(t, result.Unmarked)
			require.Equal(t, resources(dry.Healed), resources(result.Healed))
			b.requireInvariants(nil, after{})

			again := b.reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, slices.Concat(again.Healed, again.Untrusted, again.Unmarked, again.Owned, again.Young))
			require.Empty(t, again.Left)
		})
	}
}

func TestReconcileLeavesWhatIsOwnedOrYoung(t *testing.T) {
	wave, group := "wave-test", "patch-group/"+accountProduction+"/"+tokyoRegion+"/web"
	for _, c := range []struct {
		name         string
		locks        map[string]string
		closed       map[string]time.Duration // before Reconcile begins
		owned, young int
	}{
		{name: "its wave runs", locks: map[string]string{wave: ""}, owned: 2},
		{name: "its group's child compensates", locks: map[string]string{group: wave}, owned: 2},
		{name: "its wave was terminated just now", closed: map[string]time.Duration{wave: 14 * time.Minute}, young: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.die(accountProduction, "EnterStandby", 1)
			before := len(b.mutations(accountProduction))
			b.closed = map[string]time.Time{}
			for id, ago := range c.closed {
				b.closed[id] = b.env.Now().Add(time.Hour - ago)
			}
			for id, parent := range c.locks {
				b.locks[id] = parent
			}
			result := b.reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Len(t, result.Owned, c.owned)
			require.Len(t, result.Young, c.young)
			require.Empty(t, result.Healed)
			require.Empty(t, result.Unmarked, "what is in the middle of its work is not odd")
			require.Len(t, b.mutations(accountProduction), before)

			clear(b.locks)
			clear(b.closed)
			require.Len(t, b.reconcile(workflows.ReconcileRequest{}, time.Minute).Healed, 2)
			b.requireInvariants(nil, after{})
		})
	}
}

func TestReconcileTouchesNothingOfOthers(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy"})
	var standby, tagged, copied string
	b.production(func(g *world.ScalingGroup) {
		members := g.Members()
		standby, tagged, copied = members[0].Instance.ID, members[1].Instance.ID, members[2].Instance.ID
		_, err := g.EnterStandby([]string{standby}, true)
		require.NoError(t, err)
		require.NoError(t, g.Suspend([]string{"AZRebalance"}))
		members[1].Instance.Tags[names.TagJournal] = "wave-other " + accountProduction + "/" + tokyoRegion + "/" + tagged
		members[2].Instance.Tags[names.TagJournal] = "wave-other " + accountProduction + "/" + tokyoRegion + "/" + tagged
	})
	before := len(b.mutations(accountProduction))
	result := b.reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Empty(t, result.Healed)
	require.Empty(t, result.Left)
	require.ElementsMatch(t, []string{"instance " + tagged, "instance " + copied}, resources(result.Untrusted))
	require.Contains(t, resources(result.Unmarked), "instance "+standby)
	require.Len(t, b.mutations(accountProduction), before)
	b.production(func(g *world.ScalingGroup) {
		require.Contains(t, g.Suspended, "AZRebalance")
		require.Equal(t, world.LifecycleStandby, g.Members()[0].State)
	})
}

func TestReconcileTellsOfARaisedMaxWithoutAMark(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: sized(4, 4, 4)})
	b.die(accountProduction, "UpdateAutoScalingGroup", 1)
	b.production(func(g *world.ScalingGroup) {
		require.Equal(t, 5, g.Max)
		g.Untag(names.TagJournal, nil) // by hand
	})
	result := b.reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Empty(t, result.Healed)
	require.Equal(t, []string{"auto scaling group web"}, resources(result.Unmarked))
	require.Contains(t, result.Unmarked[0].State, "its max is 5 and was 4")
	b.production(func(g *world.ScalingGroup) { require.Equal(t, 5, g.Max, "told, not healed") })
	require.Empty(t, b.reconcile(workflows.ReconcileRequest{}, 15*24*time.Hour).Unmarked, "whoever has it so for two weeks means it")
}

func TestReconcileMendsTheGroupOfAnInstanceThatDiedInStandby(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy"})
	b.die(accountProduction, "EnterStandby", 1)
	var dead string
	b.production(func(g *world.ScalingGroup) {
		for _, member := range g.Members() {
			if member.State == world.LifecycleStandby {
				dead = member.Instance.ID
				member.Instance.Terminate()
			}
		}
	})
	require.NotEmpty(t, dead)
	result := b.reconcile(workflows.ReconcileRequest{}, 2*time.Hour)
	require.Empty(t, result.Left)
	require.Contains(t, resources(result.Healed), "instance "+dead)
	b.requireInvariants(nil, after{newcomers: 1, out: []string{dead}})
}

func TestReconcileFinishesARestoreThatWasUnderWay(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "bad-patch"})
	b.die(accountProduction, "CreateReplaceRootVolumeTask", 1)
	result := b.reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Empty(t, result.Left)
	require.Len(t, result.Healed, 2)
	require.Contains(t, result.Healed[1].State, "its root volume is put back")
	require.Len(t, b.effects("CreateReplaceRootVolumeTask"), 1, "the replacement under way is found again, not repeated")
	b.requireInvariants(nil, after{})
}

func TestReconcileDeletesExpiredBackups(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy"})
	b.die(accountProduction, "CreateSnapshot", 1)
	require.Empty(t, b.reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
	dry := b.reconcile(workflows.ReconcileRequest{DryRun: true}, 100*24*time.Hour)
	require.NotEmpty(t, dry.Expired)
	require.Empty(t, b.effects("DeleteSnapshot"))
	require.Equal(t, dry.Expired, b.reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
	require.Len(t, b.effects("DeleteSnapshot"), len(dry.Expired))
	require.Empty(t, b.reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
}

// A wave that is parked, or on hold for longer than its backups are kept, can still be rolled back by them.
func TestReconcileKeepsTheBackupsOfAnOpenWave(t *testing.T) {
	for name, runs := range map[string]string{"the wave": "wave-test", "its roll back": names.RollBack("wave-test")} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.die(accountProduction, "CreateSnapshot", 1)
			b.locks[runs] = ""
			require.Empty(t, b.reconcile(workflows.ReconcileRequest{DryRun: true}, 100*24*time.Hour).Expired)
			require.Empty(t, b.reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
			require.Empty(t, b.effects("DeleteSnapshot"))
			delete(b.locks, runs)
			require.NotEmpty(t, b.reconcile(workflows.ReconcileRequest{}, time.Hour).Expired)
			require.NotEmpty(t, b.effects("DeleteSnapshot"))
		})
	}
}

func TestReconcileRefusesAnUnknownField(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy"})
	b.env.ExecuteWorkflow(names.Reconcile, map[string]bool{"dryRun": true})
	require.ErrorContains(t, b.env.GetWorkflowError(), `{"dry_run": true}`)
	require.Empty(t, b.sim.Events())
}
