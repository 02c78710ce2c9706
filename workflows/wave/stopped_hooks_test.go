package wave_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// One that was stopped serves nobody before or after: of its hooks those run at whose points others are out of service,
// and their undos where it is put back; it ends stopped either way.
func TestHooksOfWhoIsStopped(t *testing.T) {
	const hooks = `    hooks:
      before_out: [{name: drain, run: echo drain}]
      before_snapshot: [{name: stop, run: echo stop, undo: {run: echo start}}]
      before_install: [{name: note, run: echo note}]
      after_install: [{name: warm, run: %s}]
      after_in: [{name: smoke, run: echo smoke}]
`
	for _, c := range []struct {
		name, last string
		outcome    patch.Outcome
		ran        []string
	}{
		{"all is well", "echo warm", patch.Patched, []string{"stop", "note", "warm"}},
		{"the last one fails", "exit 1", patch.RolledBack, []string{"stop", "note", "warm", "undo of stop"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.Untargeted(1),
				Config: wavetest.StagingOnly(func(file []byte) []byte {
					said := bytes.Replace([]byte(hooks), []byte("%s"), []byte(c.last), 1)
					return bytes.Replace(wavetest.StartsStopped(file), []byte("    stages:"), append(said, "    stages:"...), 1)
				}),
			})
			var id string
			staged(scene, func(instances []*world.Instance) {
				id = instances[0].ID
				require.NoError(t, instances[0].Stop())
			})
			scene.When(func(s patch.WaveStatus) bool { return s.State == patch.StateOnHold }, func(patch.WaveStatus) {
				scene.MustTake(patch.Skip, wavetest.Because("seen"))
			})
			is := of(t, played(scene), id)
			require.Equal(t, c.outcome, is.Outcome, "%+v", is)
			var ran []string
			for _, hook := range is.Hooks {
				name := hook.Name
				if hook.Undo {
					name = "undo of " + name
				}
				ran = append(ran, name)
			}
			require.Equal(t, c.ran, ran)
			state, _ := stateOf(scene, id)
			require.Equal(t, "stopped", state)
			require.Empty(t, scene.Marks())
		})
	}
}

// A wave that died while a machine was out, to which no target group points: nothing outside shows that its application
// is down, or that it was stopped before, and its hooks are undone all the same.
func TestReconcileUndoesHooksWhereNothingOutsideShowsThem(t *testing.T) {
	const hooks = "    hooks:\n      before_snapshot: [{name: stop, run: echo stop, undo: {run: echo start}}]\n"
	for name, at := range map[string]string{"it ran": "CreateSnapshot", "it was stopped": "StartAutomationExecution"} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.Untargeted(1),
				Config: wavetest.StagingOnly(func(file []byte) []byte {
					return bytes.Replace(wavetest.StartsStopped(file), []byte("    stages:"), []byte(hooks+"    stages:"), 1)
				}),
			})
			staged(scene, func(instances []*world.Instance) {
				if name == "it was stopped" {
					require.NoError(t, instances[0].Stop())
				}
			})
			scene.DieAt(wavetest.Staging, at, 1)
			result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, result.Failed)
			undone := 0
			for _, sent := range scene.Effects("SendCommand") {
				if bytes.Contains(sent.Arguments, []byte("echo start")) {
					undone++
				}
			}
			require.Equal(t, 1, undone)
			require.Empty(t, scene.Marks())
		})
	}
}
