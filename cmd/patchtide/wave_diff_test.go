package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// changed writes the evidence of waves as they leave it, and returns the file whose configuration names it.
func changed(t *testing.T, waves map[string][]patch.InstanceDetails, ended map[string][]patch.InstanceResult) string {
	t.Helper()
	where := filepath.Join(t.TempDir(), "evidence")
	t.Setenv("PATCHTIDE_EVIDENCE", where)
	store, err := evidence.Open(t.Context(), where, evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	for wave, machines := range waves {
		for _, details := range machines {
			_, err := store.PutInstance(t.Context(), wave, details.Instance, details)
			require.NoError(t, err)
		}
	}
	for wave, instances := range ended {
		require.NoError(t, store.PutWave(t.Context(), wave, activities.WaveDocument{
			Version: 1, Status: patch.WaveStatus{State: patch.StateClosed}, Result: patch.WaveResult{Stages: []patch.StageResult{
				{Groups: []patch.GroupResult{{Instances: instances}}},
			}},
		}))
	}
	require.NoError(t, store.Close())
	return file(t)
}

func updated(id, version string) patch.InstanceDetails {
	return patch.InstanceDetails{
		Instance: id, Outcome: patch.Patched, Before: &patch.MachineFacts{PackagesSHA256: "before"},
		After:   &patch.MachineFacts{OS: "amzn", Release: "2023.6", PackagesSHA256: version},
		Changes: []patch.PackageChange{{Name: "curl.x86_64", From: "0:8.5.0-1", To: version}, {Name: "new.noarch", To: "0:1-1"}},
	}
}

// Who asks what a wave changed means what is so now: one that was put back hours later is named, not counted.
func TestWaveDiff(t *testing.T) {
	const one, other = "wave-web-20261101-020000", "wave-web-20261108-020000"
	path := changed(t, map[string][]patch.InstanceDetails{
		one:   {updated("i-01", "0:8.5.0-2"), updated("i-02", "0:8.5.0-2"), updated("i-03", "0:8.5.0-2"), updated("i-04", "0:8.5.0-2")},
		other: {updated("i-01", "0:8.5.0-3")}, // it still runs, and has no document of its own
	}, map[string][]patch.InstanceResult{
		one: {
			{ID: "i-01", Outcome: patch.Patched},
			{ID: "i-02", Outcome: patch.Quarantined},
			{ID: "i-03", Outcome: patch.Patched},
			{ID: "i-04", Outcome: patch.Patched},
		},
		names.RollBack(one): {
			{ID: "i-01", Outcome: patch.Failed, StillPatched: true}, {ID: "i-03", Outcome: patch.RolledBack}, {ID: "i-04", Outcome: patch.NotStarted},
		},
	})
	t.Run("of one wave", func(t *testing.T) {
		code, stdout, stderr := call(t, "wave", "diff", one, "--config", path)
		require.Equal(t, exitDone, code, stderr)
		require.Equal(t, `amzn 2023, 2 machines:
+-------------+-----------+-----------+-----+
| Package     | From      | To        | On  |
+-------------+-----------+-----------+-----+
| curl.x86_64 | 0:8.5.0-1 | 0:8.5.0-2 | all |
| new.noarch  | none      | 0:1-1     | all |
+-------------+-----------+-----------+-----+
Not counted: i-02: quarantined
Not counted: i-03: rolled back
`, stdout)
	})
	t.Run("of two", func(t *testing.T) {
		code, stdout, stderr := call(t, "wave", "diff", one, other, "--config", path)
		require.Equal(t, exitDone, code, stderr)
		require.Equal(t, `amzn 2023, 2 machines in `+one+` and 1 in `+other+`; the same in both: 1 package
+-------------+-----------------------------+-----------------------------+
| Package     | In `+one+` | In `+other+` |
+-------------+-----------------------------+-----------------------------+
| curl.x86_64 | 0:8.5.0-2                   | 0:8.5.0-3                   |
+-------------+-----------------------------+-----------------------------+
Of `+one+`:
Not counted: i-02: quarantined
Not counted: i-03: rolled back
Of `+other+`:
`+other+` has no document of its own: it counts what its instances told as they ended
`, stdout)
	})
	t.Run("of Windows", func(t *testing.T) {
		got := func(id string, updates ...string) patch.InstanceDetails {
			machine := patch.InstanceDetails{
				Instance: id, Outcome: patch.Patched, Before: &patch.MachineFacts{PackagesSHA256: "before"},
				After: &patch.MachineFacts{OS: "windows", Release: "Windows Server 2022", PackagesSHA256: "after"},
			}
			for _, update := range updates {
				machine.Changes = append(machine.Changes, patch.PackageChange{Name: update, To: "installed"})
			}
			return machine
		}
		path := changed(t, map[string][]patch.InstanceDetails{
			one: {got("i-01", "KB5041111", "KB5043333"), got("i-02", "KB5041111")},
		}, map[string][]patch.InstanceResult{
			one: {{ID: "i-01", Outcome: patch.Patched}, {ID: "i-02", Outcome: patch.Patched}},
		})
		code, stdout, stderr := call(t, "wave", "diff", one, "--config", path)
		require.Equal(t, exitDone, code, stderr)
		require.Equal(t, `Windows Server 2022, 2 machines:
+-----------+------+-----------+------+
| Package   | From | To        | On   |
+-----------+------+-----------+------+
| KB5041111 | none | installed | all  |
| KB5043333 | none | installed | i-01 |
+-----------+------+-----------+------+
`, stdout)
	})
	t.Run("of one whose roll back is not known", func(t *testing.T) {
		path := changed(t, map[string][]patch.InstanceDetails{
			one: {updated("i-01", "0:8.5.0-2"), updated("i-02", "0:8.5.0-2")},
		}, map[string][]patch.InstanceResult{
			one: {
				{ID: "i-01", Outcome: patch.Failed, StillPatched: true},
				{ID: "i-02", Outcome: patch.Patched},
				{ID: "i-03", Outcome: patch.Patched},
			},
			names.RollBack(one): {}, // refused, after one that was not
		})
		_, stdout, _ := call(t, "wave", "diff", one, "--config", path)
		require.Contains(t, stdout, "amzn 2023, 2 machines:", "one that could not be put back is still patched")
		require.Contains(t, stdout, "Not known: i-03: patched, and the evidence has no document of it")
		require.Contains(t, stdout, "What "+names.RollBack(one)+" put back is not known: `patchtide wave logs ")
	})
	t.Run("of one that a roll back found put back", func(t *testing.T) {
		path := changed(t, map[string][]patch.InstanceDetails{one: {updated("i-01", "0:8.5.0-2")}},
			map[string][]patch.InstanceResult{one: {{ID: "i-01", Outcome: patch.RolledBack}}})
		store, err := evidence.Open(t.Context(), os.Getenv("PATCHTIDE_EVIDENCE"), evidence.Options{Signer: evidence.GenerateKey()})
		require.NoError(t, err)
		require.NoError(t, store.PutWave(t.Context(), names.RollBack(one), activities.WaveDocument{
			Version: 1, Status: patch.WaveStatus{State: patch.StateClosed, Outcome: patch.NothingPutBack},
		}))
		require.NoError(t, store.Close())
		_, stdout, _ := call(t, "wave", "diff", one, "--config", path)
		require.NotContains(t, stdout, "not known")
	})
	t.Run("as documents", func(t *testing.T) {
		_, stdout, stderr := call(t, "wave", "diff", one, "--json", "--config", path)
		var changes manifest.Changes
		require.NoError(t, json.Unmarshal([]byte(stdout), &changes), stderr)
		require.Equal(t, []string{"i-01", "i-04"}, changes.Systems[0].Packages[0].Instances)
		_, stdout, stderr = call(t, "wave", "diff", one, other, "--json", "--config", path)
		var difference manifest.Difference
		require.NoError(t, json.Unmarshal([]byte(stdout), &difference), stderr)
		require.Equal(t, [2][]string{{"0:8.5.0-2"}, {"0:8.5.0-3"}}, difference.Systems[0].Packages[0].Versions)
	})
	t.Run("of a wave that there is not", func(t *testing.T) {
		code, _, stderr := call(t, "wave", "diff", one, "wave-web-20261109-020000", "--config", path)
		require.Equal(t, exitFailed, code)
		require.Contains(t, stderr, "has no evidence of a wave wave-web-20261109-020000: `patchtide wave list`")
	})
	t.Run("of a name that is none", func(t *testing.T) {
		code, _, stderr := call(t, "wave", "diff", "../x", "--config", path)
		require.Equal(t, exitFailed, code, stderr)
	})
}
