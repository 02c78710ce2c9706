package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// when looks at the wave's status every few seconds and acts once, the first time that it is so.
func (b *bench) when(is func(patch.WaveStatus) bool, act func(patch.WaveStatus)) {
	var look func()
	look = func() {
		if b.env.IsWorkflowCompleted() {
			return
		}
		if status, ok := b.status(); ok && is(status) {
			act(status)
			return
		}
		b.env.RegisterDelayedCallback(look, 5*time.Second)
	}
	b.env.RegisterDelayedCallback(look, 5*time.Second)
}

// mustTake sends one verb that the wave must take.
func (b *bench) mustTake(verb patch.Verb, request workflows.VerbRequest) {
	b.env.UpdateWorkflow(string(verb), "", &testsuite.TestUpdateCallback{
		OnAccept:   func() {},
		OnReject:   func(err error) { b.t.Errorf("%s was rejected: %v", verb, err) },
		OnComplete: func(_ any, err error) { require.NoError(b.t, err) },
	}, request)
}

func asked(reason string) workflows.VerbRequest {
	return workflows.VerbRequest{Actor: "tester", Reason: reason}
}

// inProduction tells that production is at work and an instance of it is out.
func (b *bench) inProduction(status patch.WaveStatus) bool {
	return status.Stage == "production" && status.State == patch.StateRunning && len(b.effects("EnterStandby")) > 0
}

func groupPhase(status patch.WaveStatus) patch.GroupPhase { return status.Stages[1].Groups[0].Phase }

func TestPauseLetsTheInstanceEndAndBeginsNoOther(t *testing.T) {
	for _, c := range []struct {
		then    patch.Verb
		want    patch.Outcome
		patched int
	}{
		{patch.Resume, patch.Succeeded, 4},
		{patch.RollBack, patch.RolledBack, 0},
		{patch.Abort, patch.Aborted, 1},
	} {
		for name, fleet := range map[string][3]int{"decrement": {2, 4, 6}, "surge": {4, 4, 4}} {
			t.Run(string(c.then)+" "+name, func(t *testing.T) {
				b := newBench(t, benchOptions{scenario: "healthy", fleet: sized(fleet[0], fleet[1], fleet[2])})
				b.when(b.inProduction, func(patch.WaveStatus) {
					b.mustTake(patch.Pause, asked("the network is being worked on"))
				})
				b.when(func(s patch.WaveStatus) bool {
					return s.State == patch.StatePaused && groupPhase(s) == patch.GroupPaused
				}, func(status patch.WaveStatus) {
					require.Contains(t, status.Awaiting, "paused by tester: the network is being worked on")
					require.Contains(t, status.Verbs, patch.Resume)
					b.requireNobodyOut()
					began := len(b.effects("EnterStandby"))
					b.env.RegisterDelayedCallback(func() {
						b.requireNobodyOut()
						require.Len(t, b.effects("EnterStandby"), began, "nothing began meanwhile")
						b.mustTake(patch.Pause, asked("the network is being worked on")) // sent again: answered, and nothing changes
						b.mustTake(c.then, asked("it is done"))
					}, 3*time.Hour)
				})
				result, err := b.run(theWeb)
				require.NoError(t, err)
				require.Equal(t, c.want, result.Outcome, "%+v", result)
				require.Equal(t, c.patched, count(production(result), patch.Patched))
				b.requireInvariants(result, after{})
				b.requireVersions(result)
			})
		}
	}
}

// A failure during a pause puts the wave on hold; what is decided there does not lift the pause.
func TestAPauseOutlivesAHold(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: failsOnce(nil)})
	b.decide = []patch.Verb{patch.Retry}
	b.when(b.inProduction, func(patch.WaveStatus) { b.mustTake(patch.Pause, asked("lunch")) })
	paused := false
	held := false
	b.onHold = func(patch.WaveStatus) { held = true }
	b.when(func(s patch.WaveStatus) bool {
		return held && s.State == patch.StatePaused && groupPhase(s) == patch.GroupPaused
	}, func(patch.WaveStatus) {
		paused = true
		b.requireNobodyOut()
		b.mustTake(patch.Resume, asked("back"))
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.True(t, paused)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	b.requireInvariants(result, after{})
}

func TestSetConcurrencyTakesEffectBetweenInstances(t *testing.T) {
	for _, c := range []struct {
		name    string
		service []string
		refused string
	}{
		{"of a stage without a service", []string{"service: web", "max_parallel_groups: 1"}, ""},
		{"of a service", nil, "are one service, web"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", fleet: twoGroups, config: plan(append(c.service, webOnly, webAndAPI)...)})
			b.when(b.inProduction, func(patch.WaveStatus) {
				request := workflows.VerbRequest{Actor: "tester", Reason: "quiet", MaxParallelGroups: 2}
				if c.refused != "" {
					b.refuses(patch.SetConcurrency, request, c.refused)
					return
				}
				b.mustTake(patch.SetConcurrency, request)
			})
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, c.refused == "", b.overlap("web", "api"))
			b.requireInvariants(result, after{})
		})
	}
}

func TestAnExtendedWindowReachesTheGroupAtWork(t *testing.T) {
	for _, c := range []struct {
		name   string
		extend bool
		some   int
	}{
		{"as it was", false, 2},
		{"extended in time", true, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", config: estimated("{patch: 11m, rollback: 0s, snapshot: 0s, volume: 0s}")})
			start := b.env.Now()
			closes := start.Add(105 * time.Minute)
			b.plans.window = &patch.Window{Opens: start.Add(-time.Hour), Cutoff: start.Add(60 * time.Minute), Closes: closes}
			if c.extend {
				b.when(b.inProduction, func(status patch.WaveStatus) {
					require.Contains(t, status.Verbs, patch.ExtendWindow)
					request := workflows.VerbRequest{Actor: "tester", Reason: "two are left", Until: closes.Add(3 * time.Hour).Format(time.RFC3339)}
					b.mustTake(patch.ExtendWindow, request)
					b.mustTake(patch.ExtendWindow, request) // sent twice, extended once
				})
			}
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Equal(t, c.some, count(production(result), patch.Patched), "%+v", result)
			b.requireInvariants(result, after{})
			var document activities.WaveDocument
			require.NoError(t, b.store.GetWave(t.Context(), "wave-test", &document))
			want := closes
			if c.extend {
				want = closes.Add(3 * time.Hour)
			}
			require.True(t, want.Equal(document.Plan.Window.Closes), "the evidence tells the window as it was at last")
		})
	}
}

func TestFourEyesOfAWave(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: plan("approval: {required: true, timeout: 24h}", "approval: {required: true, timeout: 24h, four_eyes: true}")})
	b.silent = true
	b.when(func(s patch.WaveStatus) bool { return s.State == patch.StateAwaitingApproval }, func(patch.WaveStatus) {
		b.refuses(patch.Approve, asked("I say so"), "somebody else must approve")
		b.mustTake(patch.Approve, workflows.VerbRequest{Actor: "another", Reason: "looks well"})
	})
	result, err := b.run(workflows.WaveRequest{Plan: "web", Actor: "Tester"})
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
}

// Nobody could be told apart from an unknown starter.
func TestFourEyesNeedAStarter(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: plan("approval: {required: true, timeout: 24h}", "approval: {required: true, timeout: 24h, four_eyes: true}")})
	_, err := b.run(workflows.WaveRequest{Plan: "web"})
	require.ErrorContains(t, err, "actor: is missing")
	require.Empty(t, b.sim.Calls())
}

// What people decide is in the evidence as soon as they decide it, not only once the wave has closed.
func TestDecisionsAreKeptAsTheyAreTaken(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: failsOnce(nil)})
	b.decide = []patch.Verb{patch.Skip}
	looked := false
	b.onHold = func(patch.WaveStatus) {
		var document activities.WaveDocument
		require.NoError(t, b.store.GetWave(t.Context(), "wave-test", &document))
		require.NotEqual(t, patch.StateClosed, document.Status.State)
		require.Equal(t, patch.Approve, document.Status.Decisions[0].Verb)
		require.Equal(t, "tester", document.Status.Decisions[0].Actor)
		looked = true
	}
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.True(t, looked)
	var document activities.WaveDocument
	require.NoError(t, b.store.GetWave(t.Context(), "wave-test", &document))
	require.Equal(t, patch.StateClosed, document.Status.State)
	require.Len(t, document.Status.Decisions, 2)
	require.Equal(t, result.Outcome, document.Result.Outcome, "the last version is the closed wave's")
}

func TestAFreezeHoldsBetweenInstances(t *testing.T) {
	everything := patch.Freezes{{Actor: "ann", Reason: "incident 4711"}}
	for _, c := range []struct {
		name  string
		frost func(*bench)
		why   string
		holds bool
	}{
		{"everything", func(b *bench) { b.freezes = everything }, "everything is frozen by ann", true},
		{"its account", func(b *bench) { b.freezes = patch.Freezes{{Account: "production", Actor: "ann", Reason: "incident"}} }, "account production is frozen by ann", true},
		{"another account", func(b *bench) { b.freezes = patch.Freezes{{Account: "staging", Actor: "ann", Reason: "incident"}} }, "", false},
		{"no answer means frozen", func(b *bench) { b.freezeLost = errors.New("patchtide-freeze does not answer") }, "counts as frozen", true},
	} {
		for mode, fleet := range map[string][3]int{"decrement": {2, 4, 6}, "surge": {4, 4, 4}} {
			t.Run(c.name+" "+mode, func(t *testing.T) {
				b := newBench(t, benchOptions{scenario: "healthy", fleet: sized(fleet[0], fleet[1], fleet[2])})
				b.when(b.inProduction, func(patch.WaveStatus) { c.frost(b) })
				held := false
				b.when(func(s patch.WaveStatus) bool { return s.Stage == "production" && groupPhase(s) == patch.GroupPaused }, func(status patch.WaveStatus) {
					held = true
					require.Contains(t, status.Stages[1].Groups[0].Reason, c.why)
					b.requireNobodyOut()
					began := len(b.effects("EnterStandby"))
					b.env.RegisterDelayedCallback(func() {
						require.Len(t, b.effects("EnterStandby"), began, "nothing began meanwhile")
						b.requireNobodyOut()
						b.freezes, b.freezeLost = nil, nil
					}, 5*time.Hour)
				})
				result, err := b.run(theWeb)
				require.NoError(t, err)
				require.Equal(t, c.holds, held)
				require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
				b.requireInvariants(result, after{})
			})
		}
	}
}

// A group that a freeze holds keeps its place: were another begun meanwhile, both would go on when the freeze is lifted.
func TestAFrozenServiceIsStillTakenOneInstanceAtATime(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: twoGroups, config: plan(webOnly, webAndAPI)})
	b.when(b.inProduction, func(patch.WaveStatus) { b.freezes = patch.Freezes{{Actor: "ann", Reason: "incident"}} })
	b.when(func(s patch.WaveStatus) bool { return s.Stage == "production" && groupPhase(s) == patch.GroupPaused }, func(patch.WaveStatus) {
		b.env.RegisterDelayedCallback(func() {
			status, ok := b.status()
			require.True(t, ok)
			require.Empty(t, status.Stages[1].Groups[1].Phase, "the other has not begun")
			b.freezes = nil
		}, 2*time.Hour)
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.False(t, b.overlap("web", "api"))
	b.requireInvariants(result, after{})
}

// A frozen group still does what putting back or stopping asks of it.
func TestAFrozenWaveCanBeAborted(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy"})
	b.when(b.inProduction, func(patch.WaveStatus) { b.freezes = patch.Freezes{{Actor: "ann", Reason: "incident"}} })
	b.when(func(s patch.WaveStatus) bool { return s.Stage == "production" && groupPhase(s) == patch.GroupPaused }, func(patch.WaveStatus) {
		b.mustTake(patch.Abort, asked("enough"))
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	require.Equal(t, 1, count(production(result), patch.Patched))
	b.requireInvariants(result, after{})
}

func TestAFrozenPlanIsNotBegun(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy"})
	b.freezes = patch.Freezes{{Account: "production", Actor: "ann", Reason: "incident 4711"}}
	_, err := b.run(theWeb)
	code := patch.RefusedFrozen
	require.ErrorContains(t, err, string(code)+": web: account production is frozen by ann")
	require.ErrorContains(t, err, "patchtide unfreeze")
	require.Empty(t, b.sim.Calls())
}
