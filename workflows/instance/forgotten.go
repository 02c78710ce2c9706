package instance

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// forgotten is what is known of a run of this very saga of which Temporal knows nothing any more.
type forgotten struct {
	healed    bool // what it left has been put back
	installed bool // it may have installed what was due
}

// takeUp puts back what a run of this very saga left that Temporal has forgotten, as it does where somebody resets the
// workflow, and with an older copy of its database: its mark is on the instance still. To begin again beside that would
// take what it suspended, and where it left the instance, for what others did. It reports whether it healed anything;
// an end: the result tells what came of it, and the saga does not go on.
//
// The saga goes on where nothing was installed or kept yet: its calls find what was done by the same tokens. It goes on
// as well where what was installed may have stayed, as far as the scan that tells.
func (s *saga) takeUp(ctx workflow.Context, level patch.Level, member patch.Member) (bool, *notBegun) {
	if s.left || s.forgotten.healed || member.Mark != s.journal().Journal.Value() {
		return false, nil
	}
	s.forgotten.healed = true
	h := &healed{saga: &saga{in: s.in}, marked: true}
	h.status = patch.InstanceStatus{ID: s.in.Instance, Result: patch.InstanceResult{ID: s.in.Instance}}
	h.heal(ctx)
	result := h.status.Result
	why := "a run of it that Temporal has forgotten, as after a reset, had left its mark on it: " + result.Reason
	s.forgotten.installed = h.record.Installing
	fresh := h.record.Ended || h.record.Installing || h.record.Point == nil
	if result.Outcome == patch.NotStarted && (fresh || level == patch.LevelPutBack) {
		s.note("%s", why)
		return true, nil
	}
	if result.Outcome == patch.NotStarted {
		result.Outcome = patch.Failed
		why += "; `retry` takes it anew"
	}
	result.Reason, result.Notes = why, append(s.status.Result.Notes, result.Notes...)
	s.status.Result, s.restored = result, h.restored
	return true, &notBegun{told: true}
}
