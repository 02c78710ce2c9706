package instance

import (
	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// failedHealth reports whether a patched instance is put back because it was not well: not where nobody could look, and
// of the way back into service only where that was waited for in vain.
func failedHealth(failed patch.Step, cause error) bool {
	switch failed {
	case patch.StepReturn:
		return run.IsType(cause, activities.ErrNotReady, activities.ErrNotHealthy)
	case patch.StepHealth, patch.StepBake:
		return !run.IsType(cause, append(activities.Final(), activities.ErrAWS, activities.ErrThrottled, activities.ErrGone,
			activities.ErrGroupNotFound, activities.ErrEvidence, activities.ErrBakeCut)...)
	}
	return false
}

// rejects is the baseline that has to reject first what is blocked; "": nothing is.
func (s *saga) rejects() string {
	if s.patching.blocked == "" {
		return ""
	}
	return s.in.Policy.Baseline
}

// refuseBlocked refuses what would get a patch that is blocked, for its baseline approves it all the same.
func (s *saga) refuseBlocked(scan *patch.Scan) error {
	if refusal := patch.RefuseBlocked(s.in.Instance, scan.Blocked); refusal != nil {
		return refusal
	}
	return nil
}
