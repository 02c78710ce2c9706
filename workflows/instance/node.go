package instance

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// nothingPutsBack is why a managed node that an install has touched must not serve: Patchtide has no copy of its disk.
const nothingPutsBack = "an install has touched it, and nothing can put a managed node back"

// stays reports whether it is a managed node that is registered in no target group: nothing takes it out of service,
// so that it serves whatever is done to it.
func (s *saga) stays() bool { return s.in.Group.IsNodes() && len(s.own()) == 0 }

// leftTouched tells of a node that serves with what an install has left on it, and by what it may be mended. Whoever
// heals it finds just that, and has nothing else to do.
func (s *saga) leftTouched() {
	s.status.Result.StillPatched = true
	if s.heals {
		s.note("it serves with what the install left on it: nothing can put a managed node back")
		return
	}
	s.status.Result.Stranded = append(s.status.Result.Stranded, patch.StrandedNode(s.in.Group, s.in.Instance,
		"it serves with what the install left on it, and no target group could take it out of service",
		fmt.Sprintf("mend it by hand: aws ssm start-session --region %s --target %s, which needs the advanced-instances "+
			"tier, or your own way in; then `retry` while the wave waits, or patch it in the next one", s.in.Group.Region,
			s.in.Instance)))
}

// endLeft ends what an earlier try left of a node that serves whatever is done to it, and of which nothing is due any
// more: its install went on when nobody saw it, or somebody has mended it. Nothing else is left of it, so that its mark
// comes off; where nobody can tell what the earlier try had done it stays as it was.
func (s *saga) endLeft(ctx workflow.Context) {
	if !s.left || !s.stays() {
		return
	}
	result := &s.status.Result
	read, err := s.readRecord(ctx)
	switch {
	case err != nil:
		result.Outcome, result.Reason = patch.Failed, "nothing is due, and its record cannot be read: "+run.Reason(err)
		return
	case read.Record == nil:
		result.Outcome, result.Reason = patch.Failed, "nothing is due, and its record is not believed: "+read.Untrusted
		return
	}
	if s.record = *read.Record; s.record.Installing {
		s.wasPatched(ctx)
		s.note("an earlier try had begun its install, which was not seen to its end: nothing is due, and its checks are " +
			"well; no bake watched it")
	}
	clean, stop := s.undoing(ctx)
	defer stop()
	if err := s.unmark(clean); err != nil {
		s.strand(patch.StepMark, err)
	}
}
