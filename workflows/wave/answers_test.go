package wave_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
	"github.com/patchtide/patchtide/workflows/group"
)

// sideBySide is a plan of production only, whose two groups are patched at once, and nobody need approve.
var sideBySide = wavetest.ProductionOnly(wavetest.PlanWith("approval: {required: true, timeout: 24h}",
	"approval: {required: false}",
	"service: web", "max_parallel_groups: 2", "timeout: 30m", "timeout: 5h", wavetest.WebOnly, wavetest.WebAndAPI))

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
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: sideBySide, Fleet: wavetest.WithFaults(wavetest.TwoGroups, world.WorldFault{
			Kind: world.FaultInstallFails, Account: "production", Group: "web",
		}),
	})
	scene.Decide = []patch.Verb{patch.Skip}
	scene.Silent = true
	scene.When(func(patch.WaveStatus) bool { return len(scene.Effects("EnterStandby")) == 2 }, func(patch.WaveStatus) {
		scene.Frozen = patch.Freezes{{Actor: "ann", Reason: "incident"}}
	})
	told := false
	scene.When(wavetest.InState(patch.StateOnHold), func(status patch.WaveStatus) {
		told = true
		require.Equal(t, []patch.GroupPhase{patch.GroupHeld, patch.GroupPaused}, phases(status))
		began := len(scene.Effects("EnterStandby"))
		scene.Frozen = nil
		scene.Env.RegisterDelayedCallback(func() {
			require.Len(t, scene.Effects("EnterStandby"), began, "nothing begins while a person is asked")
			scene.MustTake(patch.Skip, wavetest.Because("it can wait"))
		}, time.Hour)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, told)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
	require.Equal(t, 7, wavetest.CountInProduction(result, patch.Patched))
}

// threeGroups has jobs beside web and api.
func threeGroups(s *world.Scenario) {
	wavetest.TwoGroups(s)
	region := &s.Accounts[1].Regions[0]
	group := region.Groups[1]
	group.Name, group.TargetGroups = "jobs", nil
	region.Groups = append(region.Groups, group)
}

// The verb resume lifts a person's pause, not the stop that a failure is: what waits beside it begins nothing.
func TestResumeDoesNotLiftWhatAFailureStopped(t *testing.T) {
	all := wavetest.WebAndAPI +
		"          - account: production\n            region: ap-northeast-1\n            auto_scaling_group: jobs\n"
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config: wavetest.ProductionOnly(wavetest.PlanWith("approval: {required: true, timeout: 24h}",
			"approval: {required: false}",
			"service: web", "max_parallel_groups: 3", "timeout: 30m", "timeout: 5h", wavetest.WebOnly, all)),
		Fleet: wavetest.WithFaults(threeGroups, world.WorldFault{
			Kind: world.FaultInstallFails, Account: "production", Group: "web",
		}),
	})
	scene.Silent = true
	scene.When(func(patch.WaveStatus) bool { return len(scene.Effects("EnterStandby")) == 3 }, func(patch.WaveStatus) {
		scene.MustTake(patch.Pause, wavetest.Because("lunch"))
	})
	resumed, held := false, false
	scene.When(func(s patch.WaveStatus) bool {
		list := phases(s)
		return s.State == patch.StatePaused && list[0] == patch.GroupHeld && list[1] != list[2] &&
			(list[1] == patch.GroupPaused || list[2] == patch.GroupPaused)
	}, func(patch.WaveStatus) {
		resumed = true
		marks := len(scene.Effects("CreateOrUpdateTags"))
		scene.MustTake(patch.Resume, wavetest.Because("back"))
		scene.When(wavetest.InState(patch.StateOnHold), func(patch.WaveStatus) {
			held = true
			require.Len(t, scene.Effects("CreateOrUpdateTags"), marks, "no group was marked for a new instance")
			require.Len(t, scene.Effects("EnterStandby"), 3)
			scene.MustTake(patch.Skip, wavetest.Because("it can wait"))
		})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, resumed)
	require.True(t, held)
	require.Equal(t, 11, wavetest.CountInProduction(result, patch.Patched), "%+v", result)
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
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended),
				Fleet: wavetest.FailsOnce(wavetest.Sized(4, 4, 4)),
			})
			scene.Silent = true
			scene.When(scene.Did("EnterStandby"), func(patch.WaveStatus) {
				scene.MustTake(patch.Pause, wavetest.Because("lunch"))
			})
			waited := false
			scene.When(wavetest.InState(patch.StateOnHold), func(patch.WaveStatus) {
				changes := len(scene.Mutations("production"))
				scene.MustTake(c.verb, wavetest.Because("it was the mirror"))
				scene.Env.RegisterDelayedCallback(func() {
					waited = true
					status, _ := scene.Status()
					require.Equal(t, patch.StatePaused, status.State)
					require.Equal(t, []patch.GroupPhase{patch.GroupPaused}, phases(status))
					why, kept, is := strings.Cut(status.Stages[0].Groups[0].Reason, "; kept until it goes on: ")
					require.Equal(t, "paused by tester: lunch", why)
					require.Equal(t, c.verb == patch.Retry, is)
					require.Equal(t, is, strings.HasPrefix(kept, "the retry of i-"), kept)
					require.Len(t, scene.Mutations("production"), changes, "nothing is changed under a pause")
					scene.MustTake(patch.Resume, wavetest.Because("back"))
				}, 2*time.Hour)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, waited)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Equal(t, c.patched, wavetest.CountInProduction(result, patch.Patched))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// Groups that wait beside a held one could still be rolled back, also after a decision under a pause.
func TestARollBackUnderAPauseFollowsADecision(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: sideBySide, Fleet: wavetest.WithFaults(wavetest.TwoGroups, world.WorldFault{
			Kind: world.FaultInstallFails, Account: "production", Group: "web",
		}),
	})
	scene.Silent = true
	scene.When(func(patch.WaveStatus) bool { return len(scene.Effects("EnterStandby")) == 2 }, func(patch.WaveStatus) {
		scene.MustTake(patch.Pause, wavetest.Because("lunch"))
	})
	scene.When(wavetest.InState(patch.StateOnHold), func(patch.WaveStatus) {
		scene.MustTake(patch.Skip, wavetest.Because("it can wait"))
		scene.Env.RegisterDelayedCallback(func() { scene.MustTake(patch.RollBack, wavetest.Because("it cannot")) }, time.Hour)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	require.Zero(t, wavetest.CountInProduction(result, patch.Patched))
	scene.RequireInvariants(result, wavetest.Except{})
}

// A roll_back that a cancel overtook is named: nobody may believe that it was carried out.
func TestACancelNamesTheRollBackThatItOvertook(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended)})
	scene.When(scene.Did("EnterStandby"), func(patch.WaveStatus) {
		scene.MustTake(patch.Pause, wavetest.Because("lunch"))
		scene.MustTake(patch.RollBack, wavetest.Because("the shop is down"))
		scene.Env.CancelWorkflow()
	})
	result, err := scene.Run(wavetest.WebWave)
	require.Error(t, err)
	require.Equal(t, "aborted: the wave was cancelled; roll back by tester (the shop is down) is not carried out",
		result.Reason)
	scene.RequireInvariants(result, wavetest.Except{})
}

// actor is a group that a test plays.
type actor struct {
	ctx    workflow.Context
	report func(patch.GroupCounts)    // to its wave
	next   func() workflows.OrderKind // waits for the wave's next order
}

// actingGroup puts another workflow in a group's place, which reports to its wave like it.
func actingGroup(scene *wavetest.Scene, name string, act func(actor) (*patch.GroupResult, error)) {
	scene.InPlaceOf(names.PatchGroup, func(ctx workflow.Context, in workflows.GroupInput) (*workflows.GroupEnd, error) {
		if in.Group.AutoScalingGroup != name {
			return group.PatchGroup(ctx, in)
		}
		info := workflow.GetInfo(ctx)
		clean, _ := workflow.NewDisconnectedContext(ctx)
		report := func(counts patch.GroupCounts) {
			counts.Group, counts.WorkflowID, counts.Total = in.Group.String(), info.WorkflowExecution.ID, len(in.Members)
			parent := info.ParentWorkflowExecution
			require.NoError(scene.T,
				workflow.SignalExternalWorkflow(clean, parent.ID, parent.RunID, names.SignalGroupReport, counts).Get(clean, nil))
		}
		next := func() workflows.OrderKind {
			var order workflows.GroupOrder
			workflow.GetSignalChannel(clean, names.SignalGroupOrder).Receive(clean, &order)
			return order.Kind
		}
		result, err := act(actor{ctx, report, next})
		if err != nil {
			return nil, err
		}
		return &workflows.GroupEnd{GroupResult: *result}, nil
	})
}

// Where a held group is terminated before a person was asked, nobody is left to decide: what waits beside it stops, and
// the wave says which group was lost.
func TestAGroupThatWaitsForOneThatIsTerminatedStops(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.TwoGroups, Config: sideBySide})
	actingGroup(scene, "web", func(it actor) (*patch.GroupResult, error) {
		require.Equal(t, group.OrderGo, it.next())
		it.report(patch.GroupCounts{Phase: patch.GroupPatching})
		require.NoError(t, workflow.Sleep(it.ctx, 3*time.Minute))
		it.report(patch.GroupCounts{Phase: patch.GroupHeld, Outcome: patch.Failed, Reason: "i-1 failed: install"})
		require.NoError(t, workflow.Sleep(it.ctx, time.Minute))
		return nil, errors.New("terminated")
	})
	scene.Play(func(story wavetest.Story) {
		result := story.Ends(story.Begin("wave-1", "web"))
		require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
		require.Contains(t, result.Stranded[0].Resource, "group web")
		require.Equal(t, 1, wavetest.CountInProduction(result, patch.Patched),
			"api's instance under way ends, and no other begins")
		require.Equal(t, 3, wavetest.CountInProduction(result, patch.NotStarted))
	})
}

// A group that is terminated while it puts back has not put back whole, whatever it last reported.
func TestAGroupThatIsTerminatedWhileItPutsBackIsTold(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.TwoGroups, Config: sideBySide})
	actingGroup(scene, "web", func(it actor) (*patch.GroupResult, error) {
		for {
			switch it.next() {
			case group.OrderGo:
				it.report(patch.GroupCounts{Phase: patch.GroupPatching})
			case group.OrderStop:
				it.report(patch.GroupCounts{Phase: patch.GroupDone, Outcome: patch.Aborted})
			case group.OrderRollBack:
				it.report(patch.GroupCounts{Phase: patch.GroupRollingBack})
				require.NoError(t, workflow.Sleep(it.ctx, time.Minute))
				return nil, errors.New("terminated")
			}
		}
	})
	scene.When(scene.Did("EnterStandby"), func(patch.WaveStatus) {
		scene.MustTake(patch.RollBack, wavetest.Because("the shop is down"))
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
	require.Contains(t, result.Reason, "web was not put back whole: its workflow ended before the wave released it")
}

// An instance that read the window before somebody extended it, and refuses by it, is asked again.
func TestAnExtendedWindowReachesTheInstanceThatJudgedByTheOldOne(t *testing.T) {
	const needs = 61 * time.Minute // 30 + 30, and the target group's minute of draining
	config := func(file []byte) []byte {
		return wavetest.ProductionOnly(wavetest.Unattended)(
			estimated("{patch: 30m, rollback: 30m, snapshot: 0s, volume: 0s}")(file),
		)
	}
	scanned := time.Time{}
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: config})
	scene.WhenAtStep(patch.StepScan, func(string) { scanned = scene.Env.Now() })
	_, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.False(t, scanned.IsZero())

	scene = wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: config})
	scene.Plans.Within = &patch.Window{
		Opens: scanned.Add(-time.Hour), Cutoff: scanned.Add(needs + time.Second), Closes: scanned.Add(3 * time.Hour),
	}
	scene.WhenAtStep(patch.StepScan, func(string) {
		scene.MustTake(patch.ExtendWindow, workflows.VerbRequest{
			Actor: "tester", Reason: "all are left", Until: scanned.Add(9 * time.Hour).Format(time.RFC3339),
		})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
}
