package instance

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// mark writes the journal's record, then puts its pointer on the instance.
func (s *saga) mark(ctx workflow.Context) error {
	s.suspended = s.toSuspend()
	s.record = journal.Record{
		WaveID: s.in.WaveID, Plan: s.in.Policy.Plan, Group: s.in.Group, Policy: s.in.Policy, Instance: s.in.Instance,
		Try:    s.in.Try,
		Before: journal.BeforeOf(s.before), Targets: s.member.Targets, RootVolume: s.member.RootVolumeID, PutBack: s.putBack,
		Weight: s.member.Weight,
		Intended: journal.Intended{
			Suspend: s.suspended, Standby: s.in.Group.IsAutoScaling(), Deregister: s.own(),
			InstallTokens: s.installTokens(), RestoreToken: s.attempt("restore").Token, Start: s.rest.was,
		},
	}
	if s.putBack != nil {
		s.record.ImageRoot = s.putBack.RootVolume
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if err := s.carryOver(clean); err != nil {
		return err
	}
	if err := run.WriteRecord(clean, &s.record); err != nil {
		return err
	}
	return workflow.ExecuteActivity(s.act(ctx), aws.MarkInstance, s.journal()).Get(clean, nil)
}

// installTokens are those of the passes of an install that may follow; none of what is put back.
func (s *saga) installTokens() []string {
	var tokens []string
	if s.in.Policy.ByImage() && s.putBack == nil {
		return []string{s.imageAttempt().Token}
	}
	for pass := 1; pass <= max(s.in.Policy.Passes, 1) && s.putBack == nil; pass++ {
		tokens = append(tokens, s.installAttempt(pass).Token)
	}
	return tokens
}

// unmark takes the mark off. What is stranded keeps it, with its record, so that Reconcile finds it again.
func (s *saga) unmark(ctx workflow.Context) error {
	s.stopEarlier(ctx)
	if s.room != nil {
		s.status.Result.Stranded = append(s.status.Result.Stranded, s.room.GiveBack(ctx)...)
	}
	if s.left && s.record.At.IsZero() {
		return nil // the record is still the earlier saga's, which left something
	}
	s.endRecord(ctx)
	if len(s.status.Result.Stranded) > 0 {
		return nil
	}
	return s.undone(ctx, aws.UnmarkInstance, s.journal())
}

// endRecord writes into the journal that nothing of the record is left, or that what is stranded is. While the mark is
// on, the last word stands there already: who puts an old mark back later leads nobody to act on it.
func (s *saga) endRecord(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if err := run.EndRecord(clean, activities.EndJournalInput{
		Record: run.RecordOf(s.in.WaveID, s.in.Group, s.in.Instance), Left: len(s.status.Result.Stranded) > 0,
		Point: s.status.Result.Backup, Patched: s.patchedAtEnd(), Same: s.heals && s.record.Ended,
	}); err != nil {
		s.note("the journal does not say that it is done with it: %s", run.Reason(err))
	}
}

// patchedAtEnd is what a roll back needs to know; nil where the instance is not patched as its saga ends. One that is
// found in service after its saga died is, where its install had begun and its root volume is the same still.
func (s *saga) patchedAtEnd() *patch.InstanceResult {
	result := s.status.Result.ForRollBack()
	result.RootVolume = s.record.ImageRoot
	switch {
	case s.heals && s.putBack == nil:
		if !s.record.Installing || !s.sameRoot {
			return nil
		}
	case s.heals:
		if !s.sameRoot {
			return nil
		}
	case s.putBack != nil:
		if s.restored || s.unfitReason != "" {
			return nil
		}
	case !s.status.Result.WantsRollBack():
		return nil
	}
	if s.putBack != nil {
		result.BootID, result.MissingBefore = s.putBack.PatchedBoot, s.putBack.Missing
	}
	return &result
}

// toSuspend are the processes to be suspended while the instance is out or on its way: only those nobody has suspended
// before.
func (s *saga) toSuspend() []string {
	var ours []string
	if s.in.Group.IsAutoScaling() {
		for _, process := range patch.OutProcesses {
			if !slices.Contains(s.before.Suspended, process) {
				ours = append(ours, process)
			}
		}
	}
	return ours
}

// carryOver takes into the new record what an earlier saga of this wave left undone: the record is about to be written
// anew, and what is suspended or raised still is ours, not somebody else's.
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
	if left.Intended.RaiseMax > 0 {
		s.record.Intended.RaiseMax, s.record.Intended.MaxBefore = left.Intended.RaiseMax, left.Intended.MaxBefore
		s.status.Result.Stranded = append(s.status.Result.Stranded,
			s.raisedMax(left.Intended.MaxBefore, left.Intended.RaiseMax))
	}
	if left.Intended.Start && !left.Ended && !s.rest.was {
		s.rest.runs, s.record.Intended.Start, s.status.Result.WasStopped = true, true, true
	}
	return nil
}

func (s *saga) journal() activities.MarkInstanceInput {
	return activities.MarkInstanceInput{Instance: s.instance(), Journal: activities.Journal{
		WaveID: s.in.WaveID, Record: names.JournalRecord(s.in.Group, s.in.Instance),
	}}
}

// readRecord reads the instance's own record of this wave.
func (s *saga) readRecord(ctx workflow.Context) (activities.RecordRead, error) {
	return run.ReadRecord(ctx, run.RecordOf(s.in.WaveID, s.in.Group, s.in.Instance))
}
