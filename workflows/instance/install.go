package instance

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// installTry is one pass of install and reboot that may have begun.
type installTry struct {
	attempt   activities.Attempt
	execution activities.Execution // ID "": not known whether one was started
	ended     bool
}

// snapshot asks the machine what it is, so that a restore can be proven, and takes the backup. It does not wait for the
// snapshot: it is the state of the volume at the call.
func (s *saga) snapshot(ctx workflow.Context) error {
	var facts patch.MachineFacts
	asked := s.ask(ctx, "facts-before")
	// A snapshot that was taken before Temporal forgot it is found again, and so must be what the machine was then.
	asked.Attempt = s.attempt("facts-before")
	if err := s.await(ctx, s.in.Policy.Timing.Agent, aws.CollectMachineFacts, asked, &facts); err != nil {
		return err
	}
	s.point = patch.RestorePoint{VolumeID: s.member.RootVolumeID, Facts: facts}
	if s.in.Policy.Backup != patch.BackupSnapshot {
		return nil
	}
	var taken activities.SnapshotTaken
	if err := s.doGet(ctx, aws.TakeSnapshot, activities.SnapshotInput{
		Instance: s.instance(), VolumeID: s.member.RootVolumeID, Attempt: s.attempt("snapshot"),
		Retention: s.in.Policy.Retention, Pace: s.pace(),
	}, &taken); err != nil {
		return err
	}
	s.point.SnapshotID, s.point.TakenAt = taken.SnapshotID, taken.StartedAt
	s.status.Result.Backup = &s.point
	return nil
}

// install runs the passes: install, reboot, and a Scan of our own, until nothing approved is missing, or the passes are
// spent. A cancel lets a running install end within its budget.
func (s *saga) install(ctx workflow.Context) error {
	if s.in.Policy.ByImage() {
		return s.replaceByImage(ctx)
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	s.record.Point, s.record.Installing = &s.point, true
	if err := run.WriteRecord(run.WhileOut(clean), &s.record); err != nil {
		return err
	}
	before := s.patching.scan
	for pass := 1; ; pass++ {
		s.enter(clean, patch.StepInstall)
		report, err := s.installOnce(ctx, pass)
		if err != nil {
			return err
		}
		s.merge(*report)
		if err := s.rebootIfDue(clean, pass, report); err != nil {
			return err
		}
		after := &patch.Scan{}
		if report.Failure != "" {
			report.Failure += s.failedPatches(clean)
		} else {
			s.enter(clean, patch.StepVerify)
			if after, err = s.scanNow(clean, fmt.Sprintf("scan-after-%d", pass)); err != nil {
				return err
			}
			s.status.Result.MissingAfter, s.patching.missing = after.MissingNumber(), after.Missing
		}
		verdict := patch.Verify(patch.Pass{
			Platform: s.in.Policy.Platform, Reboot: s.in.Policy.Reboot, Number: pass, Of: s.in.Policy.Passes,
			Before: before, After: *after, Report: *report, Whole: s.patching.report,
		})
		switch {
		case verdict.Reason != "":
			return errors.New(verdict.Reason)
		case verdict.Proven():
			s.patching.waits = verdict.Waits
			for _, told := range verdict.Notes {
				s.note("%s", told)
			}
			if len(verdict.Late) > 0 {
				s.note("published while it was patched, left to the next wave: %s", strings.Join(verdict.Late, ", "))
			}
			return nil
		}
		before = *after
	}
}

// installOnce starts the execution and waits for it. One that Automation has queued has touched nothing: until it runs,
// a cancel and the window's cutoff leave it, and so does the budget of an install. Once it runs it is waited for within
// that budget, whatever comes.
func (s *saga) installOnce(ctx workflow.Context, pass int) (*patch.PatchReport, error) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if pass == 1 {
		if open, _ := s.in.Policy.Window.Open(workflow.Now(ctx)); !open {
			return nil, s.tooLate(ctx)
		}
	}
	s.patching.tries = append(s.patching.tries, installTry{attempt: s.installAttempt(pass)})
	try := &s.patching.tries[len(s.patching.tries)-1]
	start := s.doGet
	if pass == 1 {
		start = s.doInTimeGet
	}
	if err := start(ctx, aws.StartInstall, activities.StartInstallInput{
		Instance: s.instance(), Platform: s.in.Policy.Platform, Runbook: s.patching.runbook, SnapshotID: s.snapshotID(),
		Reboot: s.in.Policy.Reboot, Attempt: try.attempt, Budget: s.in.Policy.Timing.Install, Pace: s.pace(),
		List: s.patching.list, Baseline: s.rejects(), At: workflow.Now(ctx),
	}, &try.execution); err != nil {
		return nil, err
	}
	s.status.Result.AutomationExecutionID = try.execution.ID
	if err := s.awaitItsTurn(ctx, pass, try.execution); err != nil {
		return nil, err
	}
	var report patch.PatchReport
	if err := s.await(clean, s.in.Policy.Timing.Install, aws.AwaitInstall, activities.AwaitInstallInput{
		Instance: s.instance(), Execution: try.execution, Reboot: s.in.Policy.Reboot, Pace: s.pace(),
		Pinned: s.in.Policy.Pinned, At: workflow.Now(ctx),
	}, &report); err != nil {
		if run.IsType(err, activities.ErrMachineAway) {
			err = fmt.Errorf("%s. Install and reboot had %s", run.Reason(err), s.in.Policy.Timing.Install)
		}
		return nil, err
	}
	try.ended = true
	return &report, nil
}

// failedPatches are those that Systems Manager lists as failed after an install that failed, for its reason; "" where
// it lists none, or cannot be asked. What it learnt before this instance was begun says nothing.
func (s *saga) failedPatches(ctx workflow.Context) string {
	var known activities.PatchStates
	read := run.Within(run.Reading(ctx, s.in.Group, s.in.Policy.Timing), s.in.Policy.Timing.Look.D())
	if err := workflow.ExecuteActivity(read, aws.ReadPatchStates, activities.ReadPatchStatesInput{
		Group: s.in.Group, Instances: []string{s.in.Instance}, Baseline: s.in.Policy.Baseline,
	}).Get(ctx, &known); err != nil || len(known.States) == 0 {
		return ""
	}
	state := known.States[0]
	if len(state.Failed) == 0 || state.At.Before(s.before.At) {
		return ""
	}
	return "; Systems Manager lists as failed: " + strings.Join(state.Failed, ", ")
}

// awaitItsTurn waits until Automation has begun the execution. Its error says why it is not waited for any longer.
func (s *saga) awaitItsTurn(ctx workflow.Context, pass int, execution activities.Execution) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	turn := activities.AwaitInstallInput{Instance: s.instance(), Execution: execution, Pace: s.pace()}
	budget := s.in.Policy.Timing.Install
	if window := s.in.Policy.Window; window != nil && pass == 1 {
		budget = min(budget, patch.Duration(max(window.Cutoff.Sub(workflow.Now(ctx)), time.Second)))
	}
	err := s.await(ctx, budget, aws.AwaitInstallTurn, turn, nil)
	if err == nil || !run.IsType(err, activities.ErrInstallPending) && ctx.Err() == nil {
		return err
	}
	// It may have begun just now: then it is waited for like any other.
	last := s.await(clean, s.in.Policy.Timing.Look, aws.AwaitInstallTurn, turn, nil)
	switch {
	case last == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if late := s.tooLate(ctx); late != nil && pass == 1 {
		return late
	}
	return fmt.Errorf("queued for %s by Automation, which has not begun it: %s", budget, run.Reason(last))
}

// merge makes one report of all passes: the first facts before, the last after.
func (s *saga) merge(report patch.PatchReport) {
	if s.patching.report.ExecutionID != "" {
		report.Before, report.Unbegun = s.patching.report.Before, false
		report.Changes = append(s.patching.report.Changes, report.Changes...)
		report.Installing = report.Installing || s.patching.report.Installing
	}
	s.patching.report = report
	s.status.Result.Changes = len(report.Changes)
	if report.After != nil {
		s.keepAfter(report.After)
		if told := report.NewRelease(); told != "" {
			s.note("%s", told)
		}
	}
}

// keepAfter keeps of the machine as it is after its install what rolling it back asks for.
func (s *saga) keepAfter(facts *patch.MachineFacts) {
	result := &s.status.Result
	result.BootID, result.PackagesAfter, result.ApplicationAfter = facts.BootID, facts.PackagesSHA256,
		facts.ApplicationSHA256
}

// stopInstalls sees every execution that may have been started and all its commands terminal.
func (s *saga) stopInstalls(ctx workflow.Context) error {
	started := s.patching.tries[:0]
	for _, try := range s.patching.tries {
		if try.execution.ID == "" {
			if err := s.await(ctx, s.in.Policy.Timing.Stop, aws.FindInstall, activities.FindInstallInput{
				Instance: s.instance(), Attempt: try.attempt, Pace: s.pace(),
			}, &try.execution); err != nil {
				return err
			}
			if try.execution.ID == "" {
				continue // proven not to have started
			}
		}
		started = append(started, try)
		if try.ended {
			continue
		}
		end := activities.AwaitInstallInput{Instance: s.instance(), Execution: try.execution, Pace: s.pace()}
		if err := s.undone(ctx, aws.StopInstall, end); err != nil {
			return err
		}
		var report patch.PatchReport
		if err := s.await(ctx, s.in.Policy.Timing.Stop, aws.AwaitStopped, end, &report); err != nil {
			return err
		}
		s.merge(report)
	}
	s.patching.tries = started
	return nil
}
