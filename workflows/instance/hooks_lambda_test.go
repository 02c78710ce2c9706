package instance_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// functionsIn makes functions in production.
func functionsIn(scene *wavetest.Scene, specs ...world.FunctionSpec) (made map[string]*world.Function) {
	made = map[string]*world.Function{}
	scene.Production(func(group *world.ScalingGroup) {
		for _, spec := range specs {
			made[spec.Name] = group.Region.PutFunction(spec)
		}
	})
	return made
}

// invoked are the events of a function, by their token.
func invoked(t *testing.T, function *world.Function) map[string][]patch.HookEvent {
	events := map[string][]patch.HookEvent{}
	for _, each := range function.Invocations {
		var event patch.HookEvent
		require.NoError(t, json.Unmarshal(each.Event, &event))
		events[each.Token] = append(events[each.Token], event)
	}
	return events
}

// A function is told what the hook is about, and its end is the hook's, with its log in the evidence.
func TestFunctionsOfHooks(t *testing.T) {
	for _, c := range []struct {
		name   string
		spec   world.FunctionSpec
		result patch.HookResult
		says   string // in the evidence, or the reason
	}{
		{
			"it ends well",
			world.FunctionSpec{Says: "drained, password=hunter22", Returns: `{"ok": true}`},
			patch.HookOK,
			"drained, password=[secret]",
		},
		{
			"it says that it failed",
			world.FunctionSpec{Says: "no quorum", Fails: "handled"},
			patch.HookFailed,
			"the function failed (Handled): Refused: no quorum",
		},
		{
			"it crashes",
			world.FunctionSpec{Fails: "unhandled"},
			patch.HookFailed,
			"the function failed (Unhandled): Runtime.ExitError",
		},
		{
			"it takes longer than it may",
			world.FunctionSpec{Takes: world.Duration(time.Minute)},
			patch.HookTimedOut,
			"Task timed out after 3.00 seconds",
		},
		{
			"it is never free",
			world.FunctionSpec{Reserved: new(int)},
			patch.HookTimedOut,
			"Lambda does not invoke it now (ReservedFunctionConcurrentInvocationLimitExceeded)",
		},
		{
			"it is never ready",
			world.FunctionSpec{Pending: world.Duration(9999 * time.Hour)},
			patch.HookTimedOut,
			"currently in the following state: Pending",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := hooked(t, "healthy", "before_out: [{name: drain, timeout: 5m, lambda: {function: 'drain:live', "+
				"parameters: {Node: 'n ${PATCHTIDE_INSTANCE}'}}}]")
			c.spec.Name, c.spec.Aliases = "drain", []string{"live"}
			function := functionsIn(scene, c.spec)["drain"]
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			touched := tried(result)
			require.NotEmpty(t, touched)
			ran := touched[0].Hooks[0]
			require.Equal(t, c.result, ran.Result, "%s", ran.Why)
			require.Equal(t, "lambda", ran.Kind)
			var details patch.InstanceDetails
			require.NoError(t, scene.Store.GetInstance(t.Context(), result.WaveID, touched[0].ID, &details))
			if c.result == patch.HookOK {
				require.Len(t, touched, 4)
				require.Contains(t, details.Hooks[0].Output, c.says)
			} else {
				require.Len(t, touched, 1)
				require.Contains(t, touched[0].Reason, c.says)
				require.NotContains(t, strings.Join(touched[0].Notes, "\n"), "may run still")
			}
			for token, events := range invoked(t, function) {
				require.Len(t, events, 1)
				id := events[0].Instance
				require.Equal(t, patch.HookEvent{
					HookAbout: patch.HookAbout{
						Version: 1, Token: token, Point: patch.BeforeOut, Hook: "drain", Wave: result.WaveID, Plan: "web",
						Stage: "production", Group: "production/ap-northeast-1/web", Instance: id,
					},
					Parameters: map[string]string{"Node": "n " + id},
				}, events[0])
			}
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// Whatever becomes of an invocation, it is asked again only with the same token, and only where it may not have run.
func TestAnInvocationInTrouble(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault awssim.Fault
		runs  int
	}{
		{"its reply is lost", awssim.Fault{Kind: awssim.FaultLostReply}, 2},
		{"it timed out, and had its effect", awssim.Fault{Kind: awssim.FaultTimeout, Effect: true}, 2},
		{"it timed out, and had none", awssim.Fault{Kind: awssim.FaultTimeout}, 1},
		{"it is throttled", awssim.Fault{Kind: awssim.FaultThrottle}, 1},
		{"the function is being changed", awssim.Fault{Kind: awssim.FaultWrongState}, 1},
		{"Lambda is in trouble", awssim.Fault{Kind: awssim.FaultError, Code: "ServiceException", Status: 500}, 1},
		{"its network is not ready", awssim.Fault{Kind: awssim.FaultError, Code: "EC2ThrottledException", Status: 502}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := hooked(t, "healthy", "before_snapshot: [{name: stop, lambda: {function: stop}, undo: {lambda: {function: "+
				"start}}}]", "after_in: [{name: bad, run: exit 1}]")
			made := functionsIn(scene, world.FunctionSpec{Name: "stop"}, world.FunctionSpec{Name: "start"})
			hit := map[string]int{}
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation != "Invoke" || hit[call.Resource] < 0 {
					return awssim.Fault{}
				}
				hit[call.Resource]++
				if dry := 2; hit[call.Resource] <= dry { // each is asked for before the wave, and before its group
					return awssim.Fault{}
				}
				hit[call.Resource] = -1
				return c.fault
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, map[string]int{"stop": -1, "start": -1}, hit)
			touched := tried(result)
			require.Len(t, touched, 1)
			require.Equal(t, patch.RolledBack, touched[0].Outcome, "%s", touched[0].Reason)
			for name, function := range made {
				events := invoked(t, function)
				require.Len(t, events, 1, "one token of %s", name)
				for _, same := range events {
					require.Len(t, same, c.runs, name)
					require.Equal(t, name == "start", same[0].Undo)
				}
			}
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// Of a function whose answer never comes nobody knows whether it runs still, which is told; its undo is run.
func TestAFunctionWhoseAnswerNeverComes(t *testing.T) {
	scene := hooked(t, "healthy", "before_out: [{name: drain, timeout: 5m, lambda: {function: drain}, undo: {lambda: "+
		"{function: undrain}}}]")
	made := functionsIn(scene, world.FunctionSpec{Name: "drain"}, world.FunctionSpec{Name: "undrain"})
	asked := 0
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation != "Invoke" || call.Resource != "drain" {
			return awssim.Fault{}
		}
		if asked++; asked <= 2 {
			return awssim.Fault{}
		}
		return awssim.Fault{Kind: awssim.FaultLostReply}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	touched := tried(result)
	require.Len(t, touched, 1)
	require.Equal(t, patch.HookTimedOut, touched[0].Hooks[0].Result)
	require.Contains(t, touched[0].Hooks[0].Why, "the function's answer was lost, and it may have run")
	require.Contains(t, strings.Join(touched[0].Notes, "\n"),
		"the before_out hook drain may run still: nobody can stop a function")
	require.Len(t, invoked(t, made["drain"]), 1, "one token")
	require.Len(t, made["undrain"].Invocations, 1)
	scene.RequireInvariants(result, wavetest.Except{})
}

// What a failed function leads to is what any failed hook does.
func TestWhatAFailedFunctionLeadsTo(t *testing.T) {
	for failure, c := range map[string]struct {
		outcome patch.Outcome
		holds   bool
		patched int
	}{
		"undo": {patch.Failed, false, 0}, "hold": {patch.Failed, true, 0}, "continue": {patch.Patched, false, 4},
	} {
		t.Run(failure, func(t *testing.T) {
			scene := hooked(t, "healthy", "before_snapshot: [{name: stop, lambda: {function: stop}, on_failure: "+failure+"}]")
			functionsIn(scene, world.FunctionSpec{Name: "stop", Fails: "unhandled"})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			first := tried(result)[0]
			require.Equal(t, c.outcome, first.Outcome, "%s", first.Reason)
			require.Equal(t, c.holds, first.Holds)
			require.Equal(t, c.patched, wavetest.CountInProduction(result, patch.Patched))
			require.Contains(t, first.Hooks[0].Why, "Runtime.ExitError")
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// What a hook invokes and is not there, or may not be invoked, keeps a wave from beginning.
func TestAFunctionThatCannotBeInvoked(t *testing.T) {
	for _, c := range []struct {
		name, says string
		spec       world.FunctionSpec
		refused    bool
	}{
		{"it is not there", "there is no function drain:live, for its hooks", world.FunctionSpec{Name: "other"}, false},
		{"it has no such alias", "there is no function drain:live, for its hooks", world.FunctionSpec{Name: "drain"}, false},
		{
			"the role may not invoke it", "the role may not invoke the function drain:live: ",
			world.FunctionSpec{Name: "drain", Aliases: []string{"live"}},
			true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := hooked(t, "healthy", "before_out: [{name: drain, lambda: {function: 'drain:live'}}]")
			functionsIn(scene, c.spec)
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if c.refused && call.Operation == "Invoke" {
					return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDeniedException", Status: 403}
				}
				return awssim.Fault{}
			})
			_, err := scene.Run(wavetest.WebWave)
			require.ErrorContains(t, err, "HookNotThere: ")
			require.ErrorContains(t, err, c.says)
			require.Empty(t, scene.Effects("Invoke"))
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}
