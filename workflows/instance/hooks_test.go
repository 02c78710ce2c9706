package instance_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// hooked is a production of four with hooks, as lines of YAML below `hooks:` of its stage.
func hooked(t *testing.T, scenario string, hooks ...string) *wavetest.Scene {
	return wavetest.New(t, wavetest.Options{Scenario: scenario, Config: withHooks(hooks...)})
}

func withHooks(hooks ...string) func([]byte) []byte {
	return wavetest.ProductionOnly(func(file []byte) []byte {
		return wavetest.PlanWith("      - name: production\n",
			"      - name: production\n        hooks:\n          "+strings.Join(hooks, "\n          ")+"\n",
		)(wavetest.Unattended(file))
	})
}

// sentHooks are the commands of hooks, by instance, in the order in which they were sent: the last line of each.
func sentHooks(scene *wavetest.Scene) map[string][]string {
	sent := map[string][]string{}
	scene.Production(func(group *world.ScalingGroup) {
		for _, command := range group.Region.Commands() {
			if lines := command.Parameters["commands"]; strings.HasPrefix(command.Comment, "patchtide hook ") {
				id := command.Invocations[0].Instance.ID
				sent[id] = append(sent[id], lines[len(lines)-1])
			}
		}
	})
	return sent
}

func inProduction(result *patch.WaveResult) (instances []patch.InstanceResult) {
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			if stage.Name == "production" {
				instances = append(instances, group.Instances...)
			}
		}
	}
	return instances
}

// tried are the instances of production that the wave changed something of.
func tried(result *patch.WaveResult) []patch.InstanceResult {
	return slices.DeleteFunc(inProduction(result), func(r patch.InstanceResult) bool { return r.Started.IsZero() })
}

// A hook runs on each instance, once, is told what it is about, and the evidence has what it said.
func TestAHookRunsOnceOnEachInstance(t *testing.T) {
	scene := hooked(t, "healthy",
		`before_snapshot: [{name: stop, run: 'echo stops $PATCHTIDE_INSTANCE of $PATCHTIDE_STAGE, password=hunter22'}]`)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
	sent := sentHooks(scene)
	require.Len(t, sent, 4)
	for _, instance := range inProduction(result) {
		require.Len(t, sent[instance.ID], 1)
		require.Len(t, instance.Hooks, 1)
		ran := instance.Hooks[0]
		require.Equal(t, "stop", ran.Name)
		require.Equal(t, patch.BeforeSnapshot, ran.Point)
		require.Equal(t, "run", ran.Kind)
		require.Equal(t, patch.HookOK, ran.Result, "%s", ran.Why)
		require.Positive(t, ran.Took)
		var details patch.InstanceDetails
		require.NoError(t, scene.Store.GetInstance(t.Context(), result.WaveID, instance.ID, &details))
		require.Len(t, details.Hooks, 1)
		require.Equal(t, "stops "+instance.ID+" of production, password=[secret]", details.Hooks[0].Output)
	}
	scene.RequireInvariants(result, wavetest.Except{})
}

// everyPoint is a hook at each point of an instance, which says where it is; each has an undo that says so.
var everyPoint = []string{
	"before_out: [{name: h, run: echo before_out, undo: {run: echo undo before_out}}]",
	"before_snapshot: [{name: h, run: echo before_snapshot, undo: {run: echo undo before_snapshot}}]",
	"before_install: [{name: h, run: echo before_install, undo: {run: echo undo before_install}}]",
	"after_install: [{name: h, run: echo after_install, undo: {run: echo undo after_install}}]",
	"after_in: [{name: h, run: echo after_in, undo: {run: echo undo after_in}}]",
}

// storyOf is what was done to an instance, in order: hooks by what they echo, and the calls by which it goes out, is
// patched, put back and returns.
func storyOf(scene *wavetest.Scene, id string) (story []string) {
	known := []string{
		"EnterStandby", "CreateSnapshot", "StartAutomationExecution", "ExitStandby", "CreateReplaceRootVolumeTask",
		"DetachInstances",
	}
	for _, event := range scene.Sim.Events() {
		if !event.Effect || !strings.Contains(event.Resource+string(event.Arguments), id) {
			continue
		}
		var sent struct {
			Comment    string
			Parameters map[string][]string
		}
		switch {
		case slices.Contains(known, event.Operation):
			story = append(story, event.Operation)
		case event.Operation != "SendCommand" || json.Unmarshal(event.Arguments, &sent) != nil:
		case strings.HasPrefix(sent.Comment, "patchtide hook "):
			lines := sent.Parameters["commands"]
			story = append(story, strings.TrimPrefix(lines[len(lines)-1], "echo "))
		}
	}
	return story
}

// Each point is where its name says.
func TestWhereHooksRun(t *testing.T) {
	scene := hooked(t, "healthy", everyPoint...)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	for _, instance := range inProduction(result) {
		require.Equal(t, []string{
			"before_out", "EnterStandby", "before_snapshot", "CreateSnapshot", "before_install", "StartAutomationExecution",
			"after_install", "ExitStandby", "after_in",
		}, storyOf(scene, instance.ID), instance.ID)
		require.Len(t, instance.Hooks, 5)
	}
	scene.RequireInvariants(result, wavetest.Except{})
}

// Whatever a failed hook leads to leaves the instance in service, on one version or the other.
func TestWhatAFailedHookLeadsTo(t *testing.T) {
	putBack := []string{"CreateReplaceRootVolumeTask"}
	for _, c := range []struct {
		point   patch.HookPoint
		outcome patch.Outcome // where it is put back
		story   []string      // likewise
	}{
		{patch.BeforeOut, patch.Failed, []string{"exit 3", "undo"}},
		{patch.BeforeSnapshot, patch.Failed, []string{"EnterStandby", "exit 3", "undo", "ExitStandby"}},
		{patch.BeforeInstall, patch.Failed, []string{"EnterStandby", "CreateSnapshot", "exit 3", "undo", "ExitStandby"}},
		{
			patch.AfterInstall, patch.RolledBack, slices.Concat(
				[]string{"EnterStandby", "CreateSnapshot", "StartAutomationExecution", "exit 3", "undo"}, putBack,
				[]string{"ExitStandby"}),
		},
		{
			patch.AfterIn, patch.RolledBack, slices.Concat(
				[]string{
					"EnterStandby", "CreateSnapshot", "StartAutomationExecution", "ExitStandby", "exit 3", "undo", "EnterStandby",
				},
				putBack, []string{"ExitStandby"}),
		},
	} {
		for _, failure := range []patch.HookFailure{patch.HookUndoes, patch.HookHolds, patch.HookContinues} {
			t.Run(string(c.point)+" "+string(failure), func(t *testing.T) {
				scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: func(file []byte) []byte {
					return wavetest.PlanWith("        bake: 5m\n", "        bake: 5m\n        max_failures: 2\n")(withHooks(
						string(c.point) + ": [{name: bad, run: exit 3, on_failure: " + string(failure) +
							", undo: {run: echo undo}}]")(file))
				}})
				holds := 0
				scene.OnHold = func(status patch.WaveStatus) {
					holds++
					require.Contains(t, status.Awaiting, "bad: ")
				}
				result, err := scene.Run(wavetest.WebWave)
				require.NoError(t, err)
				touched := tried(result)
				switch failure {
				case patch.HookContinues:
					require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
					require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
					require.Contains(t, strings.Join(touched[0].Notes, "; "), "hook bad did not end well, and the saga went on")
				case patch.HookUndoes:
					require.Equal(t, 1, holds, "the stage may carry some")
					require.Greater(t, len(touched), 1)
				case patch.HookHolds:
					require.Equal(t, 1, holds)
					require.Len(t, touched, 1, "a person decides, whatever the stage may carry")
				}
				for _, instance := range touched {
					require.Equal(t, patch.HookFailed, instance.Hooks[0].Result)
					require.Contains(t, instance.Hooks[0].Why, "exit code 3")
					if failure != patch.HookContinues {
						// One that was carried by the stage with nothing installed is told as skipped.
						require.Contains(t, []patch.Outcome{c.outcome, patch.Skipped}, instance.Outcome, "%s", instance.Reason)
						require.Equal(t, c.story, storyOf(scene, instance.ID))
						require.True(t, instance.Hooks[1].Undo)
						require.Equal(t, patch.HookOK, instance.Hooks[1].Result)
					}
				}
				scene.RequireInvariants(result, wavetest.Except{})
				scene.RequireNobodyOut()
			})
		}
	}
}

// Undos run in reverse, each where the way back is as far as its hook was, and only of what was begun.
func TestUndosOfHooksRunInReverse(t *testing.T) {
	scene := hooked(t, "healthy", append(slices.Clone(everyPoint[:4]),
		"after_in: [{name: h, run: echo after_in, undo: {run: echo undo after_in}}, {name: bad, run: exit 1}, "+
			"{name: never, run: echo never}]")...)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	touched := tried(result)
	require.Len(t, touched, 1)
	require.Equal(t, patch.RolledBack, touched[0].Outcome, "%s", touched[0].Reason)
	require.Equal(t, []string{
		"before_out", "EnterStandby", "before_snapshot", "CreateSnapshot", "before_install", "StartAutomationExecution",
		"after_install", "ExitStandby", "after_in", "exit 1",
		"undo after_in", "EnterStandby", "undo after_install", "CreateReplaceRootVolumeTask", "undo before_install",
		"undo before_snapshot", "ExitStandby", "undo before_out",
	}, storyOf(scene, touched[0].ID))
	scene.RequireInvariants(result, wavetest.Except{})
}

// An undo that fails, or hangs, is told by name, and the instance is put back all the same.
func TestAFailingUndoOfAHookKeepsNobodyOut(t *testing.T) {
	for _, undo := range []string{"exit 7", "sleep 100000"} {
		t.Run(undo, func(t *testing.T) {
			scene := hooked(t, "healthy",
				"before_out: [{name: cordon, run: echo cordon, undo: {run: "+undo+", timeout: 1m}}]",
				"before_snapshot: [{name: stop, run: echo stop, undo: {run: "+undo+", timeout: 1m}}]",
				"after_in: [{name: smoke, run: exit 1, undo: {run: "+undo+", timeout: 1m}}]")
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			touched := tried(result)
			require.Len(t, touched, 1)
			require.Equal(t, patch.RolledBack, touched[0].Outcome, "%s", touched[0].Reason)
			for _, name := range []string{"before_out hook cordon", "before_snapshot hook stop", "after_in hook smoke"} {
				require.Contains(t, touched[0].Reason, "the undo of the "+name+" failed: ")
			}
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireNobodyOut()
		})
	}
}

// A hook that hangs ends at its timeout, and by then nothing of it runs.
func TestAHookThatHangs(t *testing.T) {
	for _, c := range []struct{ name, hook string }{
		{"a script", "run: sleep 100000"},
		{"a document", "document: slow"},
		{"a runbook", "document: slow-runbook"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := hooked(t, "healthy", "before_snapshot: [{name: hangs, timeout: 2m, "+c.hook+"}]")
			createDocuments(t, scene)
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			touched := tried(result)
			require.Len(t, touched, 1)
			ran := touched[0].Hooks[0]
			require.Equal(t, patch.HookTimedOut, ran.Result, "%s", ran.Why)
			require.GreaterOrEqual(t, ran.Took, patch.Duration(2*60e9))
			require.Less(t, ran.Took, patch.Duration(6*60e9), "its own two minutes, and until it was seen to have ended")
			require.Equal(t, patch.Failed, touched[0].Outcome)
			scene.Production(func(group *world.ScalingGroup) {
				for _, command := range group.Region.Commands() {
					require.True(t, command.Invocations[0].Done(), "%s runs still", command.Comment)
				}
				for _, execution := range group.Region.Executions() {
					require.True(t, execution.Done(), "%s runs still", execution.ID)
				}
			})
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// createDocuments gives production documents of somebody's own.
func createDocuments(t *testing.T, scene *wavetest.Scene) {
	scene.Production(func(group *world.ScalingGroup) {
		for name, content := range map[string]string{
			"slow": `{schemaVersion: "2.2",
mainSteps: [{action: "aws:runShellScript", name: slow, inputs: {runCommand: ["sleep 100000"]}}]}`,
			"drain": `{schemaVersion: "2.2", parameters: {Node: {type: String}},
mainSteps: [{action: "aws:runShellScript", name: drain, inputs: {runCommand: ["echo drains {{ Node }}"]}}]}`,
		} {
			_, err := group.Region.CreateDocument(name, "Command", "YAML", content, "", nil)
			require.NoError(t, err)
		}
		for name, content := range map[string]string{
			"slow-runbook": `{schemaVersion: "0.3", mainSteps: [{action: "aws:sleep", name: slow, inputs: {Duration: PT9H}}]}`,
			"drain-runbook": `{schemaVersion: "0.3", parameters: {Node: {type: String}, Token: {type: String}},
mainSteps: [{action: "aws:sleep", name: drain, inputs: {Duration: PT5S}}]}`,
		} {
			_, err := group.Region.CreateDocument(name, "Automation", "YAML", content, "", nil)
			require.NoError(t, err)
		}
	})
}
