package instance

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// judge scans the instance and reports whether it is to go out; else its result is told.
func (s *saga) judge(ctx workflow.Context) (goes bool) {
	result := &s.status.Result
	s.enter(ctx, patch.StepScan)
	scan, err := s.scanNow(ctx, "scan-before")
	switch {
	case ctx.Err() != nil:
		result.Outcome, result.Reason = patch.NotStarted, "cancelled before anything was changed"
		return false
	case err != nil:
		result.Outcome, result.Reason = patch.Failed, "scan: "+run.Reason(err)
		return false
	case scan.Error != "":
		result.Outcome, result.Reason = patch.Failed, "scan: "+scan.Error
		return false
	}
	s.judgedBy(scan)
	s.patching.scan, result.MissingBefore = *scan, scan.MissingNumber()
	if err := s.learnDue(ctx, scan); err != nil {
		return s.notBound(ctx, err)
	}
	if !s.patching.due {
		result.Outcome = patch.AlreadyCompliant
		for _, told := range []string{s.patching.first.ToldLive(), scan.ToldListed(&s.patching.first)} {
			if told != "" {
				s.note("%s", told)
			}
		}
		if s.patching.waits = scan.Waits(&s.patching.first); len(s.patching.waits) > 0 {
			result.Outcome = patch.RebootPending
			s.tellReboot()
		}
		s.rememberPatched(ctx)
		s.endLeft(ctx)
		return false
	}
	if s.forgotten.toScan {
		result.Outcome, result.Reason = patch.Failed, "what is due is missing still, or again; `retry` patches it anew"
		return false
	}
	result.MissingAfter, s.patching.missing = scan.MissingNumber(), scan.Missing
	if why := s.unforeseen(); why != "" {
		result.Outcome, result.Refused = patch.Failed, patch.NotApproved
		result.Reason = fmt.Sprintf("not patched: %d patches or a reboot became due after nothing was, and %s",
			scan.MissingNumber(), why)
		return false
	}
	nothing, err := s.bind(ctx)
	if err == nil && s.in.Policy.Pinned == nil {
		err = s.refuseBlocked(scan)
	}
	switch {
	case ctx.Err() != nil || err != nil:
		return s.notBound(ctx, err)
	case nothing:
		result.Outcome = patch.AlreadyCompliant
		s.endLeft(ctx)
		return false
	}
	return true
}

// notBound ends an instance that cannot be bound to what was proved, or of which nobody can tell whether it can.
func (s *saga) notBound(ctx workflow.Context, err error) (goes bool) {
	var refusal *patch.Refusal
	switch {
	case ctx.Err() != nil:
		s.endUntouched(cancelledBefore)
	case run.IsType(err, activities.ErrGone):
		s.endUntouched(gone)
	case errors.As(err, &refusal):
		s.endUntouched(*refusedBy(refusal))
	default:
		s.endUntouched(notBegun{outcome: patch.Failed, why: "refused: " + run.Reason(err)})
	}
	return false
}

// unforeseen is why what is due may not be patched, for nothing was due when its stage began; "": it may be.
func (s *saga) unforeseen() string {
	switch {
	case s.in.Unasked:
		return "nobody was asked to approve that"
	case s.in.Policy.ByImage() && s.in.Policy.Root == nil:
		return "no image was made for it (method: image)"
	}
	return ""
}

// judgedBy holds an instance to the baseline that has judged it first, where the plan adopts what Systems Manager has.
func (s *saga) judgedBy(scan *patch.Scan) {
	if _, adopts := patch.Adopts(s.in.Policy.Baseline); adopts {
		s.patching.baseline = scan.BaselineID
		s.note("%s", patch.JudgedBy(scan.BaselineID))
	}
}
