package instance_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// A document runs on the instance, and a runbook beside it, with the variables filled in, once each.
func TestHooksOfDocuments(t *testing.T) {
	scene := hooked(t, "healthy",
		"before_out: [{name: drain, document: drain, parameters: {Node: 'of ${PATCHTIDE_INSTANCE}'}}]",
		"before_snapshot: [{name: book, document: drain-runbook, parameters: {Node: '${PATCHTIDE_INSTANCE}', "+
			"Token: '${PATCHTIDE_TOKEN}'}}]")
	createDocuments(t, scene)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	var books []string
	scene.Production(func(group *world.ScalingGroup) {
		for _, execution := range group.Region.Executions() {
			if execution.Document == "drain-runbook" {
				books = append(books, execution.Parameters["Node"][0])
				require.Len(t, execution.Parameters["Token"][0], 36)
			}
		}
	})
	ids := []string{}
	for _, instance := range inProduction(result) {
		ids = append(ids, instance.ID)
		var details patch.InstanceDetails
		require.NoError(t, scene.Store.GetInstance(t.Context(), result.WaveID, instance.ID, &details))
		require.Equal(t, "drains of "+instance.ID, details.Hooks[0].Output)
		require.Equal(t, "document", details.Hooks[1].Kind)
	}
	require.ElementsMatch(t, ids, books)
	scene.RequireInvariants(result, wavetest.Except{})
}

// hooksTwice are the hooks that ran twice on one machine, by the last line of their commands.
func hooksTwice(scene *wavetest.Scene) (twice []string) {
	for id, sent := range sentHooks(scene) {
		seen := map[string]bool{}
		for _, each := range sent {
			if seen[each] {
				twice = append(twice, id+" "+each)
			}
			seen[each] = true
		}
	}
	return twice
}

// Each call that a hook makes, and its undo, is in trouble once; whatever that is, nothing runs twice.
func TestALostReplyRunsNoHookTwice(t *testing.T) {
	for _, c := range []struct {
		name, operation string
		fault           awssim.Fault
	}{
		{"the reply of sending is lost", "SendCommand", awssim.Fault{Kind: awssim.FaultLostReply}},
		{"it timed out, and had its effect", "SendCommand", awssim.Fault{Kind: awssim.FaultTimeout, Effect: true}},
		{"it timed out, and had none", "SendCommand", awssim.Fault{Kind: awssim.FaultTimeout}},
		{"it is throttled", "SendCommand", awssim.Fault{Kind: awssim.FaultThrottle}},
		{"the reply of starting a runbook is lost", "StartAutomationExecution", awssim.Fault{Kind: awssim.FaultLostReply}},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := hooked(t, "healthy", append(slices.Clone(everyPoint[:4]),
				"after_in: [{name: book, document: drain-runbook, parameters: {Node: n, Token: t}}, {name: bad, run: exit 1}]")...)
			createDocuments(t, scene)
			hit := map[string]bool{}
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				// Each second call of the operation, so that the next attempt succeeds.
				if call.Account != wavetest.Production || call.Operation != c.operation || call.Ordinal%2 == 0 {
					return awssim.Fault{}
				}
				hit[call.Resource] = true
				return c.fault
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.NotEmpty(t, hit)
			require.Empty(t, hooksTwice(scene))
			touched := tried(result)
			require.Len(t, touched, 1)
			require.Equal(t, patch.RolledBack, touched[0].Outcome, "%s", touched[0].Reason)
			story := storyOf(scene, touched[0].ID)
			for _, point := range []string{"before_out", "before_snapshot", "before_install", "after_install"} {
				require.Contains(t, story, point)
				require.Contains(t, story, "undo "+point)
			}
			books := 0
			scene.Production(func(group *world.ScalingGroup) {
				for _, execution := range group.Region.Executions() {
					if execution.Document == "drain-runbook" {
						books++
					}
				}
			})
			require.Equal(t, 1, books)
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// A roll back runs the hooks that say so, at the points of its own way; one that fails there, once the instance is out,
// keeps nothing from being put back.
func TestARollBackRunsTheHooksThatSaySo(t *testing.T) {
	hooks := []string{}
	for _, point := range everyPoint {
		name, _, _ := strings.Cut(point, ":")
		hooks = append(hooks, name+": [{name: both, run: echo "+name+", in_roll_back: true}, {name: only, run: echo "+
			"patching "+name+"}]")
	}
	scene := hooked(t, "healthy", hooks...)
	asked := false
	scene.OnLook = func(status patch.WaveStatus) {
		if !asked && status.RollsBack.Stage == 2 {
			asked = true
			scene.Tell(patch.RollBack, patch.ScopeStage)
		}
	}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%s", result.Reason)
	back := 0
	for _, instance := range inProduction(result) {
		if instance.Outcome != patch.RolledBack {
			continue
		}
		back++
		story := storyOf(scene, instance.ID)
		from := slices.Index(story, "after_in") + 1
		if story[from] == "patching after_in" {
			from++
		}
		require.Equal(t, []string{
			"before_out", "EnterStandby", "before_snapshot", "before_install", "CreateReplaceRootVolumeTask", "after_install",
			"ExitStandby", "after_in",
		}, story[from:], instance.ID)
	}
	require.GreaterOrEqual(t, back, 2)
	scene.RequireInvariants(result, wavetest.Except{})
}

// In a roll back a hook that fails before its instance goes out leaves it in service and patched, and says so; one that
// fails afterwards is told, and it is put back.
func TestAHookThatFailsInARollBack(t *testing.T) {
	for _, c := range []struct {
		point string
		want  patch.Outcome
	}{
		{"before_out", patch.Failed},
		{"before_snapshot", patch.RolledBack},
		{"after_install", patch.RolledBack},
		{"after_in", patch.RolledBack},
	} {
		t.Run(c.point, func(t *testing.T) {
			scene := hooked(t, "healthy",
				c.point+`: [{name: bad, run: 'test $PATCHTIDE_ROLL_BACK = false', in_roll_back: true}]`)
			asked := false
			scene.OnLook = func(status patch.WaveStatus) {
				if !asked && status.RollsBack.Stage == 1 {
					asked = true
					scene.Tell(patch.RollBack, patch.ScopeStage)
				}
			}
			scene.Decide = []patch.Verb{patch.Abort}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			first := inProduction(result)[0]
			require.Equal(t, c.want, first.Outcome, "%s", first.Reason)
			if c.want == patch.Failed {
				require.True(t, first.StillPatched)
				require.Contains(t, first.Reason, "bad: ")
			} else {
				require.Contains(t, strings.Join(first.Notes, "; "), "hook bad did not end well, and the saga went on")
			}
			scene.RequireNobodyOut()
		})
	}
}

// No undo makes an instance serve that must not: it is told instead.
func TestNoUndoOfAHookRunsOnWhatIsQuarantined(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.Unrestorable("production", nil),
		Config: withHooks("before_out: [{name: cordon, run: echo cordon, undo: {run: echo uncordon}}]"),
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	touched := tried(result)
	require.Len(t, touched, 1)
	require.Equal(t, patch.Quarantined, touched[0].Outcome)
	require.NotContains(t, storyOf(scene, touched[0].ID), "uncordon")
	require.Contains(t, touched[0].Reason,
		"the undo of the before_out hook cordon was not run: the instance must not serve")
	require.Equal(t, patch.HookNotRun, touched[0].Hooks[1].Result)
}

// The worker dies while the instance is out, and its workflows with it: the journal knows which hooks had begun, and
// Reconcile undoes them on its way.
func TestReconcileUndoesTheHooksOfADeadWave(t *testing.T) {
	for _, c := range []struct {
		operation string
		then      []string
	}{
		{"CreateSnapshot", []string{"undo before_snapshot", "ExitStandby", "undo before_out"}},
		{"EnterStandby", []string{"ExitStandby", "undo before_out"}},
	} {
		t.Run(c.operation, func(t *testing.T) {
			scene := hooked(t, "healthy", everyPoint...)
			scene.DieAt(wavetest.Production, c.operation, 1)
			result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, result.Failed)
			touched := slices.Collect(func(yield func(string) bool) {
				for id := range sentHooks(scene) {
					if !yield(id) {
						return
					}
				}
			})
			require.Len(t, touched, 1)
			story := storyOf(scene, touched[0])
			require.Equal(t, c.then, story[slices.Index(story, c.operation)+1:])
			require.Empty(t, hooksTwice(scene))
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}

// A wave that is cancelled while a hook runs stops it, undoes it and puts the instance back.
func TestACancelWhileAHookRuns(t *testing.T) {
	scene := hooked(t, "healthy", "before_snapshot: [{name: slow, run: sleep 3000, timeout: 1h, undo: {run: echo undo}}]")
	scene.WhenAtStep(patch.BeforeSnapshot.Step(), func(string) { scene.Env.CancelWorkflow() })
	result, _ := scene.Run(wavetest.WebWave)
	require.NotNil(t, result)
	var touched []patch.InstanceResult
	for _, instance := range inProduction(result) {
		if len(instance.Hooks) > 0 {
			touched = append(touched, instance)
		}
	}
	require.Len(t, touched, 1)
	require.Equal(t, patch.NotStarted, touched[0].Outcome)
	require.Equal(t, patch.HookStopped, touched[0].Hooks[0].Result)
	require.Equal(t, []string{"EnterStandby", "sleep 3000", "undo", "ExitStandby"}, storyOf(scene, touched[0].ID))
	scene.RequireInvariants(result, wavetest.Except{})
}

// The time that hooks may take counts into what an instance needs of a window.
func TestHooksCountIntoTheWindow(t *testing.T) {
	for name, c := range map[string]struct {
		timeout string
		patched int
	}{
		"they fit": {"5m", 4}, "they do not": {"3h", 0},
	} {
		t.Run(name, func(t *testing.T) {
			scene := hooked(t, "healthy", "before_out: [{name: h, run: echo h, timeout: "+c.timeout+"}]")
			start := scene.Env.Now()
			scene.Plans.Within = &patch.Window{
				Opens: start, Cutoff: start.Add(3 * time.Hour), Closes: start.Add(4 * time.Hour),
			}
			result, err := scene.Run(wavetest.WebWave)
			if c.patched == 0 {
				require.ErrorContains(t, err, "too little of the window is left")
				require.ErrorContains(t, err, "hooks 3h0m0s and their undos 0s")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.patched, wavetest.CountInProduction(result, patch.Patched))
		})
	}
}

// An instance whose application a hook has stopped, and no undo has started, does not serve: it is quarantined.
func TestAHookThatLeavesTheApplicationDown(t *testing.T) {
	scene := hooked(t, "healthy",
		"before_snapshot: [{name: stop, run: systemctl stop web, undo: {run: exit 1}}, {name: bad, run: exit 1}]")
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	touched := tried(result)
	require.Len(t, touched, 1)
	require.Equal(t, patch.Quarantined, touched[0].Outcome, "%s", touched[0].Reason)
	require.Contains(t, touched[0].Reason, "the undo of the before_snapshot hook stop failed")
	require.Contains(t, touched[0].Reason, "put back, but not healthy")
}
