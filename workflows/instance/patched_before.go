package instance

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
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
	case read.Record == nil || !read.Record.LeftPatched(s.in.Policy.Run, s.in.Try, s.member.RootVolumeID):
		return
	}
	if point := read.Record.Point; point != nil && point.SnapshotID != "" {
		result.Backup = point
	}
	s.wasPatched(ctx)
	s.note("this wave patched it at %s, as its journal says: Temporal has forgotten that, as an older copy of its "+
		"database does; what was missing before is not known any more", brief.UTC(read.Record.At))
}

// wasPatched tells it as patched, and what it is now.
func (s *saga) wasPatched(ctx workflow.Context) {
	// What was asked at preflight may be remembered from before the patch.
	var facts patch.MachineFacts
	if err := s.await(ctx, s.in.Policy.Timing.Agent, aws.CollectMachineFacts, s.ask(ctx, "facts-patched"),
		&facts); err != nil {
		s.note("what this wave left on it is not known any more: %s", run.Reason(err))
	}
	s.status.Result.Outcome = patch.PatchedAs(s.patching.waits)
	s.keepAfter(&facts)
}
