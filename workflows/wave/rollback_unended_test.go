package wave_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/internal/worker"
	"github.com/patchtide/patchtide/workflows"
)

// Whoever terminates a wave with its groups, or loses Temporal's database, leaves machines patched of which no document
// tells. The journal does: by it they are put back.
func TestAWaveThatNeverToldWhatItDidIsRolledBackFromItsJournal(t *testing.T) {
	for _, c := range []struct {
		name  string
		wrote bool
	}{
		{"it had written nothing", false},
		{"it had written what was decided, and no result", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			store, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: evidence.GenerateKey()})
			require.NoError(t, err)
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
			scene.Control.Evidence = worker.Journal(store)
			var result, again *patch.WaveResult
			scene.Play(func(story wavetest.Story) {
				require.Equal(t, patch.Succeeded, story.Wave("wave-1").Outcome)
				var document activities.WaveDocument
				require.NoError(t, store.GetWave(t.Context(), "wave-1", &document))
				require.NoError(t, os.RemoveAll(filepath.Join(folder, "waves", "wave-1", "history")))
				if c.wrote {
					document.Status.State, document.Result.Stages = patch.StateRunning, nil
					require.NoError(t, store.PutWave(t.Context(), "wave-1", document))
				}
				if result, err = story.RollBack("wave-1", false); err != nil {
					return
				}
				again, err = story.RollBack("wave-1", false)
			})
			require.NoError(t, err)
			require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, "wave wave-1 did not end by itself")
			require.Equal(t, []string{"staging", "production"}, []string{result.Stages[0].Name, result.Stages[1].Name})
			require.Contains(t, again.Reason, "nothing was left to put back")
			for _, stage := range again.Stages {
				require.Equal(t, patch.NothingPutBack, stage.Outcome, stage.Name)
				for _, group := range stage.Groups {
					require.Equal(t, patch.NothingPutBack, group.Outcome, group.Name)
					require.True(t, group.Instances[0].AsBefore, "%+v", group.Instances[0])
				}
			}
			require.Equal(t, 6, restored(scene), "each once")
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}

// What was under way when everything was terminated is not known to be put back: a roll back says so and is no success.
// Once it has been reconciled, what stays patched in service is in the journal, and a roll back puts it back.
func TestWhatWasUnderWayIsRolledBackOnceItIsReconciled(t *testing.T) {
	for _, c := range []struct {
		name, operation string
		unsettled       int // instances
	}{
		{"it had returned, and was not proven", "ExitStandby", 1},
		{"its mark was being taken off", "DeleteTags", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
			scene.DieAt(wavetest.Production, c.operation, 1)
			scene.Again(scene.Env.Now().Add(time.Hour))
			var first, second *patch.WaveResult
			var err error
			scene.Play(func(story wavetest.Story) { first, err = story.RollBack("wave-test", true) })
			require.NoError(t, err)
			if c.unsettled > 0 {
				require.Equal(t, patch.Failed, first.Outcome, "%+v", first)
				require.Regexp(t, "what was under way then is not put back yet: .*/i-[0-9a-f]+: run `patchtide reconcile`",
					first.Reason)
				require.Len(t, patchedNow(scene), c.unsettled)
			}
			scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			scene.Again(scene.Env.Now().Add(time.Hour))
			scene.Play(func(story wavetest.Story) { second, err = story.RollBack("wave-test", true) })
			require.NoError(t, err)
			if c.unsettled > 0 {
				require.Equal(t, patch.RolledBack, second.Outcome, "%+v", second)
			}
			require.Empty(t, patchedNow(scene))
			require.Equal(t, 3, restored(scene), "each once")
		})
	}
}

// A record that somebody has altered tells of a machine that may be patched: to leave it out in silence would be a lie.
func TestARollBackNamesRecordsThatCannotBeBelieved(t *testing.T) {
	folder := t.TempDir()
	store, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	scene.Control.Evidence = worker.Journal(store)
	var result *patch.WaveResult
	scene.Play(func(story wavetest.Story) {
		if story.Wave("wave-1").Outcome != patch.Succeeded {
			return
		}
		left := filepath.Join(folder, "waves", "wave-1")
		records, _ := filepath.Glob(filepath.Join(left, "journal", "*-i-*.3.json"))
		if err = errors.Join(os.RemoveAll(filepath.Join(left, "history")),
			replaceIn(records[0], `"Ended": true`, `"Ended": false`)); err == nil {
			result, err = story.RollBack("wave-1", false)
		}
	})
	require.NoError(t, err)
	require.Equal(t, patch.Failed, result.Outcome)
	require.Regexp(t, "records of its journal cannot be believed, and what they tell of is not put back: .*was altered",
		result.Reason)
	require.Equal(t, 5, restored(scene))
}
