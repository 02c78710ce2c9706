package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// Nobody is woken to approve nothing; and nothing is patched that nobody was asked about: what becomes due meanwhile is
// asked about then.
func TestNobodyIsAskedToApproveNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		waits  time.Duration // between its preflight and production
		answer patch.Verb
		asked  int
		ends   patch.Outcome
		patch  int // production instances
		image  bool
	}{
		{"nothing is due", 0, patch.Approve, 0, patch.Succeeded, 0, false},
		{"something becomes due, and is approved", 5 * 24 * time.Hour, patch.Approve, 1, patch.Succeeded, 4, false},
		{"something becomes due, and is rejected", 5 * 24 * time.Hour, patch.Reject, 1, patch.Aborted, 0, false},
		{"nothing is due by image", 0, patch.Approve, 0, patch.Succeeded, 0, true},
		{"something becomes due by image, which is made then", 5 * 24 * time.Hour, patch.Approve, 1, patch.Succeeded, 4, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := wavetest.Options{Scenario: "healthy"}
			if c.image {
				options.Fleet, options.Config = wavetest.WithAPI(nil), wavetest.ByImage
			}
			scene := wavetest.New(t, options)
			_, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			before, images := len(scene.Effects("StartAutomationExecution")), len(scene.Effects("CreateImage"))

			scene.Again(scene.Env.Now().Add(time.Hour))
			scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "wave-2", TaskQueue: names.TaskQueue})
			people := scene.Listen("ops")
			scene.Answer = c.answer
			if c.waits > 0 {
				scene.When(func(status patch.WaveStatus) bool { return status.State == patch.StateRunning },
					func(patch.WaveStatus) {
						scene.MustTake(patch.Pause, wavetest.Because("later"))
						scene.Env.RegisterDelayedCallback(func() {
							scene.MustTake(patch.Resume, wavetest.Because("now"))
						}, c.waits)
					})
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.ends, result.Outcome, "%+v", result)
			asked := 0
			for _, notice := range people.Heard["ops"] {
				if notice.Kind == patch.NoticeAwaitingApproval {
					asked++
					require.Regexp(t, "patches became due since the wave began: i-.*: not patched: 1 patches or a reboot became",
						notice.Why)
				}
			}
			require.Equal(t, c.asked, asked)
			require.Equal(t, c.patch, wavetest.CountInProduction(result, patch.Patched))
			if c.image && c.patch > 0 {
				require.Len(t, result.Stages[1].Images, 1)
				images++
			}
			require.Len(t, scene.Effects("CreateImage"), images)
			if c.waits == 0 {
				require.Len(t, scene.Effects("StartAutomationExecution"), before)
				require.Equal(t, 4, wavetest.CountInProduction(result, patch.AlreadyCompliant))
			}
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}
