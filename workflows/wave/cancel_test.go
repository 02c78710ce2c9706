package wave_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// moments are calls that fall into every phase of a wave's way through production: whoever stops it just then must find
// the fleet whole afterwards.
var moments = []struct {
	phase     string
	account   string
	operation string
	nth       int
	installed bool // production's first instance is past the point where going back costs a restore
	either    bool // it depends on what is heard first: the word to stop or the call's answer
}{
	{phase: "preflight", account: wavetest.Staging, operation: "DescribeInstances", nth: 1},
	{phase: "runbook", account: wavetest.Staging, operation: "CreateDocument", nth: 1},
	{phase: "baseline", account: wavetest.Production, operation: "CreatePatchBaseline", nth: 1},
	{phase: "first scan", account: wavetest.Production, operation: "SendCommand", nth: 1},
	{phase: "staging: deregister", account: wavetest.Staging, operation: "DeregisterTargets", nth: 1},
	{phase: "staging: install", account: wavetest.Staging, operation: "StartAutomationExecution", nth: 1},
	{phase: "staging: register", account: wavetest.Staging, operation: "RegisterTargets", nth: 1},
	{phase: "mark the group", account: wavetest.Production, operation: "CreateOrUpdateTags", nth: 1},
	{phase: "mark the instance", account: wavetest.Production, operation: "CreateTags", nth: 1},
	{phase: "suspend", account: wavetest.Production, operation: "SuspendProcesses", nth: 1},
	{phase: "standby", account: wavetest.Production, operation: "EnterStandby", nth: 1},
	{phase: "snapshot", account: wavetest.Production, operation: "CreateSnapshot", nth: 1, either: true},
	{phase: "install", account: wavetest.Production, operation: "StartAutomationExecution", nth: 1, installed: true},
	{
		phase: "wait for the install", account: wavetest.Production, operation: "GetAutomationExecution", nth: 2,
		installed: true,
	},
	{phase: "return", account: wavetest.Production, operation: "ExitStandby", nth: 1, installed: true},
	{phase: "resume", account: wavetest.Production, operation: "ResumeProcesses", nth: 1, installed: true},
	{phase: "second instance: standby", account: wavetest.Production, operation: "EnterStandby", nth: 2, installed: true},
	{phase: "unmark the group", account: wavetest.Production, operation: "DeleteTags", nth: 5, installed: true},
}

func TestCancelAtEveryPhase(t *testing.T) {
	for _, fleet := range []struct {
		name  string
		sized [3]int
	}{{"decrement", [3]int{2, 4, 6}}, {"surge", [3]int{4, 4, 4}}} {
		for i, c := range moments {
			if wavetest.SkipInShort(i) {
				continue
			}
			if fleet.name == "surge" && (c.account == wavetest.Staging || c.operation == "SendCommand") {
				continue // nothing there knows of a surge
			}
			t.Run(fleet.name+"/"+c.phase, func(t *testing.T) {
				scene := wavetest.New(t, wavetest.Options{
					Scenario: "healthy", Fleet: wavetest.Sized(fleet.sized[0], fleet.sized[1], fleet.sized[2]),
				})
				scene.AtCall(c.account, c.operation, c.nth, scene.Env.CancelWorkflow)
				result, err := scene.Run(wavetest.WebWave)
				require.Error(t, err)
				require.True(t, temporal.IsCanceledError(err), "%v", err)
				requireStopped(scene, result, c.installed, c.either)
			})
		}
	}
}

func TestAbortAtEveryPhase(t *testing.T) {
	for i, c := range moments {
		if wavetest.SkipInShort(i) {
			continue
		}
		t.Run(c.phase, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.AtCall(c.account, c.operation, c.nth, func() { scene.Tell(patch.Abort, "") })
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, "tester: the test says so")
			requireStopped(scene, result, c.installed, c.either)
		})
	}
}

// requireStopped: before the install an instance is put back untouched, during and after it the wave goes forward with
// that one instance, and begins no other.
func requireStopped(scene *wavetest.Scene, result *patch.WaveResult, installed, either bool) {
	scene.T.Helper()
	scene.RequireInvariants(result, wavetest.Except{})
	if result == nil {
		require.Empty(scene.T, scene.Effects("EnterStandby"), "without a result nothing was begun")
		return
	}
	list := wavetest.ProductionOutcomes(result)
	switch {
	case either:
	case installed:
		require.GreaterOrEqual(scene.T, wavetest.Count(list, patch.Patched), 1, "%v", list)
	default:
		require.Zero(scene.T, wavetest.Count(list, patch.Patched), "%v", list)
	}
	require.Equal(scene.T, len(list), wavetest.Count(list, patch.Patched)+wavetest.Count(list, patch.NotStarted), "%v",
		list)
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				if instance.Outcome == patch.NotStarted {
					require.Empty(scene.T, instance.AutomationExecutionID, "%s: not started, yet installed", instance.ID)
				}
			}
		}
	}
}

func TestCancelDuringTheBakeCutsItAndSaysSo(t *testing.T) {
	for _, stop := range []string{"cancel", "abort"} {
		t.Run(stop, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			// An instance that returns is put on watch: the third probe of its health after that is in the bake.
			scene.WhenBaking(func() {
				if stop == "cancel" {
					scene.Env.CancelWorkflow()
				} else {
					scene.Tell(patch.Abort, "")
				}
			})
			result, err := scene.Run(wavetest.WebWave)
			if stop == "cancel" {
				require.True(t, temporal.IsCanceledError(err), "%v", err)
			} else {
				require.NoError(t, err)
			}
			require.NotNil(t, result)
			list := wavetest.ProductionOutcomes(result)
			require.Equal(t, 1, wavetest.Count(list, patch.Patched), "%v", list)
			require.Contains(t, result.Stages[1].Groups[0].Instances[0].Notes, "the bake was cut short by a cancel")
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

func TestRejectAndSilence(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer patch.Verb
		silent bool
		why    string
	}{
		{name: "rejected", answer: patch.Reject, why: "tester: the test says so"},
		{name: "aborted while awaiting approval", answer: patch.Abort, why: "tester: the test says so"},
		{name: "nobody approves", silent: true, why: "nobody approved within 24h0m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Answer, scene.Silent = c.answer, c.silent
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome)
			require.Contains(t, result.Reason, c.why)
			require.Equal(t, []patch.Outcome{
				patch.NotStarted, patch.NotStarted, patch.NotStarted, patch.NotStarted,
			}, wavetest.ProductionOutcomes(result))
			require.Empty(t, scene.Effects("EnterStandby"))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

func TestNobodyAnswersAHold(t *testing.T) {
	for _, c := range []struct {
		then patch.Verb
		want patch.Outcome
	}{
		{patch.RollBack, patch.RolledBack},
		{patch.Skip, patch.SucceededWithSkips},
		{patch.Abort, patch.Aborted},
	} {
		t.Run(string(c.then), func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "bad-patch",
				Config: wavetest.PlanWith("timeout: 30m, then: roll_back", "timeout: 30m, then: "+string(c.then),
					"approval: {required: true, timeout: 24h}", "approval: {required: false}"),
			})
			scene.Silent = true
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

func TestMaxFailuresLetsAStageGoOn(t *testing.T) {
	for allowed, want := range map[int]int{1: 1, 3: 3, 4: 4} {
		t.Run(strconv.Itoa(allowed), func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "bad-patch",
				Config: wavetest.PlanWith("max_unavailable: 1",
					"max_unavailable: 1\n        max_failures: "+strconv.Itoa(allowed)),
			})
			holds := 0
			scene.OnHold = func(patch.WaveStatus) { holds++ }
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			if allowed == 4 {
				require.Zero(t, holds)
				require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
			} else {
				require.Equal(t, 1, holds)
				require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
				want++ // the one too many
			}
			require.Equal(t, want, wavetest.CountInProduction(result, patch.RolledBack))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

func TestVerbsTheStateDoesNotTakeAreRefused(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch"})
	scene.Decide = []patch.Verb{patch.Abort}
	scene.OnHold = func(patch.WaveStatus) {
		scene.Refuses(patch.Approve, workflows.VerbRequest{
			Actor: "me", Reason: "late",
		}, "the wave is on hold: it takes retry, skip, roll_back, abort, not approve")
		scene.Refuses(patch.Skip, workflows.VerbRequest{Reason: "why"}, "actor: is missing")
		scene.Refuses(patch.Skip, workflows.VerbRequest{Actor: "me"}, "reason: is missing")
		scene.Refuses(patch.Skip, workflows.VerbRequest{
			Actor: "me", Reason: "why", Scope: patch.ScopeWave,
		}, "only roll_back has one")
		scene.Refuses(patch.RollBack, workflows.VerbRequest{
			Actor: "me", Reason: "why", Scope: "all",
		}, "neither stage nor wave")
		scene.Refuses(patch.Skip, map[string]string{"actor": "me", "reasn": "why"}, "unknown field")
	}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	scene.RequireInvariants(result, wavetest.Except{})
}
