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
		{"its saga did not say so: nothing was installed, or it was put back or quarantined", func(r *journal.Record) {
			r.Patched = nil
		}, false},
		{"it never ended", func(r *journal.Record) { r.Ended = false }, false},
		{"something is stranded", func(r *journal.Record) { r.Ended, r.Left = false, true }, false},
		{"it was to be put back, and was not", func(r *journal.Record) { r.PutBack = &journal.PutBack{} }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := journal.Record{
				Policy: patch.Policy{Run: "run-1"}, Try: 1, RootVolume: "vol-1", Installing: true, Ended: true,
				Patched: &patch.InstanceResult{},
			}
			c.change(&record)
			require.Equal(t, c.want, record.LeftPatched("run-1", 1, "vol-1"))
		})
	}
}
