package reconcile_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// Who keeps a snapshot, or a volume, for another purpose copies its tags with it. Only what a signed record names by
// its id is deleted; the rest is told.
func TestOnlyBackupsThatASignedRecordNamesExpire(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.FailsOnce(nil)})
	scene.Decide = []patch.Verb{patch.Abort}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	restored := result.Stages[1].Groups[0].Instances[0]
	require.Equal(t, patch.RolledBack, restored.Outcome)
	var copied, ours []string
	scene.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Production).Region(wavetest.Tokyo)
		kept := region.Snapshot(restored.Backup.SnapshotID)
		ours = append(ours, kept.ID, kept.Volume)
		snapshot, err := region.CreateSnapshot(kept.Volume, "forensic: do not delete", maps.Clone(kept.Tags))
		require.NoError(t, err)
		copied = append(copied, snapshot.ID)
		replaced := region.Volume(kept.Volume)
		copied = append(copied, region.CreateVolume(replaced.Zone, maps.Clone(replaced.Tags)).ID)
	})
	after := scene.Reconcile(workflows.ReconcileRequest{}, 100*24*time.Hour)
	expired := strings.Join(wavetest.Resources(after.Expired), " ")
	for _, id := range ours {
		require.Contains(t, expired, id)
	}
	for _, id := range copied {
		require.NotContains(t, expired, id)
		require.Contains(t, strings.Join(wavetest.Resources(after.Untrusted), " "), id)
	}
	scene.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Production).Region(wavetest.Tokyo)
		require.NotNil(t, region.Snapshot(copied[0]))
		require.NotNil(t, region.Volume(copied[1]))
		require.NotEmpty(t, region.Snapshot(copied[0]).Tags[names.TagWave])
	})
	require.Contains(t, after.Untrusted[0].State, "no signed record of its wave names it")
}
