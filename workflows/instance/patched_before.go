package instance

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// rememberPatched tells one of which nothing is due as patched where it is this very wave that patched it: Temporal has
// an older copy of its database then, and only the journal knows. Else the wave would tell its own work as somebody
// else's, and could not take it back.
func (s *saga) rememberPatched(ctx workflow.Context) {
	result := &s.status.Result
	read, err := s.readRecord(ctx)
	switch {
	case err != nil:
		s.note("nobody knows whether this wave had patched it already: %s", run.Reason(err))
		return
	case read.Record == nil || !read.Record.LeftPatched(s.in.Try, s.member.RootVolumeID):
		return
	}
	result.Outcome = patch.PatchedAs(s.patching.waits)
	if read.Record.Point.SnapshotID != "" {
		result.Backup = read.Record.Point
	}
	result.BootID, result.PackagesAfter = s.patching.first.BootID, s.patching.first.PackagesSHA256
	result.ApplicationAfter = s.patching.first.ApplicationSHA256
	s.note("this wave patched it at %s, as its journal says: Temporal has forgotten that, as an older copy of its "+
		"database does; what was missing before is not known any more", run.Moment(read.Record.At))
}
