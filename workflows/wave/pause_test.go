package wave_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

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
				scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.Sized(fleet[0], fleet[1], fleet[2])})
				scene.When(scene.InProduction, func(patch.WaveStatus) {
					scene.MustTake(patch.Pause, wavetest.Because("the network is being worked on"))
				})
				scene.When(func(s patch.WaveStatus) bool {
					return s.State == patch.StatePaused && groupPhase(s) == patch.GroupPaused
				}, func(status patch.WaveStatus) {
					require.Contains(t, status.Awaiting, "paused by tester: the network is being worked on")
					require.Contains(t, status.Verbs, patch.Resume)
					if strings.Contains(status.Awaiting, "ends first") {
						t.Errorf("nothing is under way: %q", status.Awaiting)
					}
					scene.RequireNobodyOut()
					began := len(scene.Effects("EnterStandby"))
					scene.Env.RegisterDelayedCallback(func() {
						scene.RequireNobodyOut()
						require.Len(t, scene.Effects("EnterStandby"), began, "nothing began meanwhile")
						// Sent again: answered, and nothing changes.
						scene.MustTake(patch.Pause, wavetest.Because("the network is being worked on"))
						scene.MustTake(c.then, wavetest.Because("it is done"))
					}, 3*time.Hour)
				})
				result, err := scene.Run(wavetest.WebWave)
				require.NoError(t, err)
				require.Equal(t, c.want, result.Outcome, "%+v", result)
				require.Equal(t, c.patched, wavetest.CountInProduction(result, patch.Patched))
				scene.RequireInvariants(result, wavetest.Except{})
				scene.RequireVersions(result)
			})
		}
	}
}

// A failure during a pause puts the wave on hold; what is decided there does not lift the pause.
func TestAPauseOutlivesAHold(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.FailsOnce(nil)})
	scene.Decide = []patch.Verb{patch.Retry}
	scene.When(scene.InProduction, func(patch.WaveStatus) { scene.MustTake(patch.Pause, wavetest.Because("lunch")) })
	paused := false
	held := false
	scene.OnHold = func(patch.WaveStatus) { held = true }
	scene.When(func(s patch.WaveStatus) bool {
		return held && s.State == patch.StatePaused && groupPhase(s) == patch.GroupPaused
	}, func(status patch.WaveStatus) {
		paused = true
		said := strings.Join(brief.Write(status, patch.Waits{}, brief.UTC, brief.UTC).Groups, "\n")
		if !strings.Contains(said, "paused by tester: lunch; kept until it goes on: the retry of i-") ||
			!strings.Contains(said, ", rolled back: install: ") {
			t.Errorf("what failed is told while its retry is kept: %q", said)
		}
		if strings.Contains(status.Awaiting, "ends first") {
			t.Errorf("nothing is under way: %q", status.Awaiting)
		}
		scene.RequireNobodyOut()
		scene.MustTake(patch.Resume, wavetest.Because("back"))
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, paused)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	scene.RequireInvariants(result, wavetest.Except{})
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
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.TwoGroups,
				Config: wavetest.PlanWith(append(c.service, wavetest.WebOnly, wavetest.WebAndAPI)...),
			})
			scene.When(scene.InProduction, func(status patch.WaveStatus) {
				request := workflows.VerbRequest{
					Actor: "tester", Reason: "quiet", MaxParallelGroups: 2, Point: status.Point(),
				}
				require.Equal(t, c.refused == "", slices.Contains(status.Verbs, patch.SetConcurrency), "offered where it is taken")
				if c.refused != "" {
					scene.Refuses(patch.SetConcurrency, request, c.refused)
					request.MaxParallelGroups = 1 // as it is
					scene.MustTake(patch.SetConcurrency, request)
					return
				}
				scene.MustTake(patch.SetConcurrency, request)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, c.refused == "", overlap(scene, "web", "api"))
			scene.RequireInvariants(result, wavetest.Except{})
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
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: estimated("{patch: 11m, rollback: 0s, snapshot: 0s, volume: 0s}"),
			})
			start := scene.Env.Now()
			closes := start.Add(105 * time.Minute)
			scene.Plans.Within = &patch.Window{Opens: start.Add(-time.Hour), Cutoff: start.Add(60 * time.Minute), Closes: closes}
			if c.extend {
				scene.When(scene.InProduction, func(status patch.WaveStatus) {
					require.Contains(t, status.Verbs, patch.ExtendWindow)
					request := workflows.VerbRequest{
						Actor: "tester", Reason: "two are left", Until: closes.Add(3 * time.Hour).Format(time.RFC3339),
					}
					scene.MustTake(patch.ExtendWindow, request)
					scene.MustTake(patch.ExtendWindow, request) // sent twice, extended once
				})
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.some, wavetest.CountInProduction(result, patch.Patched), "%+v", result)
			scene.RequireInvariants(result, wavetest.Except{})
			var document activities.WaveDocument
			require.NoError(t, scene.Store.GetWave(t.Context(), "wave-test", &document))
			want := closes
			if c.extend {
				want = closes.Add(3 * time.Hour)
			}
			require.True(t, want.Equal(document.Plan.Window.Closes), "the evidence tells the window as it was at last")
		})
	}
}

func TestFourEyesOfAWave(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config: wavetest.PlanWith("approval: {required: true, timeout: 24h}",
			"approval: {required: true, timeout: 24h, four_eyes: true}"),
	})
	scene.Silent = true
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(status patch.WaveStatus) {
		require.Equal(t, "Tester", status.NotBy, "whoever is asked is told that it is not for the one who started it")
		scene.Refuses(patch.Approve, wavetest.Because("I say so"), "somebody else must approve")
		scene.MustTake(patch.Approve, workflows.VerbRequest{Actor: "another", Reason: "looks well"})
	})
	result, err := scene.Run(workflows.WaveRequest{Plan: "web", Actor: "Tester"})
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
}

// Nobody could be told apart from an unknown starter.
func TestFourEyesNeedAStarter(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config: wavetest.PlanWith("approval: {required: true, timeout: 24h}",
			"approval: {required: true, timeout: 24h, four_eyes: true}"),
	})
	_, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.ErrorContains(t, err, "actor: is missing")
	require.Empty(t, scene.Sim.Calls())
}

// What people decide is in the evidence as soon as they decide it, not only once the wave has closed.
func TestDecisionsAreKeptAsTheyAreTaken(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.FailsOnce(nil)})
	scene.Decide = []patch.Verb{patch.Skip}
	looked := false
	scene.OnHold = func(patch.WaveStatus) {
		var document activities.WaveDocument
		require.NoError(t, scene.Store.GetWave(t.Context(), "wave-test", &document))
		require.NotEqual(t, patch.StateClosed, document.Status.State)
		require.Equal(t, patch.Approve, document.Status.Decisions[0].Verb)
		require.Equal(t, "tester", document.Status.Decisions[0].Actor)
		looked = true
	}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, looked)
	var document activities.WaveDocument
	require.NoError(t, scene.Store.GetWave(t.Context(), "wave-test", &document))
	require.Equal(t, patch.StateClosed, document.Status.State)
	require.Len(t, document.Status.Decisions, 2)
	require.Equal(t, result.Outcome, document.Result.Outcome, "the last version is the closed wave's")
}

func TestAFreezeHoldsBetweenInstances(t *testing.T) {
	everything := patch.Freezes{{Actor: "ann", Reason: "incident 4711"}}
	for _, c := range []struct {
		name  string
		frost func(*wavetest.Scene)
		why   string
		holds bool
	}{
		{"everything", func(scene *wavetest.Scene) { scene.Frozen = everything }, "everything is frozen by ann", true},
		{"its account", func(scene *wavetest.Scene) {
			scene.Frozen = patch.Freezes{{Account: "production", Actor: "ann", Reason: "incident"}}
		}, "account production is frozen by ann", true},
		{"another account", func(scene *wavetest.Scene) {
			scene.Frozen = patch.Freezes{{Account: "staging", Actor: "ann", Reason: "incident"}}
		}, "", false},
		{"no answer means frozen", func(scene *wavetest.Scene) {
			scene.FreezeLost = errors.New("patchtide-freeze does not answer")
		}, "counts as frozen", true},
	} {
		for mode, fleet := range map[string][3]int{"decrement": {2, 4, 6}, "surge": {4, 4, 4}} {
			t.Run(c.name+" "+mode, func(t *testing.T) {
				scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.Sized(fleet[0], fleet[1], fleet[2])})
				scene.When(scene.InProduction, func(patch.WaveStatus) { c.frost(scene) })
				held := false
				scene.When(func(s patch.WaveStatus) bool {
					return s.Stage == "production" && groupPhase(s) == patch.GroupPaused
				}, func(status patch.WaveStatus) {
					held = true
					require.Contains(t, status.Stages[1].Groups[0].Reason, c.why)
					scene.RequireNobodyOut()
					began := len(scene.Effects("EnterStandby"))
					scene.Env.RegisterDelayedCallback(func() {
						require.Len(t, scene.Effects("EnterStandby"), began, "nothing began meanwhile")
						scene.RequireNobodyOut()
						scene.Frozen, scene.FreezeLost = nil, nil
					}, 5*time.Hour)
				})
				result, err := scene.Run(wavetest.WebWave)
				require.NoError(t, err)
				require.Equal(t, c.holds, held)
				require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
				scene.RequireInvariants(result, wavetest.Except{})
			})
		}
	}
}

// A group that a freeze holds keeps its place: were another begun meanwhile, both would go on when the freeze is
// lifted.
func TestAFrozenServiceIsStillTakenOneInstanceAtATime(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.TwoGroups, Config: wavetest.PlanWith(wavetest.WebOnly, wavetest.WebAndAPI),
	})
	scene.When(scene.InProduction, func(patch.WaveStatus) {
		scene.Frozen = patch.Freezes{{Actor: "ann", Reason: "incident"}}
	})
	scene.When(func(s patch.WaveStatus) bool {
		return s.Stage == "production" && groupPhase(s) == patch.GroupPaused
	}, func(patch.WaveStatus) {
		scene.Env.RegisterDelayedCallback(func() {
			status, ok := scene.Status()
			require.True(t, ok)
			require.Empty(t, status.Stages[1].Groups[1].Phase, "the other has not begun")
			scene.Frozen = nil
		}, 2*time.Hour)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.False(t, overlap(scene, "web", "api"))
	scene.RequireInvariants(result, wavetest.Except{})
}

// A frozen group still does what putting back or stopping asks of it.
func TestAFrozenWaveCanBeAborted(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.When(scene.InProduction, func(patch.WaveStatus) {
		scene.Frozen = patch.Freezes{{Actor: "ann", Reason: "incident"}}
	})
	scene.When(func(s patch.WaveStatus) bool {
		return s.Stage == "production" && groupPhase(s) == patch.GroupPaused
	}, func(patch.WaveStatus) {
		scene.MustTake(patch.Abort, wavetest.Because("enough"))
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	require.Equal(t, 1, wavetest.CountInProduction(result, patch.Patched))
	scene.RequireInvariants(result, wavetest.Except{})
}

func TestAFrozenPlanIsNotBegun(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.Frozen = patch.Freezes{{Account: "production", Actor: "ann", Reason: "incident 4711"}}
	_, err := scene.Run(wavetest.WebWave)
	code := patch.RefusedFrozen
	require.ErrorContains(t, err, string(code)+": web: account production is frozen by ann")
	require.ErrorContains(t, err, "patchtide unfreeze")
	require.Empty(t, scene.Sim.Calls())
	status, answers := scene.Status()
	require.True(t, answers)
	require.Equal(t, patch.StateClosed, status.State)
	require.Contains(t, status.Reason, "account production is frozen by ann", "whoever asks where it stands is told why")
}

// Who waits for hours for an answer is told of a freeze that began meanwhile, and no more of one that is lifted.
func TestAQuestionTellsOfTheFreezeThatThereIs(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.PlanWith(
		"approval: {required: true, timeout: 24h}", "approval: {required: true, timeout: 72h}",
	))})
	scene.Silent = true
	people := scene.Listen("chat")
	scene.Frozen = patch.Freezes{{Account: "staging", Actor: "ann", Reason: "incident"}}
	asked := func() string {
		status, known := scene.Status()
		require.True(t, known)
		require.Equal(t, patch.StateAwaitingApproval, status.State)
		return status.Awaiting
	}
	const frozen = "account production is frozen by ann"
	steps := 0
	after := func(delay time.Duration, do func()) {
		scene.Env.RegisterDelayedCallback(func() { do(); steps++ }, delay)
	}
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(status patch.WaveStatus) {
		require.NotContains(t, status.Awaiting, "frozen", "what is asked about is in another account")
		scene.Frozen = patch.Freezes{{Account: "production", Actor: "ann", Reason: "incident"}}
		after(patch.Reminds(1)+time.Minute, func() {
			require.Contains(t, asked(), frozen)
			told := people.Heard["chat"]
			require.Contains(t, told[len(told)-1].Why, frozen)
			scene.Frozen = nil
		})
		after(2*patch.Reminds(1)+time.Minute, func() {
			require.NotContains(t, asked(), "frozen")
			scene.MustTake(patch.Approve, wavetest.Because("go"))
		})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, 2, steps)
}

// Whoever is asked for an approval while the stage's account is frozen is told that nothing begins by it.
func TestAnApprovalUnderAFreezeTellsOfIt(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	people := scene.Listen("chat")
	scene.When(func(s patch.WaveStatus) bool { return s.Stage == "staging" && s.State == patch.StateRunning },
		func(patch.WaveStatus) {
			scene.Frozen = patch.Freezes{{Account: "production", Actor: "ann", Reason: "incident"}}
		})
	asked := ""
	scene.When(func(s patch.WaveStatus) bool { return s.State == patch.StateAwaitingApproval },
		func(status patch.WaveStatus) { asked, scene.Frozen = status.Awaiting, nil })
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	const frozen = "account production is frozen by ann"
	require.Contains(t, asked, frozen)
	told := people.Heard["chat"][slices.Index(people.Kinds("chat"), patch.NoticeAwaitingApproval)]
	require.Contains(t, told.Why, frozen)
}
