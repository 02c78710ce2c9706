package journal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
)

// A record tells that its instance was left patched only of this very run of the wave, and of what is there still.
func TestWhatARecordLeftPatched(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*journal.Record)
		want   bool
	}{
		{"as it was left", func(*journal.Record) {}, true},
		{"by a later try", func(r *journal.Record) { r.Try = 3 }, true},
		{"by an earlier try", func(r *journal.Record) { r.Try = 0 }, false},
		{"by an earlier run of a wave of this name", func(r *journal.Record) { r.Policy.Run = "run-0" }, false},
		{"another root volume since", func(r *journal.Record) { r.RootVolume = "vol-0" }, false},
		{"nothing was installed", func(r *journal.Record) { r.Installing = false }, false},
		{"it never ended", func(r *journal.Record) { r.Ended = false }, false},
		{"something is stranded", func(r *journal.Record) { r.Ended, r.Left = false, true }, false},
		{"it was put back", func(r *journal.Record) { r.PutBack = &journal.PutBack{} }, false},
		{"it was quarantined", func(r *journal.Record) { r.Quarantine = &journal.Quarantine{} }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := journal.Record{
				Policy: patch.Policy{Run: "run-1"}, Try: 1, RootVolume: "vol-1", Installing: true, Ended: true,
				Point: &patch.RestorePoint{},
			}
			c.change(&record)
			require.Equal(t, c.want, record.LeftPatched("run-1", 1, "vol-1"))
		})
	}
}
