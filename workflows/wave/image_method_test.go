package wave_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Where no image can be had the wave holds before anybody is asked to approve; a retry makes another, and staging is
// not patched once more.
func TestAStageWaitsForTheImageOfItsRootVolumes(t *testing.T) {
	for _, c := range []struct {
		name   string
		denied int // so often
		decide patch.Verb
		want   patch.Outcome
	}{
		{"it is made at once", 0, "", patch.Succeeded},
		{"once it may be made", 1, patch.Retry, patch.Succeeded},
		{"it may not", 1000, patch.Abort, patch.Aborted},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.WithAPI(nil), Config: wavetest.ByImage,
			})
			denied := 0
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation == "CreateImage" && denied < c.denied {
					denied++
					return awssim.Fault{Kind: awssim.FaultError, Code: "UnauthorizedOperation"}
				}
				return awssim.Fault{}
			})
			if c.decide != "" {
				scene.Decide = []patch.Verb{c.decide}
			}
			told := about(scene)
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Len(t, scene.Effects("StartAutomationExecution"), 2, "staging's, once")
			if c.want == patch.Aborted {
				require.Contains(t, result.Reason, "production was not begun: its root volumes are replaced by an image")
				require.Empty(t, scene.Effects("CreateReplaceRootVolumeTask"))
				return
			}
			require.Len(t, scene.Effects("CreateImage"), 1)
			require.Equal(t, result.Stages[1].Images, told.Images, "whoever approved was told")
			require.Contains(t, told.LosesRoot, "all that only lives on its root is lost")
			require.Nil(t, result.Stages[0].Images)
		})
	}
}

// A stage by image that renews what its group launches leaves nothing stale, though that is another image than the one
// of the root volumes.
func TestAStageByImageThatRenewsItsImageLeavesNoneStale(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithAPI(nil), Config: func(file []byte) []byte {
			const key = "        state_on_root: none\n"
			return wavetest.PlanWith(key, key+"        image: patched_instance\n")(wavetest.ByImage(file))
		},
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	web := result.Stages[1].Groups[0]
	require.NotNil(t, web.Image)
	require.True(t, web.Image.Reaches, web.Image.Told())
	status, known := scene.Status()
	require.True(t, known)
	require.Empty(t, status.Stages[1].Groups[0].StaleImage)
}

// An image that its wave can say nothing of any more after it was made goes by itself, with its snapshot.
func TestAnImageOfRootVolumesExpiresFromTheBeginning(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithAPI(nil), Config: wavetest.ByImage,
	})
	made := false
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		made = made || call.Operation == "CreateImage"
		if made && call.Operation == "CreateTags" {
			return awssim.Fault{Kind: awssim.FaultError, Code: "UnauthorizedOperation"}
		}
		return awssim.Fault{}
	})
	scene.Decide, scene.Impatient = []patch.Verb{patch.Abort}, true
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	found := 0
	scene.Production(func(group *world.ScalingGroup) {
		for _, image := range group.Region.Images() {
			if image.Tags[names.TagWave] == "" {
				continue
			}
			found++
			require.NotEmpty(t, image.Tags[names.TagExpires])
			require.NotEmpty(t, group.Region.Snapshot(image.Snapshot).Tags[names.TagExpires])
		}
	})
	require.Equal(t, 1, found)
}

// Whoever approves is told who will be refused, for AWS would not make its root volume of the image, before anybody is
// touched; the others get theirs.
func TestAnApprovalNamesWhomTheImageDoesNotFit(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.ByImage, Fleet: wavetest.WithAPI(func(s *world.Scenario) {
			api := &s.Accounts[1].Regions[0].Groups[1]
			image := s.Images[slices.IndexFunc(s.Images, func(i world.ImageSpec) bool { return i.Name == api.Image })]
			image.ID, image.Name, image.NoENA = "ami-0123456789abcdef9", "without-ena", true
			s.Images, api.Image = append(s.Images, image), image.Name
		}),
	})
	scene.Decide = []patch.Verb{patch.Abort}
	told := about(scene)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	web := result.Stages[1].Groups[0]
	require.Len(t, told.Unfit, len(web.Instances))
	for i, one := range web.Instances {
		require.Equal(t, web.Account+"/"+web.Region+"/"+web.Name+" "+one.ID+": the image "+told.Images[0].ID+
			" does not fit it: it has ENA, which the image does not support", told.Unfit[i])
	}
	said := brief.Case(*told, brief.UTC)
	require.Contains(t, said, "refused before they are touched, for AWS would not make their root volumes of the image: "+
		strings.Join(told.Unfit, "; "))
	require.Contains(t, web.Instances[0].Reason, told.Images[0].ID+" does not fit it", "as was told")
	require.Empty(t, scene.Effects("CreateReplaceRootVolumeTask"))
}

// Production may be patched by an image although staging lacks nothing any more: last night's wave has patched staging,
// and went no further.
func TestAnEarlierWavesMachineGivesItsRootVolume(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.WithAPI(nil), Config: wavetest.ByImage})
	named := func() {
		scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{
			ID: names.ScheduledWave("web", scene.Env.Now()), TaskQueue: names.TaskQueue,
		})
	}
	named()
	scene.Answer = patch.Reject
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome)
	scene.Again(scene.Env.Now().Add(24 * time.Hour))
	named()
	scene.Answer = patch.Approve
	result, err = scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
	for _, one := range result.Stages[0].Groups[0].Instances {
		require.Equal(t, patch.AlreadyCompliant, one.Outcome)
	}
	scene.RequireInvariants(nil, wavetest.Except{})
}
