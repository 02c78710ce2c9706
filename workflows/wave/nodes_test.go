package wave_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// nodes lets do look at the tills, or change them.
func nodes(scene *wavetest.Scene, do func(*world.Region, []*world.Instance)) {
	scene.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Staging).Region(wavetest.Tokyo)
		do(region, region.Nodes())
	})
}

func TestManagedNodesArePatched(t *testing.T) {
	cases := []struct {
		name     string
		balanced []string
		out      int
	}{
		{name: "that no target group has"},
		{name: "one at a time behind a load balancer", balanced: []string{"tills"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.Tills("web-2.3", c.balanced...), Config: wavetest.TillPlan,
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			group := result.Stages[0].Groups[0]
			require.Equal(t, "mi:Role=till", group.Name)
			require.Len(t, group.Instances, 2)
			for _, instance := range group.Instances {
				require.True(t, patch.IsNode(instance.ID))
				require.Equal(t, patch.Patched, instance.Outcome)
				require.Equal(t, []int{6, 0}, []int{instance.MissingBefore, instance.MissingAfter})
			}
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
			require.LessOrEqual(t, scene.Sim.MaxOutOfService(wavetest.Staging, wavetest.Tokyo, "mi:Role=till"), 1)
			require.Empty(t, scene.Effects("CreateTags"), "their marks are Systems Manager's")
			require.Len(t, scene.Effects("RemoveTagsFromResource"), 2)
			require.Empty(t, scene.Effects("CreateSnapshot"))
		})
	}
}

// Of a node that no target group has nothing can be taken away, and nothing put back: it is told by name, the wave
// waits, and a retry patches it.
func TestANodeWhoseInstallFails(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.TillPlan,
		Fleet: wavetest.WithFaults(wavetest.Tills("web-2.3"), world.WorldFault{Kind: world.FaultInstallFails, Account: "staging"}),
	})
	scene.Decide = []patch.Verb{patch.Retry}
	var held patch.WaveStatus
	scene.OnHold = func(status patch.WaveStatus) { held = status }
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, patch.StateOnHold, held.State)
	require.Contains(t, held.Awaiting, "mi-")
	require.Len(t, scene.Effects("StartAutomationExecution"), 3)
	scene.RequireInvariants(result, wavetest.Except{})
	scene.RequireVersions(result)
}

func TestANodeWhoseInstallFailsIsToldAsStranded(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.TillPlan,
		Fleet: wavetest.WithFaults(wavetest.Tills("web-2.3"), world.WorldFault{Kind: world.FaultInstallFails, Account: "staging"}),
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	instance := result.Stages[0].Groups[0].Instances[0]
	require.Equal(t, patch.Failed, instance.Outcome)
	require.True(t, instance.StillPatched)
	require.Len(t, result.Stranded, 1, "%+v", result.Stranded)
	require.Equal(t, "managed node "+instance.ID, result.Stranded[0].Resource)
	require.Contains(t, result.Stranded[0].WhatToDo, "--target "+instance.ID)
	require.Len(t, scene.Marks(), 1, "it is found again by its mark")
	require.Empty(t, scene.Effects("StopAutomationExecution"))
}

// Nobody can tell whether it serves still, so that it counts as out: where one may be, no other is begun.
func TestANodeWhoseInstallFailsCountsAsOut(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.TillPlan,
		Fleet: wavetest.WithFaults(wavetest.Tills("web-2.3"), world.WorldFault{Kind: world.FaultInstallFails, Account: "staging"}),
	})
	scene.Decide = []patch.Verb{patch.Skip}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	instances := result.Stages[0].Groups[0].Instances
	require.Len(t, instances, 2)
	require.Equal(t, patch.Failed, instances[0].Outcome)
	require.Equal(t, patch.Failed, instances[1].Outcome)
	require.Contains(t, instances[1].Reason, "max_unavailable is 1: "+instances[0].ID)
	require.Len(t, scene.Effects("StartAutomationExecution"), 1)
	require.Len(t, result.Stranded, 1)
	require.Equal(t, []string{instances[0].ID}, slices.Collect(maps.Keys(scene.Marks())))
}

// Production's till breaks by the patch: behind a load balancer it is taken out of service, and stays out.
func TestAPatchThatBreaksANode(t *testing.T) {
	cases := []struct {
		name     string
		balanced []string
		outcome  patch.Outcome
		out      bool
	}{
		{name: "that no target group has", outcome: patch.Failed},
		{name: "behind a load balancer", balanced: []string{"tills"}, outcome: patch.Quarantined, out: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "bad-patch", Fleet: wavetest.Tills("web-2.4", c.balanced...), Config: wavetest.TillPlan,
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
			group := result.Stages[0].Groups[0]
			broken := group.Instances[0]
			require.Equal(t, c.outcome, broken.Outcome, "%+v", broken)
			require.Len(t, group.Instances, 2)
			require.Equal(t, patch.NotStarted, group.Instances[1].Outcome, "the other is left as it was")
			nodes(scene, func(region *world.Region, nodes []*world.Instance) {
				for _, node := range nodes {
					require.Equal(t, c.out && node.ID == broken.ID, node.Tags[names.TagQuarantine] != "", node.ID)
				}
				for _, group := range region.TargetGroups() {
					if group.Name == "tills" {
						require.Len(t, group.Targets(), 1, "nothing is sent to the broken one")
					}
				}
			})
			if c.out {
				require.Contains(t, broken.Reason, "nothing can put a managed node back")
				require.Contains(t, broken.Notes[len(broken.Notes)-1], "patchtide quarantine release "+broken.ID)
				require.Empty(t, scene.Marks())
			} else {
				require.Len(t, result.Stranded, 1)
			}
		})
	}
}

// Its install went on unseen, and a retry finds nothing due: it is watched for its bake, is patched, and nothing of it
// is left.
func TestANodeWhoseInstallEndedUnseen(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.Tills("web-2.3"), Config: wavetest.TillPlan,
	})
	scene.Decide = []patch.Verb{patch.Retry}
	denied, stops := false, 0
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		fault := awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied"}
		switch call.Operation {
		case "GetAutomationExecution":
			if !denied && call.Ordinal == 2 {
				denied = true
				return fault
			}
		case "StopAutomationExecution":
			if stops++; stops < 12 {
				return fault
			}
		}
		return awssim.Fault{}
	})
	var held patch.WaveStatus
	scene.OnHold = func(status patch.WaveStatus) { held = status }
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Len(t, held.Stranded, 1)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	instance := result.Stages[0].Groups[0].Instances[0]
	require.Equal(t, patch.Patched, instance.Outcome, "%+v", instance)
	require.Contains(t, instance.Notes[len(instance.Notes)-1], "it was watched for its bake anew")
	require.NotEmpty(t, instance.BootID)
	require.Len(t, scene.Effects("StartAutomationExecution"), 2, "nothing is installed twice")
	require.Empty(t, result.Stranded)
	scene.RequireInvariants(result, wavetest.Except{})
	scene.RequireVersions(result)
}

// A retry that is refused has taken nothing anew: what the node was left as is told still.
func TestANodeThatIsRefusedARetryStaysTold(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "bad-patch", Fleet: wavetest.Tills("web-2.4"), Config: wavetest.TillPlan,
	})
	scene.Decide = []patch.Verb{patch.Retry, patch.Skip}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	broken, other := result.Stages[0].Groups[0].Instances[0], result.Stages[0].Groups[0].Instances[1]
	require.Equal(t, patch.Failed, broken.Outcome, "%+v", broken)
	require.Contains(t, broken.Reason, "refused: ")
	require.True(t, broken.StillPatched)
	require.Len(t, broken.Stranded, 1)
	require.Contains(t, other.Reason, "max_unavailable is 1: "+broken.ID, "it counts as out")
	require.Len(t, result.Stranded, 1, "%+v", result.Stranded)
	require.Len(t, scene.Marks(), 1)
}

// A node that is away is not touched, and named; nobody answers, so that the wave ends.
func TestANodeThatIsOffline(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.Tills("web-2.3"), Config: wavetest.TillPlan,
	})
	away := ""
	nodes(scene, func(_ *world.Region, nodes []*world.Instance) {
		nodes[0].Unplug()
		away = nodes[0].ID
	})
	var result *patch.WaveResult
	scene.Play(func(story wavetest.Story) {
		story.Later(time.Hour)
		result = story.Wave("first")
	})
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	for _, instance := range result.Stages[0].Groups[0].Instances {
		if instance.ID == away {
			require.Equal(t, patch.Failed, instance.Outcome)
			require.Contains(t, instance.Reason, "its SSM agent is not online")
		}
	}
	require.Empty(t, scene.Marks())
	require.Empty(t, result.Stranded)
}

// Systems Manager takes a tag and its reply is lost: the next attempt finds the mark, and nothing is done twice.
func TestALostReplyToANodesMark(t *testing.T) {
	for _, operation := range []string{"AddTagsToResource", "RemoveTagsFromResource"} {
		t.Run(operation, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.Tills("web-2.3", "tills"), Config: wavetest.TillPlan,
			})
			lost := false
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation != operation || lost {
					return awssim.Fault{}
				}
				lost = true
				return awssim.Fault{Kind: awssim.FaultLostReply}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Len(t, scene.Effects("StartAutomationExecution"), 2)
			require.Len(t, scene.Effects(operation), 2)
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}
