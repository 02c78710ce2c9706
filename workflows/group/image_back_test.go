package group_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// A wave that is rolled back, while it runs or once it has closed, leaves the template as it was.
func TestARollBackPutsTheTemplateBack(t *testing.T) {
	for version, says := range map[string]string{
		"$Default": "version 1 of the launch template web is the default again",
		"$Latest":  "version 3 of the launch template web says what version 1 did",
		"1":        "the group names version 1 of the launch template web again",
	} {
		t.Run(version, func(t *testing.T) {
			options := renewing("patched_instance")
			options.Config = wavetest.ProductionOnly(wavetest.PlanWith(
				"        max_unavailable: 1\n", "        max_unavailable: 1\n        image: patched_instance\n",
				"approval: {required: true, timeout: 24h}", "approval: {required: false}"))
			scene := wavetest.New(t, options)
			follows(scene, version)
			before, _ := launched(scene)
			var after *world.Image
			var result, back *patch.WaveResult
			scene.Play(func(story wavetest.Story) {
				result = story.Wave("wave-1")
				after, _ = launched(scene)
				var err error
				if back, err = story.RollBack("wave-1", false); err != nil {
					t.Errorf("the roll back: %v", err)
				}
			})
			require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
			require.NotEqual(t, before.ID, after.ID)
			require.Equal(t, patch.RolledBack, back.Outcome, reasons(back))
			now, _ := launched(scene)
			require.Equal(t, before.ID, now.ID)
			require.Contains(t, renewal(back).Told(), "image put back: "+says)
			require.Equal(t, "failed", after.Tags[names.TagImageState])
		})
	}
}

// rolledBackAlone is one wave over production, whose image is renewed as written; what happens before and after it; and
// its roll back.
func rolledBackAlone(t *testing.T, image string, before, after func(*wavetest.Scene)) (
	scene *wavetest.Scene, result, back *patch.WaveResult,
) {
	t.Helper()
	options := renewing(image)
	options.Config = wavetest.ProductionOnly(wavetest.PlanWith(
		"        max_unavailable: 1\n", "        max_unavailable: 1\n        image: "+image+"\n",
		"approval: {required: true, timeout: 24h}", "approval: {required: false}"))
	scene = wavetest.New(t, options)
	before(scene)
	scene.Play(func(story wavetest.Story) {
		result = story.Wave("wave-1")
		after(scene)
		story.Later(time.Hour)
		var err error
		if back, err = story.RollBack("wave-1", false); err != nil {
			t.Errorf("the roll back: %v", err)
		}
	})
	require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
	return scene, result, back
}

// ofEarlier has production launch from an image that an earlier wave made, after another.
func ofEarlier(t *testing.T, scene *wavetest.Scene) (oldest, earlier *world.Image) {
	t.Helper()
	scene.Production(func(group *world.ScalingGroup) {
		oldest, earlier = earlierImage(t, group, 0), earlierImage(t, group, 1) // EC2 takes few snapshots of a volume at once
		version := group.Template.Versions[group.Template.Default-1]
		version.Image = earlier.ID
		group.Template.Default = group.Template.AddVersion(version)
	})
	return oldest, earlier
}

func earlierImage(t *testing.T, group *world.ScalingGroup, of int) *world.Image {
	t.Helper()
	from := group.Members()[of].Instance.ID
	ours := patch.Group{
		Account: patch.Account{ID: group.Region.Account.ID}, Region: wavetest.Tokyo, AutoScalingGroup: group.Name,
	}
	image, err := group.Region.CreateImage(from, "patchtide-earlier-"+from, "", true, world.Tags{
		names.TagImage: names.ImageOf(ours), names.TagImageState: "proven",
	})
	require.NoError(t, err)
	group.Region.Snapshot(image.Snapshot).Tags[names.TagImage] = names.ImageOf(ours)
	return image
}

// Of a group that keeps one image the one stays that a roll back has it launch again.
func TestARollBackFindsTheImageOfBefore(t *testing.T) {
	var oldest, earlier *world.Image
	scene, result, back := rolledBackAlone(t, "{from: patched_instance, keep: 1}", func(scene *wavetest.Scene) {
		oldest, earlier = ofEarlier(t, scene)
	}, func(*wavetest.Scene) {})
	require.Equal(t, 1, renewal(result).Expired, renewal(result).Told())
	scene.Production(func(group *world.ScalingGroup) {
		require.Nil(t, group.Region.Image(oldest.ID), "more than one are not kept")
		require.Nil(t, group.Region.Snapshot(oldest.Snapshot))
		require.NotNil(t, group.Region.Image(earlier.ID), "the image of before is")
	})
	now, _ := launched(scene)
	require.NotNil(t, now)
	require.Equal(t, earlier.ID, now.ID)
	requireClosed(t, scene, back)
}

// An image that was made for root volumes goes when its own time is over, however few its group keeps.
func TestAnImageForRootVolumesIsNoneThatAGroupKeeps(t *testing.T) {
	var roots *world.Image
	scene, result, _ := rolledBackAlone(t, "{from: patched_instance, keep: 1}", func(scene *wavetest.Scene) {
		roots, _ = ofEarlier(t, scene)
		scene.Production(func(group *world.ScalingGroup) {
			group.Region.Image(roots.ID).Tags[names.TagExpires] = "2037-01-01T00:00:00Z"
		})
	}, func(*wavetest.Scene) {})
	require.Zero(t, renewal(result).Expired, renewal(result).Told())
	scene.Production(func(group *world.ScalingGroup) { require.NotNil(t, group.Region.Image(roots.ID)) })
}

// A template is not put back to an image that is gone: the group could launch nothing.
func TestATemplateIsNotPutBackToAnImageThatIsGone(t *testing.T) {
	var earlier *world.Image
	scene, result, back := rolledBackAlone(t, "patched_instance", func(scene *wavetest.Scene) {
		_, earlier = ofEarlier(t, scene)
	}, func(scene *wavetest.Scene) {
		scene.Production(func(group *world.ScalingGroup) {
			if err := group.Region.DeregisterImage(earlier.ID); err != nil {
				t.Error(err)
			}
		})
	})
	now, _ := launched(scene)
	require.NotNil(t, now)
	require.Equal(t, renewal(result).Image, now.ID)
	require.Equal(t, patch.RolledBack, back.Outcome, "its instances are: %s", reasons(back))
	require.Len(t, back.Stranded, 1)
	require.Contains(t, back.Stranded[0].State, "the image "+earlier.ID+", from which it launched before, is not there")
	require.Contains(t, renewal(back).Told(), "it could not be put back: ")
	requireClosed(t, scene, back)
}

// A template that cannot be put back keeps no patched instance waiting for ever.
func TestATemplateThatCannotBePutBackHoldsUpNobody(t *testing.T) {
	_, _, back := rolledBackAlone(t, "patched_instance", func(*wavetest.Scene) {}, func(scene *wavetest.Scene) {
		scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
			if call.Operation == "ModifyLaunchTemplate" {
				return awssim.Fault{Kind: awssim.FaultError, Code: "UnauthorizedOperation", Message: "not authorized"}
			}
			return awssim.Fault{}
		})
	})
	require.Equal(t, patch.RolledBack, back.Outcome, reasons(back))
	require.Len(t, back.Stranded, 1)
	require.Contains(t, back.Stranded[0].State, "it launches from ami-")
}

// What cannot be read may use an image: then all are kept, and that is told.
func TestImagesAreKeptWhereNobodyKnowsWhoUsesThem(t *testing.T) {
	var oldest *world.Image
	scene, result, _ := rolledBackAlone(t, "{from: patched_instance, keep: 1}", func(scene *wavetest.Scene) {
		oldest, _ = ofEarlier(t, scene)
		scene.Production(func(group *world.ScalingGroup) {
			_, err := group.Region.CreateLaunchTemplate("other", world.LaunchTemplateVersion{Image: "resolve:ssm:/golden"}, nil)
			require.NoError(t, err)
		})
	}, func(*wavetest.Scene) {})
	require.Zero(t, renewal(result).Expired)
	require.Contains(t, renewal(result).Told(), "older images are kept: the launch template other names resolve:ssm:/golden")
	scene.Production(func(group *world.ScalingGroup) { require.NotNil(t, group.Region.Image(oldest.ID)) })
}

// Who joins while the image is made was launched from the one before, and is patched.
func TestWhoJoinsWhileAnImageIsMadeIsPatched(t *testing.T) {
	options := renewing("patched_instance")
	options.Fleet = wavetest.Sized(1, 2, 3)
	scene := wavetest.New(t, options)
	done := false
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "CreateImage" && !done {
			done = true
			scene.Later(func() {
				scene.Production(func(group *world.ScalingGroup) {
					if err := group.SetDesired(group.Desired + 1); err != nil {
						t.Error(err)
					}
				})
			})
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
	require.Equal(t, 3, wavetest.CountInProduction(result, patch.Patched), "%+v", result)
	requireClosed(t, scene, result)
}

// Where all that were patched are replaced by now their template is put back all the same.
func TestATemplateIsPutBackOfThoseThatAreGone(t *testing.T) {
	var before *world.Image
	scene, result, back := rolledBackAlone(t, "patched_instance", func(scene *wavetest.Scene) {
		before, _ = launched(scene)
	}, func(scene *wavetest.Scene) {
		scene.Production(func(group *world.ScalingGroup) {
			for _, member := range group.Members() {
				member.Instance.Terminate()
			}
		})
	})
	now, _ := launched(scene)
	require.NotNil(t, now)
	require.NotEqual(t, renewal(result).Image, now.ID)
	require.Equal(t, before.ID, now.ID)
	require.Equal(t, patch.RolledBack, back.Outcome, reasons(back))
	require.Contains(t, renewal(back).Told(), "image put back: version ")
}
