package workflows_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// moments are calls that fall into every phase of a wave's way through production: whoever stops it just then must find the
// fleet whole afterwards.
var moments = []struct {
	phase     string
	account   string
	operation string
	nth       int
	installed bool // production's first instance is past the point where going back costs a restore
	either    bool // it depends on what is heard first: the word to stop or the call's answer
}{
	{phase: "preflight", account: accountStaging, operation: "DescribeInstances", nth: 1},
	{phase: "runbook", account: accountStaging, operation: "CreateDocument", nth: 1},
	{phase: "baseline", account: accountProduction, operation: "CreatePatchBaseline", nth: 1},
	{phase: "first scan", account: accountProduction, operation: "SendCommand", nth: 1},
	{phase: "staging: deregister", account: accountStaging, operation: "DeregisterTargets", nth: 1},
	{phase: "staging: install", account: accountStaging, operation: "StartAutomationExecution", nth: 1},
	{phase: "staging: register", account: accountStaging, operation: "RegisterTargets", nth: 1},
	{phase: "mark the group", account: accountProduction, operation: "CreateOrUpdateTags", nth: 1},
	{phase: "mark the instance", account: accountProduction, operation: "CreateTags", nth: 1},
	{phase: "suspend", account: accountProduction, operation: "SuspendProcesses", nth: 1},
	{phase: "standby", account: accountProduction, operation: "EnterStandby", nth: 1},
	{phase: "snapshot", account: accountProduction, operation: "CreateSnapshot", nth: 1, either: true},
	{phase: "install", account: accountProduction, operation: "StartAutomationExecution", nth: 1, installed: true},
	{phase: "wait for the install", account: accountProduction, operation: "GetAutomationExecution", nth: 2, installed: true},
	{phase: "return", account: accountProduction, operation: "ExitStandby", nth: 1, installed: true},
	{phase: "resume", account: accountProduction, operation: "ResumeProcesses", nth: 1, installed: true},
	{phase: "second instance: standby", account: accountProduction, operation: "EnterStandby", nth: 2, installed: true},
	{phase: "unmark the group", account: accountProduction, operation: "DeleteTags", nth: 5, installed: true},
}

// fewer leaves out three of four waves under -short: the race detector makes each ten times as slow, and looks for other
// things than their ends.
func fewer(i int) bool { return testing.Short() && i%4 != 0 }

func TestCancelAtEveryPhase(t *testing.T) {
	for _, fleet := range []struct {
		name  string
		sized [3]int
	}{{"decrement", [3]int{2, 4, 6}}, {"surge", [3]int{4, 4, 4}}} {
		for i, c := range moments {
			if fewer(i) {
				continue
			}
			if fleet.name == "surge" && (c.account == accountStaging || c.operation == "SendCommand") {
				continue // nothing there knows of a surge
			}
			t.Run(fleet.name+"/"+c.phase, func(t *testing.T) {
				b := newBench(t, benchOptions{scenario: "healthy", fleet: sized(fleet.sized[0], fleet.sized[1], fleet.sized[2])})
				b.at(c.account, c.operation, c.nth, b.env.CancelWorkflow)
				result, err := b.run(theWeb)
				require.Error(t, err)
				require.True(t, temporal.IsCanceledError(err), "%v", err)
				b.requireStopped(result, c.installed, c.either)
			})
		}
	}
}

func TestAbortAtEveryPhase(t *testing.T) {
	for i, c := range moments {
		if fewer(i) {
			continue
		}
		t.Run(c.phase, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.at(c.account, c.operation, c.nth, func() { b.tell(patch.Abort, "") })
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, "tester: the test says so")
			b.requireStopped(result, c.installed, c.either)
		})
	}
}

// requireStopped: before the install an instance is put back untouched, during and after it the wave goes forward with that
// one instance, and begins no other.
func (b *bench) requireStopped(result *patch.WaveResult, installed, either bool) {
	b.t.Helper()
	b.requireInvariants(result, after{})
	if result == nil {
		require.Empty(b.t, b.effects("EnterStandby"), "without a result nothing was begun")
		return
	}
	list := production(result)
	switch {
	case either:
	case installed:
		require.GreaterOrEqual(b.t, count(list, patch.Patched), 1, "%v", list)
	default:
		require.Zero(b.t, count(list, patch.Patched), "%v", list)
	}
	require.Equal(b.t, len(list), count(list, patch.Patched)+count(list, patch.NotStarted), "%v", list)
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				if instance.Outcome == patch.NotStarted {
					require.Empty(b.t, instance.AutomationExecutionID, "%s: not started, yet installed", instance.ID)
				}
			}
		}
	}
}

func TestCancelDuringTheBakeCutsItAndSaysSo(t *testing.T) {
	for _, stop := range []string{"cancel", "abort"} {
		t.Run(stop, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			// An instance that returns is put on watch: the third probe of its health after that is in the bake.
			b.whenBaking(func() {
				if stop == "cancel" {
					b.env.CancelWorkflow()
				} else {
					b.tell(patch.Abort, "")
				}
			})
			result, err := b.run(theWeb)
			if stop == "cancel" {
				require.True(t, temporal.IsCanceledError(err), "%v", err)
			} else {
				require.NoError(t, err)
			}
			require.NotNil(t, result)
			list := production(result)
			require.Equal(t, 1, count(list, patch.Patched), "%v", list)
			require.Contains(t, result.Stages[1].Groups[0].Instances[0].Notes, "the bake was cut short by a cancel")
			b.requireInvariants(result, after{})
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
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.answer, b.silent = c.answer, c.silent
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome)
			require.Contains(t, result.Reason, c.why)
			require.Equal(t, []patch.Outcome{patch.NotStarted, patch.NotStarted, patch.NotStarted, patch.NotStarted}, production(result))
			require.Empty(t, b.effects("EnterStandby"))
			b.requireInvariants(result, after{})
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
			b := newBench(t, benchOptions{
				scenario: "bad-patch",
				config:   plan("timeout: 30m, then: roll_back", "timeout: 30m, then: "+string(c.then), "approval: {required: true, timeout: 24h}", "approval: {required: false}"),
			})
			b.silent = true
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			b.requireInvariants(result, after{})
		})
	}
}

func TestMaxFailuresLetsAStageGoOn(t *testing.T) {
	for allowed, want := range map[int]int{1: 1, 3: 3, 4: 4} {
		t.Run(strconv.Itoa(allowed), func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "bad-patch", config: plan("max_unavailable: 1", "max_unavailable: 1\n        max_failures: "+strconv.Itoa(allowed))})
			holds := 0
			b.onHold = func(patch.WaveStatus) { holds++ }
			result, err := b.run(theWeb)
			require.NoError(t, err)
			if allowed == 4 {
				require.Zero(t, holds)
				require.Equal(t, patch.SucceededWithSkips, result.Outcome, "%+v", result)
			} else {
				require.Equal(t, 1, holds)
				require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
				want++ // the one too many
			}
			require.Equal(t, want, count(production(result), patch.RolledBack))
			b.requireInvariants(result, after{})
		})
	}
}

func TestVerbsTheStateDoesNotTakeAreRefused(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "bad-patch"})
	b.decide = []patch.Verb{patch.Abort}
	b.onHold = func(patch.WaveStatus) {
		b.refuses(patch.Approve, workflows.VerbRequest{Actor: "me", Reason: "late"}, "the wave is on_hold: it takes retry, skip, roll_back, abort, set_concurrency, not approve")
		b.refuses(patch.Skip, workflows.VerbRequest{Reason: "why"}, "actor: is missing")
		b.refuses(patch.Skip, workflows.VerbRequest{Actor: "me"}, "reason: is missing")
		b.refuses(patch.Skip, workflows.VerbRequest{Actor: "me", Reason: "why", Scope: patch.ScopeWave}, "only roll_back has one")
		b.refuses(patch.RollBack, workflows.VerbRequest{Actor: "me", Reason: "why", Scope: "all"}, "neither stage nor wave")
		b.refuses(patch.Skip, map[string]string{"actor": "me", "reasn": "why"}, "unknown field")
	}
	result, err := b.run(theWeb)
	require.NoError(t, err)
	b.requireInvariants(result, after{})
}
