package activities_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

var blockedSince = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

func blockOf(name string) patch.BlockedPatch {
	return patch.BlockedPatch{
		Platform: patch.Linux, Name: name + ".x86_64", Version: "0:1-1", Actor: "ann", Reason: "it breaks", Since: blockedSince,
	}
}

// losing loses the answer of each first write: it has taken effect.
type losing struct {
	activities.Evidence
	mu   sync.Mutex
	lost bool
}

func (l *losing) PutVersion(ctx context.Context, id string, read int, document any) error {
	err := l.Evidence.PutVersion(ctx, id, read, document)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && !l.lost {
		l.lost = true
		return errors.New("connection reset")
	}
	return err
}

func TestADecisionRecordedTwiceBlocksOnce(t *testing.T) {
	store, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	control := &activities.Control{Evidence: &losing{Evidence: worker.Journal(store)}}
	in := activities.BlockPatchesInput{Patches: []patch.BlockedPatch{blockOf("curl")}}
	_, err = control.BlockPatches(t.Context(), in)
	require.ErrorContains(t, err, "connection reset")
	done, err := control.BlockPatches(t.Context(), in) // as Temporal does
	require.NoError(t, err)
	require.Equal(t, patch.Blocks{blockOf("curl")}, done.Blocked)
	require.Len(t, done.Fresh, 1, "whoever blocked it is told so all the same")
	var kept patch.KeptBlocks
	version, err := store.ProvenVersion(t.Context(), names.BlockedPatches, &kept)
	require.NoError(t, err)
	require.Equal(t, 1, version, "nothing was written again")

	cleared, err := control.ClearPatches(t.Context(), activities.ClearPatchesInput{
		Patches: in.Patches, Actor: "bob", Reason: "it was the deployment", At: blockedSince,
	})
	require.NoError(t, err)
	require.Len(t, cleared.Cleared, 1)
	cleared, err = control.ClearPatches(t.Context(), activities.ClearPatchesInput{Patches: in.Patches})
	require.NoError(t, err)
	require.Empty(t, cleared.Cleared)
}

// overtaken has somebody else write between a reading and its writing.
type overtaken struct {
	activities.Evidence
	other func()
}

func (o *overtaken) PutVersion(ctx context.Context, id string, read int, document any) error {
	if other := o.other; other != nil {
		o.other = nil
		other()
	}
	return o.Evidence.PutVersion(ctx, id, read, document)
}

// Two who block at once are both heard, and so are one who blocks and one who clears.
func TestTwoWhoBlockAtOnce(t *testing.T) {
	store, err := evidence.Open(t.Context(), t.TempDir(), evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	block := func(control *activities.Control, name string) {
		_, err := control.BlockPatches(t.Context(), activities.BlockPatchesInput{
			Patches: []patch.BlockedPatch{blockOf(name)},
		})
		require.NoError(t, err)
	}
	other := &activities.Control{Evidence: worker.Journal(store)}
	between := &overtaken{Evidence: worker.Journal(store), other: func() { block(other, "vim") }}
	control := &activities.Control{Evidence: between}
	block(control, "curl")
	blocks := activities.NewBlocks(worker.Journal(store))
	blocked, err := blocks.Blocked(t.Context())
	require.NoError(t, err)
	require.Equal(t, patch.Blocks{blockOf("vim"), blockOf("curl")}, blocked)

	between.other = func() { block(other, "glibc") }
	cleared, err := control.ClearPatches(t.Context(), activities.ClearPatchesInput{
		Patches: []patch.BlockedPatch{blockOf("vim")}, Actor: "bob", Reason: "it is good", At: blockedSince,
	})
	require.NoError(t, err)
	require.Equal(t, patch.Blocks{blockOf("vim")}, cleared.Cleared)
	require.Equal(t, patch.Blocks{blockOf("curl"), blockOf("glibc")}, cleared.Blocked)
}

// What somebody else wrote there is not believed, and nobody knows then what is blocked.
func TestBlocksThatCannotBeBelieved(t *testing.T) {
	folder := t.TempDir()
	store, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	blocks := activities.NewBlocks(worker.Journal(store))
	blocked, err := blocks.Blocked(t.Context())
	require.NoError(t, err)
	require.Empty(t, blocked, "nothing was ever blocked")
	control := &activities.Control{Evidence: worker.Journal(store)}
	_, err = control.BlockPatches(t.Context(), activities.BlockPatchesInput{
		Patches: []patch.BlockedPatch{blockOf("curl")},
	})
	require.NoError(t, err)
	written, err := filepath.Glob(filepath.Join(folder, "waves", names.BlockedPatches, "history", "*.json"))
	require.NoError(t, err)
	require.Len(t, written, 1)
	require.NoError(t, os.WriteFile(written[0], []byte(`{"blocked": []}`), 0o600))
	_, err = blocks.Blocked(t.Context())
	require.ErrorContains(t, err, "do not act on it")
}

func TestWhoHasGotABlockedPatchIsTold(t *testing.T) {
	store, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	for id, outcome := range map[string]patch.Outcome{"i-1": patch.Patched, "i-2": patch.RolledBack} {
		_, err := store.PutInstance(t.Context(), "wave-web-1", id, patch.InstanceDetails{
			WaveID: "wave-web-1", Group: "production/r/web", Instance: id, Outcome: outcome,
			Changes: []patch.PackageChange{{Name: "curl.x86_64", From: "0:0-1", To: "0:1-1"}},
		})
		require.NoError(t, err)
	}
	plan := patch.Plan{Name: "web", Backup: patch.BackupSnapshot, Restore: patch.RestoreRootVolume}
	put := func() {
		require.NoError(t, store.PutWave(t.Context(), "wave-web-1", activities.WaveDocument{Version: 1, Plan: plan}))
	}
	put()
	control := &activities.Control{Evidence: worker.Journal(store)}
	found, err := control.FindBlocked(t.Context(), activities.FindBlockedInput{
		Patches: []patch.BlockedPatch{blockOf("curl")},
	})
	require.NoError(t, err)
	require.Len(t, found.Instances, 1)
	require.Contains(t, found.Instances[0], "i-1 of production/r/web got curl.x86_64 by wave-web-1")
	require.Contains(t, found.Instances[0], "`patchtide wave roll-back wave-web-1 --reason \"...\"` does")
	plan.Restore = patch.RestoreNone // a roll back of that is no advice
	put()
	found, err = control.FindBlocked(t.Context(), activities.FindBlockedInput{
		Patches: []patch.BlockedPatch{blockOf("curl")},
	})
	require.NoError(t, err)
	require.Contains(t, found.Instances[0], "a roll back of that wave would not, either: the plan puts no root volume back")
	found, err = control.FindBlocked(t.Context(), activities.FindBlockedInput{
		Patches: []patch.BlockedPatch{blockOf("vim")},
	})
	require.NoError(t, err)
	require.Empty(t, found.Instances)
}

// Who was put back since, by the wave or by its roll back, or has got another version by a newer wave, runs it no more.
func TestWhoWasPutBackSinceRunsNoBlockedPatch(t *testing.T) {
	store, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	got := func(wave, id, version string) {
		_, err := store.PutInstance(t.Context(), wave, id, patch.InstanceDetails{
			WaveID: wave, Group: "production/r/web", Instance: id, Outcome: patch.Patched,
			Changes: []patch.PackageChange{{Name: "curl.x86_64", From: "0:0-1", To: version}},
		})
		require.NoError(t, err)
	}
	ended := func(wave string, instances ...patch.InstanceResult) {
		require.NoError(t, store.PutWave(t.Context(), wave, activities.WaveDocument{
			Version: 1, Status: patch.WaveStatus{State: patch.StateClosed},
			Result: patch.WaveResult{Stages: []patch.StageResult{{Groups: []patch.GroupResult{{Instances: instances}}}}},
		}))
	}
	const wave, later = "wave-web-20261101-020000", "wave-web-20261108-020000"
	for _, id := range []string{"i-1", "i-2", "i-3", "i-4"} {
		got(wave, id, "0:1-1")
	}
	ended(wave, patch.InstanceResult{ID: "i-1", Outcome: patch.RolledBack},
		patch.InstanceResult{ID: "i-2", Outcome: patch.Patched},
		patch.InstanceResult{ID: "i-3", Outcome: patch.Patched}, patch.InstanceResult{ID: "i-4", Outcome: patch.Patched})
	ended(names.RollBack(wave), patch.InstanceResult{ID: "i-2", Outcome: patch.RolledBack})
	got(later, "i-3", "0:1-2")
	ended(later, patch.InstanceResult{ID: "i-3", Outcome: patch.Patched})
	control := &activities.Control{Evidence: worker.Journal(store)}
	found, err := control.FindBlocked(t.Context(), activities.FindBlockedInput{
		Patches: []patch.BlockedPatch{blockOf("curl")},
	})
	require.NoError(t, err)
	require.Len(t, found.Instances, 1)
	require.Contains(t, found.Instances[0], "i-4 of production/r/web got curl.x86_64 by "+wave)
}

// Of a wave that has closed its evidence tells who failed with what is blamed; who was patched well did not.
func TestABlameOfAClosedWaveNamesWhoFailed(t *testing.T) {
	for name, c := range map[string]struct {
		outcome patch.Outcome
		failed  []string
	}{
		"one failed":  {patch.RolledBack, []string{"i-2 of wave-web-1"}},
		"none failed": {patch.Patched, nil},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
			require.NoError(t, err)
			for id, outcome := range map[string]patch.Outcome{"i-1": patch.Patched, "i-2": c.outcome} {
				_, err := store.PutInstance(t.Context(), "wave-web-1", id, patch.InstanceDetails{
					WaveID: "wave-web-1", Group: "production/r/web", Instance: id, Outcome: outcome,
					After:   &patch.MachineFacts{OS: "amzn"},
					Changes: []patch.PackageChange{{Name: "curl.x86_64", From: "0:0-1", To: "0:1-1"}},
				})
				require.NoError(t, err)
			}
			control := &activities.Control{Evidence: worker.Journal(store)}
			done, err := control.BlamePatches(t.Context(), activities.BlamePatchesInput{
				WaveID: "wave-web-1", Names: []string{"curl"}, Actor: "ann", Reason: "logins", At: blockedSince,
			})
			require.NoError(t, err)
			require.Len(t, done.Fresh, 1)
			require.Equal(t, c.failed, done.Fresh[0].Failed)
		})
	}
}

// growing is what is blocked while more and more is.
type growing struct {
	mu    sync.Mutex
	reads int
	all   patch.Blocks
}

func (g *growing) Blocked(context.Context) (patch.Blocks, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reads++
	return g.all[:min(g.reads, len(g.all))], nil
}

// Whoever has read less than another, and writes after him, puts that right himself.
func TestABaselineRejectsWhatWasBlockedMeanwhile(t *testing.T) {
	f := newFleet(t)
	blocks := &growing{all: patch.Blocks{blockOf("curl"), blockOf("vim")}}
	f.aws.Blocks = blocks
	in := activities.EnsureBaselineInput{Group: staging, Baseline: "amazon-linux-2023", At: blockedSince}
	made := must[activities.RegisteredBaseline](f, f.aws.EnsureBaseline, in)
	f.Inspect(func(w *world.World) {
		one, err := w.Account(staging.Account.ID).Region(tokyo).Baseline(made.BaselineID)
		require.NoError(t, err)
		require.Equal(t, []string{"curl.x86_64:0:1-1", "vim.x86_64:0:1-1"}, one.Rejected)
	})
	require.Empty(t, made.Differed)
}
