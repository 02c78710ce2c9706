package group_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// An image that is named is tried, and never marked or deleted.
func TestAnImageIsNamedByAParameter(t *testing.T) {
	scene := wavetest.New(t, renewing("{from: parameter, parameter: /golden/web}"))
	var golden *world.Image
	scene.Production(func(group *world.ScalingGroup) {
		for _, image := range group.Region.Images() {
			if golden == nil {
				golden = image
			}
		}
		_, err := group.Region.PutParameter("/golden/web", "String", golden.ID, false, nil)
		require.NoError(t, err)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededImageStale, result.Outcome, "%+v", renewal(result))
	require.Contains(t, result.Reason, "it lacks what those patched have: ", "it is as old as the group's was")
	require.Empty(t, golden.Tags)
	requireClosed(t, scene, result)
}

// A pipeline names an image that has the patches: it is tried like any other, and the group launches from it. Nothing
// of it is marked, for it is not ours.
func TestAnImageThatAParameterNamesIsLaunched(t *testing.T) {
	for _, follows := range []string{"$Default", "1"} {
		t.Run(follows, func(t *testing.T) {
			scene := wavetest.New(t, renewing("{from: parameter, parameter: /golden/web}"))
			scene.Production(func(group *world.ScalingGroup) { group.TemplateVersion = follows })
			out := 0
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation != "EnterStandby" {
					return awssim.Fault{}
				}
				if out++; out == 2 { // the first is patched, and the pipeline is done by now
					scene.Later(func() { scene.Production(func(group *world.ScalingGroup) { makeGolden(t, group) }) })
				}
				return awssim.Fault{}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, 2, out)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", renewal(result))
			require.True(t, renewal(result).Reaches, renewal(result).Told())
			require.Contains(t, renewal(result).Told(), "which the parameter /golden/web names")
			now, _ := launched(scene)
			require.Equal(t, "golden", now.Name)
			require.Empty(t, now.Tags)
			requireClosed(t, scene, result)
		})
	}
}

// makeGolden has the parameter name an image of an instance that is patched.
func makeGolden(t *testing.T, group *world.ScalingGroup) {
	t.Helper()
	for _, member := range group.Members() {
		if member.Instance.Disk().Version("openssl.x86_64") != "1:3.2.2-1.amzn2023.0.7" {
			continue
		}
		golden, err := group.Region.CreateImage(member.Instance.ID, "golden", "", true, nil)
		if err == nil {
			_, err = group.Region.PutParameter("/golden/web", "String", golden.ID, true, nil)
		}
		if err != nil {
			t.Errorf("make the golden image: %v", err)
		}
		return
	}
	t.Error("nobody is patched yet")
}
