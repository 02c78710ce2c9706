package wave_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// waveHooks gives the plan web hooks, as lines below `hooks:`.
func waveHooks(hooks ...string) func([]byte) []byte {
	return func(file []byte) []byte {
		return wavetest.PlanWith("    stages:\n      - name: staging\n",
			"    hooks:\n      "+strings.Join(hooks, "\n      ")+"\n    stages:\n      - name: staging\n")(
			wavetest.Unattended(file))
	}
}

// asksAt is a hook of a webhook, whose address says which it is.
func asksAt(name, more string) string {
	return "{name: " + name + ", timeout: 2m, webhook: {url_from: 'env:" + name + "', secret_from: 'env:KEY'}" + more + "}"
}

// heard answers webhooks, and notes who was asked, with the outcome that was told.
func heard(scene *wavetest.Scene, answers map[string]int) *[]string {
	asked := &[]string{}
	scene.AWS.Secrets = func(_ context.Context, source string) (string, error) {
		return "https://hooks.example.com/" + strings.TrimPrefix(source, "env:"), nil
	}
	scene.AWS.HTTP = &http.Client{Transport: transport(func(request *http.Request) (*http.Response, error) {
		var about patch.HookAbout
		if err := json.NewDecoder(request.Body).Decode(&about); err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(request.URL.Path, "/")
		*asked = append(*asked, strings.TrimSuffix(string(about.Point)+" "+name+" "+string(about.Outcome), " "))
		code := 200
		if answer := answers[name]; answer != 0 {
			code = answer
		}
		return &http.Response{
			StatusCode: code, Body: io.NopCloser(bytes.NewBufferString("said")), Header: http.Header{}, Request: request,
		}, nil
	})}
	return asked
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }

// Hooks of the wave run once: before anything is changed, and as it ends.
func TestHooksOfAWaveRunOnce(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: waveHooks(
		"before_wave: ["+asksAt("begins", "")+"]", "after_wave: ["+asksAt("ends", "")+", "+asksAt("fails", "")+"]")})
	asked := heard(scene, map[string]int{"fails": 400})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	require.Equal(t, []string{"before_wave begins", "after_wave ends succeeded", "after_wave fails succeeded"}, *asked)
	require.Contains(t, result.Reason, "the after_wave hook fails did not end well: it answered 400")
	require.Len(t, result.Hooks, 3)
	require.Equal(t, "said", result.Hooks[0].Output)
	scene.RequireInvariants(result, wavetest.Except{})
}

// A hook that fails before the wave ends it: nothing is changed, what was done before is undone, and it is told why.
func TestAHookThatFailsBeforeTheWave(t *testing.T) {
	for failure, ends := range map[string]bool{"": true, ", on_failure: undo": true, ", on_failure: continue": false} {
		t.Run(failure, func(t *testing.T) {
			undo := func(name string) string {
				return ", undo: {webhook: {url_from: 'env:" + name + "', secret_from: 'env:KEY'}}"
			}
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: waveHooks(
				"before_wave: ["+asksAt("a", undo("undo_a"))+", "+asksAt("b", failure+undo("undo_b"))+", "+asksAt("c", "")+"]",
				"after_wave: ["+asksAt("ends", "")+"]")})
			asked := heard(scene, map[string]int{"b": 403})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			if !ends {
				require.Equal(t, patch.Succeeded, result.Outcome)
				require.Equal(t, []string{
					"before_wave a", "before_wave b", "before_wave c", "after_wave ends succeeded",
				}, *asked)
				return
			}
			require.Equal(t, patch.Failed, result.Outcome)
			require.Contains(t, result.Reason, "the before_wave hook b: it answered 403: said; nothing was changed")
			require.Equal(t, []string{"before_wave a", "before_wave b", "before_wave undo_b", "before_wave undo_a"}, *asked)
			require.Empty(t, scene.Effects("EnterStandby"))
			require.Empty(t, scene.Effects("DeregisterTargets"))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// As it ends a wave runs its hooks whatever its end is.
func TestHooksOfAWaveThatEndsOtherwise(t *testing.T) {
	for name, c := range map[string]struct {
		fleet func(*wavetest.Scene)
		want  string
	}{
		"aborted": {func(scene *wavetest.Scene) {
			scene.WhenAtStep(patch.StepInstall, func(string) { scene.Tell(patch.Abort, "") })
		}, "after_wave ends aborted"},
		"cancelled": {func(scene *wavetest.Scene) {
			scene.WhenAtStep(patch.StepInstall, func(string) { scene.Env.CancelWorkflow() })
		}, "after_wave ends aborted"},
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: waveHooks(
				"after_wave: [" + asksAt("ends", "") + "]")})
			asked := heard(scene, nil)
			c.fleet(scene)
			_, _ = scene.Run(wavetest.WebWave)
			require.Equal(t, []string{c.want}, *asked)
		})
	}
}

// What a hook needs and is not there keeps a wave from beginning.
func TestADocumentOfAHookThatIsNotThere(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: waveHooks(
		"before_out: [{name: drain, document: nowhere}]")})
	_, err := scene.Run(wavetest.WebWave)
	require.ErrorContains(t, err, "HookNotThere: ")
	require.ErrorContains(t, err, "there is no document nowhere for its hooks")
	scene.RequireInvariants(nil, wavetest.Except{})
}

// A document of the wave is a runbook, in the account and region that its hook names.
func TestADocumentOfTheWave(t *testing.T) {
	for _, c := range []struct{ kind, content, says string }{
		{"Automation", `{schemaVersion: "0.3", mainSteps: [{action: "aws:sleep", name: nap, inputs: {Duration: PT5S}}]}`, ""},
		{
			"Command",
			`{schemaVersion: "2.2", mainSteps: [{action: "aws:runShellScript", name: a, inputs: {runCommand: [ls]}}]}`,
			"the document announce is a Command document, and at before_wave there is no instance to run it on",
		},
		{"", "", "there is no document announce"},
	} {
		t.Run(c.kind, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: waveHooks(
				"before_wave: [{name: a, document: announce, account: production, region: ap-northeast-1}]")})
			scene.Production(func(group *world.ScalingGroup) {
				if c.kind != "" {
					_, err := group.Region.CreateDocument("announce", c.kind, "YAML", c.content, "", nil)
					require.NoError(t, err)
				}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			if c.says == "" {
				require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
			} else {
				require.Equal(t, patch.Failed, result.Outcome)
				require.Contains(t, result.Reason, c.says)
			}
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// A function of the wave is invoked in the account and region that its hook names, and its failure does what any does.
func TestAFunctionOfTheWave(t *testing.T) {
	for _, c := range []struct {
		failure string
		fails   string
		outcome patch.Outcome
		undone  int
	}{
		{"undo", "", patch.Succeeded, 0}, {"undo", "unhandled", patch.Failed, 1}, {"continue", "handled", patch.Succeeded, 0},
	} {
		t.Run(c.failure+" "+c.fails, func(t *testing.T) {
			const at = "account: production, region: ap-northeast-1"
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: waveHooks(
				"before_wave: [{name: a, lambda: {function: announce, parameters: {Of: '${PATCHTIDE_PLAN}'}}, "+at+", on_failure: "+
					c.failure+", undo: {lambda: {function: 'arn:aws:lambda:ap-northeast-1:111122223333:function:recall'}, "+at+"}}]",
				"after_wave: [{name: z, lambda: {function: announce}, "+at+"}]")})
			var announce, recall *world.Function
			scene.Production(func(group *world.ScalingGroup) {
				announce = group.Region.PutFunction(world.FunctionSpec{Name: "announce", Says: "heard", Fails: c.fails})
				recall = group.Region.PutFunction(world.FunctionSpec{Name: "recall"})
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.outcome, result.Outcome, "%s", result.Reason)
			require.Len(t, recall.Invocations, c.undone)
			require.Contains(t, string(announce.Invocations[0].Event), `"parameters":{"Of":"web"}`)
			require.Equal(t, "lambda", result.Hooks[0].Kind)
			require.Equal(t, c.fails != "", result.Hooks[0].Failed())
			require.Contains(t, result.Hooks[0].Output, "heard")
			if c.outcome == patch.Succeeded {
				require.Len(t, announce.Invocations, 2)
				require.Contains(t, string(announce.Invocations[1].Event), `"outcome":"succeeded"`)
			}
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// Who aborts a wave while its hooks of before_wave run does not wait for the rest, and what was begun is undone.
func TestAnAbortBetweenTheHooksOfAWave(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: waveHooks("before_wave: [" +
		asksAt("first", ", undo: {webhook: {url_from: 'env:undo', secret_from: 'env:KEY'}}") + ", " + asksAt("second", "") + "]")})
	asked := heard(scene, map[string]int{"first": http.StatusAccepted}) // which goes on for its two minutes
	scene.When(func(patch.WaveStatus) bool { return len(*asked) > 0 }, func(patch.WaveStatus) {
		scene.MustTake(patch.Abort, wavetest.Because("a mistake"))
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Contains(t, result.Reason, "aborted before anything was changed: ")
	require.Contains(t, result.Reason, "a mistake")
	require.NotContains(t, *asked, "before_wave second")
	require.Contains(t, *asked, "before_wave undo")
	require.Empty(t, scene.Effects("EnterStandby"))
}
