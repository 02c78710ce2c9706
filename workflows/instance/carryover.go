package instance

import (
	"slices"

	"go.temporal.io/sdk/workflow"
)

// carryOver takes into the new record what an earlier saga of this wave left undone: the record is about to be written anew,
// and what is suspended or raised still is ours, not somebody else's.
func (s *saga) carryOver(ctx workflow.Context) error {
	if !s.left {
		return nil
	}
	read, err := s.readRecord(ctx)
	if err != nil {
		return err
	}
	left := read.Record
	if left == nil {
		return nil // nothing that may be acted upon; it has been told as stranded
	}
	for _, process := range left.Intended.Suspend {
		if slices.Contains(s.before.Suspended, process) && !slices.Contains(s.suspended, process) {
			s.suspended = append(s.suspended, process)
		}
	}
	s.before.Suspended = slices.DeleteFunc(slices.Clone(s.before.Suspended), func(process string) bool {
		return slices.Contains(s.suspended, process)
	})
	s.record.Before.Suspended, s.record.Intended.Suspend = s.before.Suspended, s.suspended
	if left.Intended.RaiseMax {
		s.record.Intended.RaiseMax, s.record.Intended.MaxBefore = true, left.Intended.MaxBefore
		s.status.Result.Stranded = append(s.status.Result.Stranded, s.raisedMax(left.Intended.MaxBefore))
	}
	return nil
}
