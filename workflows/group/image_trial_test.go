package group_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Whoever has a group launch from another version while ours is made keeps it.
func TestANumberThatSomebodyGivesMeanwhileStays(t *testing.T) {
	scene := wavetest.New(t, renewing("patched_instance"))
	follows(scene, "1")
	made := false
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation != "CreateLaunchTemplateVersion" || made {
			return awssim.Fault{}
		}
		made = true
		scene.Later(func() {
			scene.Production(func(group *world.ScalingGroup) { group.TemplateVersion = strconv.Itoa(larger(group.Template)) })
		})
		return awssim.Fault{Kind: awssim.FaultLostReply} // so that a moment goes by
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededImageStale, result.Outcome, "%+v", renewal(result))
	require.Contains(t, result.Reason, "somebody has had it launch from version 3 of its launch template, which stays")
	scene.Production(func(group *world.ScalingGroup) { require.Equal(t, "3", group.TemplateVersion) })
	requireClosed(t, scene, result)
}

// Auto Scaling may know a version later than EC2 has told of it. Nothing else of a mixed group is changed.
func TestAGroupIsGivenItsVersionOnceThatIsFound(t *testing.T) {
	options := renewing("patched_instance")
	options.Fleet = mixed
	scene := wavetest.New(t, options)
	follows(scene, "1")
	asked := 0
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "UpdateAutoScalingGroup" {
			if asked++; asked < 3 {
				return awssim.Fault{Kind: awssim.FaultError, Code: "ValidationError", Message: "The specified version does not exist."}
			}
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s %+v", reasons(result), renewal(result))
	require.Equal(t, 3, asked)
	scene.Production(func(group *world.ScalingGroup) {
		require.Equal(t, "2", group.TemplateVersion)
		require.Equal(t, 1, group.Template.Default)
		require.Equal(t, []world.Override{{Type: "m7i.large"}}, group.Mixed)
	})
}

// What an image boots has to be well: nobody launches from one whose trial does not serve.
func TestAnImageWhoseTrialIsUnhealthyIsNotLaunched(t *testing.T) {
	scene := wavetest.New(t, renewing("patched_instance"))
	before, _ := launched(scene)
	tried := false
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "DescribeInstances" { // its application never comes up
			scene.Later(func() {
				scene.Production(func(group *world.ScalingGroup) {
					for _, instance := range group.Region.Instances() {
						if instance.Tags[names.TagTrial] != "" {
							tried = true
							instance.StopApp()
						}
					}
				})
			})
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, tried)
	require.Equal(t, patch.SucceededImageStale, result.Outcome, "%+v", renewal(result))
	require.Contains(t, renewal(result).Told(), "image not renewed: prove: ")
	require.Contains(t, renewal(result).Told(), "http")
	now, _ := launched(scene)
	require.Equal(t, before.ID, now.ID)
	requireClosed(t, scene, result)
}

// What is blocked while an image is made is in it: nobody launches from that.
func TestAnImageWithABlockedPatchIsNotLaunched(t *testing.T) {
	scene := wavetest.New(t, renewing("patched_instance"))
	before, _ := launched(scene)
	blocked := false
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "CreateImage" && !blocked {
			blocked = true
			scene.Later(func() {
				one, err := patch.ParsePatch("", "openssl.x86_64:1:3.2.2-1.amzn2023.0.7")
				one.Actor, one.Reason, one.Since = "ann", "logins fail", scene.Env.Now()
				if err == nil {
					_, err = scene.Control.BlockPatches(t.Context(), activities.BlockPatchesInput{Patches: []patch.BlockedPatch{one}})
				}
				if err != nil {
					t.Errorf("block: %v", err)
				}
			})
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.True(t, blocked)
	require.Equal(t, patch.SucceededImageStale, result.Outcome, "%+v", renewal(result))
	require.Contains(t, renewal(result).Told(), "prove: it has what is blocked: openssl.x86_64 1:3.2.2-1.amzn2023.0.7")
	now, _ := launched(scene)
	require.Equal(t, before.ID, now.ID)
	requireClosed(t, scene, result)
}
