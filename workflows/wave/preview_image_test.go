package wave_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

func renewing(policy string) wavetest.Options {
	return wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.Sized(2, 3, 3),
		Config: wavetest.ProductionOnly(wavetest.PlanWith(
			"        max_unavailable: 1\n", "        max_unavailable: 1\n        image: "+policy+"\n")),
	}
}

func keptByStack(scene *wavetest.Scene) {
	scene.Production(func(group *world.ScalingGroup) {
		group.Tags = append(group.Tags, world.GroupTag{Key: "aws:cloudformation:stack-name", Value: "web"})
	})
}

// Whoever plans a wave reads what becomes of the image, by what decides that at its end.
func TestAPreviewTellsWhetherTheImageIsToBeRenewed(t *testing.T) {
	for _, c := range []struct {
		name, policy string
		change       func(*wavetest.Scene)
		says         string
	}{
		{
			name: "it is", policy: "patched_instance",
			says: "once all of it is patched, its next image is made of one of those patched",
		},
		{
			name: "by a parameter", policy: "{from: parameter, parameter: /golden/al2023, promote: none}",
			says: "once all of it is patched, its next image is the one that the parameter /golden/al2023 names, is tried by an " +
				"instance of its own outside the group, and goes into no launch template, as the plan says; until then it launches " +
				"from ami-",
		},
		{
			name: "not one that a stack keeps", policy: "patched_instance", change: keptByStack,
			says: "its image will not be renewed, so that a wave which patches all of it ends as \"succeeded image stale\" at best: " +
				"version 1 of the launch template web is kept by the CloudFormation stack web",
		},
		{
			name: "not one that maps a volume", policy: "patched_instance",
			change: func(scene *wavetest.Scene) {
				scene.Production(func(group *world.ScalingGroup) {
					_, version, _ := group.Template.Version(group.TemplateVersion)
					group.Region.Image(version.Image).Data = []string{"/dev/sdf"}
				})
			},
			says: "its image will not be renewed, so that a wave which patches all of it ends as \"succeeded image stale\" at best: " +
				"its image",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, renewing(c.policy))
			if c.change != nil {
				c.change(scene)
			}
			scanFirst(scene, time.Hour)
			notes := strings.Join(previewOf(scene, ofWeb).Notes, "\n")
			require.Contains(t, notes, "production/ap-northeast-1/web: "+c.says)
			require.NotContains(t, notes, "its image is not renewed")
		})
	}
}

// Where nothing is due, what an earlier wave owes is.
func TestAPreviewTellsOfAnImageThatIsOwed(t *testing.T) {
	scene := wavetest.New(t, renewing("patched_instance"))
	keptByStack(scene)
	started := func() {
		scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{
			ID: names.ScheduledWave("web", scene.Env.Now()), TaskQueue: names.TaskQueue,
		})
	}
	started()
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededImageStale, result.Outcome)
	scene.Again(scene.Env.Now().Add(24 * time.Hour))
	scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "preview-test", TaskQueue: names.TaskQueue})
	notes := strings.Join(previewOf(scene, ofWeb).Notes, "\n")
	require.Contains(t, notes, "production/ap-northeast-1/web: the wave "+result.WaveID+
		" left the image that it launches from as it was: ")
	require.Contains(t, notes, "production/ap-northeast-1/web: its image will not be renewed")
}
