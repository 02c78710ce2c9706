package instance

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// forgotten is what is known of a run of this very saga of which Temporal knows nothing any more.
type forgotten struct {
	healed bool // what it left has been put back
	toScan bool // the saga goes no further than to its scan
}

// takeUp puts back what a run of this very saga left that Temporal has forgotten: its mark is on the instance still. To
// begin again beside that would take what it suspended, and where it left the instance, for what others did. It reports
// whether it healed anything; an end: the saga does not go on.
func (s *saga) takeUp(ctx workflow.Context, level patch.Level, member patch.Member) (bool, *notBegun) {
	if s.left || s.forgotten.healed || member.Mark != s.journal().Journal.Value() {
		return false, nil
	}
	s.forgotten.healed = true
	h := &healed{saga: &saga{in: s.in, heals: true}, marked: true}
	h.status = patch.InstanceStatus{ID: s.in.Instance, Result: patch.InstanceResult{ID: s.in.Instance}}
	h.heal(ctx)
	result := h.status.Result
	why := "a run of it that Temporal has forgotten, as after a reset, had left its mark on it: " + result.Reason
	resumes := patch.Forgotten{
		Healed: result.Outcome, Installing: h.record.Installing, Kept: h.record.Point != nil,
	}.Resumes(level)
	switch resumes {
	case patch.Onwards, patch.ToScan:
		s.forgotten.toScan = resumes == patch.ToScan
		s.note("%s", why)
		return true, nil
	case patch.AskRetry:
		result.Outcome = patch.Failed
		why += "; `retry` takes it anew"
	}
	result.Reason, result.Notes = why, append(s.status.Result.Notes, result.Notes...)
	s.status.Result, s.restored = result, h.restored
	return true, &notBegun{told: true}
}
