package wave_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// A region without CodeDeploy has nobody who deploys, and a worker with wrong names sees nobody either: that is told.
func TestARegionWithoutCodeDeploy(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: func(s *world.Scenario) {
		s.Faults.API = append(s.Faults.API, world.APIFault{Kind: "no_endpoint", Service: "codedeploy"})
	}})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	for _, stage := range result.Stages {
		for _, instance := range stage.Groups[0].Instances {
			require.Contains(t, strings.Join(instance.Notes, "; "), "CodeDeploy has no endpoint in ap-northeast-1")
		}
	}
}

// Backup plans and bills go by the tags of volumes, which EC2 does not carry over to a new root.
func TestARestoredRootKeepsItsTags(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch"})
	scene.Decide = []patch.Verb{patch.RollBack}
	roots := map[string]string{}
	scene.EachRegion(func(r *world.Region) {
		for _, instance := range r.Instances() {
			roots[instance.ID] = instance.RootVolume
			r.Volume(instance.RootVolume).Tags = world.Tags{"backup": "daily", "cost": "web", "aws:of": "theirs"}
		}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	restored := 0
	scene.EachRegion(func(r *world.Region) {
		for _, instance := range r.Instances() {
			if instance.RootVolume != roots[instance.ID] {
				restored++
				require.Equal(t, world.Tags{"backup": "daily", "cost": "web"}, r.Volume(instance.RootVolume).Tags)
			}
		}
	})
	require.Equal(t, 1, restored)
}

// Tags are no reason to keep an instance out of service: where the role may not set them that is said.
func TestARestoreWhoseTagsAreDeniedComesBack(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch"})
	scene.Decide = []patch.Verb{patch.RollBack}
	scene.EachRegion(func(r *world.Region) {
		for _, instance := range r.Instances() {
			r.Volume(instance.RootVolume).Tags = world.Tags{"backup": "daily"}
		}
	})
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "CreateTags" && strings.HasPrefix(call.Resource, "vol-") {
			return awssim.Fault{Kind: awssim.FaultError, Code: "UnauthorizedOperation", Status: 403}
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	first := result.Stages[1].Groups[0].Instances[0]
	require.Equal(t, patch.RolledBack, first.Outcome, "%+v", first)
	require.Contains(t, strings.Join(first.Notes, "; "), "lacks the tags of the one before")
}

// EC2 says of the type of a new root volume only that it is the old one's: where it is slower, that is told.
func TestARestoredRootThatIsSlowerIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		doubts []world.Doubt
		told   bool
	}{
		"as fast as before": {nil, false}, "as fast as a new one": {[]world.Doubt{world.DoubtSpeedNotRestored}, true},
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "bad-patch", Fleet: func(s *world.Scenario) { s.Doubts = tc.doubts },
			})
			scene.Decide = []patch.Verb{patch.RollBack}
			scene.EachRegion(func(r *world.Region) {
				for _, volume := range r.Volumes() {
					volume.IOPS = 4000
				}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
			notes := strings.Join(result.Stages[1].Groups[0].Instances[0].Notes, "; ")
			require.Contains(t, notes, "root volume put back")
			const told = "is another than the one before: gp3, 3000 IOPS, 125 MiB/s instead of gp3, 4000 IOPS, 125 MiB/s"
			require.Equal(t, tc.told, strings.Contains(notes, told), notes)
		})
	}
}
