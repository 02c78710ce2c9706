package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// sideBySide is a plan of production only, whose two groups are patched at once, and nobody need approve.
var sideBySide = productionOnly(plan("approval: {required: true, timeout: 24h}", "approval: {required: false}",
	"service: web", "max_parallel_groups: 2", "timeout: 30m", "timeout: 5h", webOnly, webAndAPI))

// phases are the phases of the first stage's groups, in the plan's order.
func phases(status patch.WaveStatus) []patch.GroupPhase {
	var all []patch.GroupPhase
	for _, group := range status.Stages[0].Groups {
		all = append(all, group.Phase)
	}
	return all
}

// A group that a freeze holds does not go on when it is lifted while a person is asked about another.
func TestAHoldOutlastsAFreeze(t *testing.T) {
	b := newBench(t, benchOptions{
		scenario: "healthy", config: sideBySide, fleet: also(twoGroups, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Group: "web"}),
	})
	b.decide = []patch.Verb{patch.Skip}
	b.silent = true
	b.when(func(patch.WaveStatus) bool { return len(b.effects("EnterStandby")) == 2 }, func(patch.WaveStatus) {
		b.freezes = patch.Freezes{{Actor: "ann", Reason: "incident"}}
	})
	told := false
	b.when(func(s patch.WaveStatus) bool { return s.State == patch.StateOnHold }, func(status patch.WaveStatus) {
		told = true
		require.Equal(t, []patch.GroupPhase{patch.GroupHeld, patch.GroupPaused}, phases(status))
		began := len(b.effects("EnterStandby"))
		b.freezes = nil
		b.env.RegisterDelayedCallback(func() {
			require.Len(t, b.effects("EnterStandby"), began, "nothing begins while a person is asked")
			b.mustTake(patch.Skip, asked("it can wait"))
		}, time.Hour)
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.True(t, told)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
	require.Equal(t, 7, count(production(result), patch.Patched))
}

// threeGroups has jobs beside web and api.
func threeGroups(s *world.Scenario) {
	twoGroups(s)
	region := &s.Accounts[1].Regions[0]
	group := region.Groups[1]
	group.Name, group.TargetGroups = "jobs", nil
	region.Groups = append(region.Groups, group)
}

// The verb resume lifts a person's pause, not the stop that a failure is: what waits beside it begins nothing.
func TestResumeDoesNotLiftWhatAFailureStopped(t *testing.T) {
	all := webAndAPI + "          - account: production\n            region: ap-northeast-1\n            auto_scaling_group: jobs\n"
	b := newBench(t, benchOptions{
		scenario: "healthy", config: productionOnly(plan("approval: {required: true, timeout: 24h}", "approval: {required: false}",
			"service: web", "max_parallel_groups: 3", "timeout: 30m", "timeout: 5h", webOnly, all)),
		fleet: also(threeGroups, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Group: "web"}),
	})
	b.silent = true
	b.when(func(patch.WaveStatus) bool { return len(b.effects("EnterStandby")) == 3 }, func(patch.WaveStatus) { b.mustTake(patch.Pause, asked("lunch")) })
	resumed, held := false, false
	b.when(func(s patch.WaveStatus) bool {
		list := phases(s)
		return s.State == patch.StatePaused && list[0] == patch.GroupHeld && list[1] != list[2] && (list[1] == patch.GroupPaused || list[2] == patch.GroupPaused)
	}, func(patch.WaveStatus) {
		resumed = true
		marks := len(b.effects("CreateOrUpdateTags"))
		b.mustTake(patch.Resume, asked("back"))
		b.when(func(s patch.WaveStatus) bool { return s.State == patch.StateOnHold }, func(patch.WaveStatus) {
			held = true
			require.Len(t, b.effects("CreateOrUpdateTags"), marks, "no group was marked for a new instance")
			require.Len(t, b.effects("EnterStandby"), 3)
			b.mustTake(patch.Skip, asked("it can wait"))
		})
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.True(t, resumed)
	require.True(t, held)
	require.Equal(t, 11, count(production(result), patch.Patched), "%+v", result)
}

// What is decided at a hold under a person's pause is kept until resume: neither marks nor room are made before.
func TestADecisionUnderAPauseWaitsForResume(t *testing.T) {
	for _, c := range []struct {
		verb    patch.Verb
		want    patch.Outcome
		patched int
	}{
		{patch.Retry, patch.Succeeded, 4},
		{patch.Skip, patch.SucceededWithSkips, 3},
	} {
		t.Run(string(c.verb), func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", config: productionOnly(unattended), fleet: failsOnce(sized(4, 4, 4))})
			b.silent = true
			b.when(func(patch.WaveStatus) bool { return len(b.effects("EnterStandby")) > 0 }, func(patch.WaveStatus) { b.mustTake(patch.Pause, asked("lunch")) })
			waited := false
			b.when(func(s patch.WaveStatus) bool { return s.State == patch.StateOnHold }, func(patch.WaveStatus) {
				changes := len(b.mutations("production"))
				b.mustTake(c.verb, asked("it was the mirror"))
				b.env.RegisterDelayedCallback(func() {
					waited = true
					status, _ := b.status()
					require.Equal(t, patch.StatePaused, status.State)
					require.Equal(t, []patch.GroupPhase{patch.GroupPaused}, phases(status))
					require.Equal(t, "paused by tester: lunch", status.Stages[0].Groups[0].Reason)
					require.Len(t, b.mutations("production"), changes, "nothing is changed under a pause")
					b.mustTake(patch.Resume, asked("back"))
				}, 2*time.Hour)
			})
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.True(t, waited)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Equal(t, c.patched, count(production(result), patch.Patched))
			b.requireInvariants(result, after{})
		})
	}
}

// Groups that wait beside a held one could still be rolled back, also after a decision under a pause.
func TestARollBackUnderAPauseFollowsADecision(t *testing.T) {
	b := newBench(t, benchOptions{
		scenario: "healthy", config: sideBySide, fleet: also(twoGroups, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Group: "web"}),
	})
	b.silent = true
	b.when(func(patch.WaveStatus) bool { return len(b.effects("EnterStandby")) == 2 }, func(patch.WaveStatus) { b.mustTake(patch.Pause, asked("lunch")) })
	b.when(func(s patch.WaveStatus) bool { return s.State == patch.StateOnHold }, func(patch.WaveStatus) {
		b.mustTake(patch.Skip, asked("it can wait"))
		b.env.RegisterDelayedCallback(func() { b.mustTake(patch.RollBack, asked("it cannot")) }, time.Hour)
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	require.Zero(t, count(production(result), patch.Patched))
	b.requireInvariants(result, after{})
}

// A roll_back that a cancel overtook is named: nobody may believe that it was carried out.
func TestACancelNamesTheRollBackThatItOvertook(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: productionOnly(unattended)})
	b.when(func(patch.WaveStatus) bool { return len(b.effects("EnterStandby")) > 0 }, func(patch.WaveStatus) {
		b.mustTake(patch.Pause, asked("lunch"))
		b.mustTake(patch.RollBack, asked("the shop is down"))
		b.env.CancelWorkflow()
	})
	result, err := b.run(theWeb)
	require.Error(t, err)
	require.Equal(t, "aborted: the wave was cancelled; roll_back by tester (the shop is down) is not carried out", result.Reason)
	b.requireInvariants(result, after{})
}

// actingGroup puts another workflow in a group's place, which reports to its wave like it.
func (b *bench) actingGroup(name string, act func(workflow.Context, func(patch.GroupCounts), func() workflows.OrderKind) (*patch.GroupResult, error)) {
	b.instead(names.PatchGroup, func(ctx workflow.Context, in workflows.GroupInput) (*workflows.GroupEnd, error) {
		if in.Group.AutoScalingGroup != name {
			return workflows.PatchGroup(ctx, in)
		}
		info := workflow.GetInfo(ctx)
		clean, _ := workflow.NewDisconnectedContext(ctx)
		report := func(counts patch.GroupCounts) {
			counts.Group, counts.WorkflowID, counts.Total = in.Group.String(), info.WorkflowExecution.ID, len(in.Members)
			parent := info.ParentWorkflowExecution
			require.NoError(b.t, workflow.SignalExternalWorkflow(clean, parent.ID, parent.RunID, names.SignalGroupReport, counts).Get(clean, nil))
		}
		next := func() workflows.OrderKind {
			var order workflows.GroupOrder
			workflow.GetSignalChannel(clean, names.SignalGroupOrder).Receive(clean, &order)
			return order.Kind
		}
		result, err := act(ctx, report, next)
		if err != nil {
			return nil, err
		}
		return &workflows.GroupEnd{GroupResult: *result}, nil
	})
}

// Where a held group is terminated before a person was asked, nobody is left to decide: what waits beside it stops, and the wave
// says which group was lost.
func TestAGroupThatWaitsForOneThatIsTerminatedStops(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: twoGroups, config: sideBySide})
	b.actingGroup("web", func(ctx workflow.Context, report func(patch.GroupCounts), next func() workflows.OrderKind) (*patch.GroupResult, error) {
		require.Equal(t, workflows.OrderGo, next())
		report(patch.GroupCounts{Phase: patch.GroupPatching})
		require.NoError(t, workflow.Sleep(ctx, 3*time.Minute))
		report(patch.GroupCounts{Phase: patch.GroupHeld, Outcome: patch.Failed, Reason: "i-1 failed: install"})
		require.NoError(t, workflow.Sleep(ctx, time.Minute))
		return nil, errors.New("terminated")
	})
	b.play(func(h history) {
		result := h.ends(h.begin("wave-1", "web"))
		require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
		require.Contains(t, result.Stranded[0].Resource, "group web")
		require.Equal(t, 1, count(production(result), patch.Patched), "api's instance under way ends, and no other begins")
		require.Equal(t, 3, count(production(result), patch.NotStarted))
	})
}

// A group that is terminated while it puts back has not put back whole, whatever it last reported.
func TestAGroupThatIsTerminatedWhileItPutsBackIsTold(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: twoGroups, config: sideBySide})
	b.actingGroup("web", func(ctx workflow.Context, report func(patch.GroupCounts), next func() workflows.OrderKind) (*patch.GroupResult, error) {
		for {
			switch next() {
			case workflows.OrderGo:
				report(patch.GroupCounts{Phase: patch.GroupPatching})
			case workflows.OrderStop:
				report(patch.GroupCounts{Phase: patch.GroupDone, Outcome: patch.Aborted})
			case workflows.OrderRollBack:
				report(patch.GroupCounts{Phase: patch.GroupRollingBack})
				require.NoError(t, workflow.Sleep(ctx, time.Minute))
				return nil, errors.New("terminated")
			}
		}
	})
	b.when(func(patch.WaveStatus) bool { return len(b.effects("EnterStandby")) > 0 }, func(patch.WaveStatus) { b.mustTake(patch.RollBack, asked("the shop is down")) })
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
	require.Contains(t, result.Reason, "web was not put back whole: its workflow ended before the wave released it")
}

// An instance that read the window before somebody extended it, and refuses by it, is asked again.
func TestAnExtendedWindowReachesTheInstanceThatJudgedByTheOldOne(t *testing.T) {
	const needs = 61 * time.Minute // 30 + 30, and the target group's minute of draining
	config := func(file []byte) []byte {
		return productionOnly(unattended)(estimated("{patch: 30m, rollback: 30m, snapshot: 0s, volume: 0s}")(file))
	}
	scanned := time.Time{}
	b := newBench(t, benchOptions{scenario: "healthy", config: config})
	b.whenAt(patch.StepScan, func(string) { scanned = b.env.Now() })
	_, err := b.run(theWeb)
	require.NoError(t, err)
	require.False(t, scanned.IsZero())

	b = newBench(t, benchOptions{scenario: "healthy", config: config})
	b.plans.window = &patch.Window{Opens: scanned.Add(-time.Hour), Cutoff: scanned.Add(needs + time.Second), Closes: scanned.Add(3 * time.Hour)}
	b.whenAt(patch.StepScan, func(string) {
		b.mustTake(patch.ExtendWindow, workflows.VerbRequest{Actor: "tester", Reason: "all are left", Until: scanned.Add(9 * time.Hour).Format(time.RFC3339)})
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, 4, count(production(result), patch.Patched))
}
