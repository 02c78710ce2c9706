package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// What is refused before there is a plan to carry out stands as closed, and says why: nobody waits for it.
func TestWhatIsRefusedWhileItResolvesIsClosed(t *testing.T) {
	for _, c := range []struct {
		name, workflow string
		request        any
		why            string
	}{
		{
			"a plan that is not there", names.PatchWave,
			workflows.WaveRequest{Plan: "wob"},
			`InvalidInput: there is no plan "wob"`,
		},
		{
			"a roll back of a wave that never was", names.RollBackWave,
			workflows.RollBackRequest{WaveID: "wave-x", Actor: "tester", Reason: "the patch is bad"},
			"UnknownWave: ",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Env.ExecuteWorkflow(c.workflow, c.request)
			require.Error(t, scene.Env.GetWorkflowError())
			status, answered := scene.Status()
			require.True(t, answered)
			require.Equal(t, patch.StateClosed, status.State)
			require.Equal(t, patch.Refused, status.Outcome)
			require.Contains(t, status.Reason, c.why)
			require.Empty(t, status.Verbs)
			require.Empty(t, scene.Sim.Calls())
		})
	}
}
