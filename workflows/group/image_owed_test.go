package group_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// A wave that has nothing to patch renews the image that an earlier one did not, and is not green as long as it cannot.
func TestAnImageThatAnEarlierWaveOwesIsRenewed(t *testing.T) {
	for _, c := range []struct {
		name    string
		mended  bool
		outcome patch.Outcome
		says    string
	}{
		{"by the next wave", true, patch.Succeeded, "image renewed: "},
		{"it still cannot be", false, patch.SucceededImageStale, "launch a trial: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, renewing("patched_instance"))
			denied := func(call awssim.CallInfo) awssim.Fault {
				if call.Operation == "RunInstances" {
					return awssim.Fault{Kind: awssim.FaultError, Code: "UnauthorizedOperation", Message: "not authorized"}
				}
				return awssim.Fault{}
			}
			scene.Sim.SetInterceptor(denied)
			named(scene)
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.SucceededImageStale, result.Outcome, "%+v", renewal(result))

			if c.mended {
				scene.Sim.SetInterceptor(nil)
			}
			scene.Again(scene.Env.Now().Add(24 * time.Hour))
			named(scene)
			result, err = scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.outcome, result.Outcome, "%+v", renewal(result))
			require.Zero(t, wavetest.CountInProduction(result, patch.Patched))
			require.Contains(t, renewal(result).Told(), c.says)
			require.Equal(t, c.mended, renewal(result).Reaches)

			scene.Again(scene.Env.Now().Add(24 * time.Hour))
			named(scene)
			result, err = scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.outcome, result.Outcome, "%+v", renewal(result))
			require.Equal(t, c.mended, renewal(result) == nil, "what is renewed is renewed once")
			scene.RequireNothingOfOurs(wavetest.Except{})
		})
	}
}

// named has the next wave an id as a schedule gives it, by which later ones find it.
func named(scene *wavetest.Scene) {
	scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{
		ID: names.ScheduledWave("web", scene.Env.Now()), TaskQueue: names.TaskQueue,
	})
}
