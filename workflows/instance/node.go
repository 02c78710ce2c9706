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
// more: its install went on when nobody saw it, or somebody has mended it. It is proven anew, as by its patch: that
// nothing is due says nothing of what the earlier try failed by. Then its mark comes off; where nobody can tell what
// the earlier try had done it stays as it was.
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
		if failed, err := s.proveLeft(ctx); err != nil {
			result.Outcome, result.Reason = patch.Failed, string(failed)+": "+run.Reason(err)
			result.FailedHealth = failedHealth(failed, err)
			s.leftTouched()
			return
		}
		s.wasPatched(ctx)
		s.note("an earlier try had begun its install and had not proven it: nothing is due any more, and it was watched " +
			"for its bake anew")
		if s.health.cut {
			s.note("the bake was cut short by a cancel")
		}
	}
	clean, stop := s.undoing(ctx)
	defer stop()
	if err := s.unmark(clean); err != nil {
		s.strand(patch.StepMark, err)
	}
}

// proveLeft looks at the health of one that an earlier try patched, and watches it for its bake, beside what it was
// before that try.
func (s *saga) proveLeft(ctx workflow.Context) (patch.Step, error) {
	groups := s.before.TargetGroups
	s.before = s.record.Before.State()
	s.before.TargetGroups = groups
	s.enter(ctx, patch.StepHealth)
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if err := s.readClock(s.undoAct(clean)); err != nil {
		return patch.StepHealth, err
	}
	if err := s.awaitHealth(ctx); err != nil {
		return patch.StepHealth, err
	}
	s.enter(ctx, patch.StepBake)
	return patch.StepBake, s.bake(ctx)
}
