package instance

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// rest is what is known of an instance that was stopped when its turn came: it is started for the patch, serves nobody
// meanwhile, and is stopped again whatever happens.
type rest struct {
	was    bool // it was stopped
	theirs bool // somebody else has started it: it is not ours to stop
	runs   bool // an earlier saga of this wave started it, and has not stopped it again
}

// isStopped notes that the instance was stopped when it was looked at.
func (s *saga) isStopped() {
	s.rest.was, s.status.Result.WasStopped = true, true
	s.in.Ours.Idle = append(s.in.Ours.Idle, s.in.Instance)
}

// patchStopped is patch for one that is stopped. What is due on it is known only once it runs, so that it is marked and
// started first; nobody can do without it less than before, so that it waits for no turn.
func (s *saga) patchStopped(ctx workflow.Context) {
	s.isStopped()
	result := &s.status.Result
	result.Started = workflow.Now(ctx)
	defer func() { result.Ended = workflow.Now(ctx) }()
	clean, _ := workflow.NewDisconnectedContext(ctx)
	stop := s.watchPauses(clean)
	defer stop()
	failed, err := s.run(ctx, s.startTable())
	if err == nil && s.due() {
		failed, err = s.run(ctx, s.installStoppedTable())
	}
	if err == nil {
		failed, err = s.run(ctx, s.stopTable())
	}
	if err != nil {
		s.compensate(ctx, failed, err)
	}
}

// start starts it. One that somebody else has started meanwhile is not ours to patch so, nor to stop.
func (s *saga) start(ctx workflow.Context) error {
	var started activities.StartedStopped
	if err := s.doInTimeGet(ctx, aws.StartStopped, s.power(), &started); err != nil {
		if activities.NothingDone(err) {
			s.rest.theirs = true // nothing of ours: whoever starts it by now has done so himself
		}
		return err
	}
	if !started.Theirs {
		return nil
	}
	s.rest.theirs, s.record.Intended.Start, s.status.Result.WasStopped = true, false, false
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if err := run.WriteRecord(run.WhileOut(clean), &s.record); err != nil {
		s.note("the journal still says that we started it, which we did not: %s", run.Reason(err))
	}
	return errors.New("somebody has started it since it was looked at; `retry` takes it as one that runs")
}

// comesUp waits until it runs and Systems Manager has heard of it, and asks of it what is asked of any other before it
// is changed.
func (s *saga) comesUp(ctx workflow.Context) error {
	if err := s.await(ctx, s.in.Policy.Timing.Start, aws.AwaitStarted, s.power(), nil); err != nil {
		return err
	}
	if end := s.preflight(ctx, patch.LevelInstance); end != nil {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case end.code.Ends():
			return &patch.Refusal{Code: end.code, Where: s.in.Instance, What: end.why}
		case end.outcome == patch.Gone:
			return s.gone()
		}
		return errors.New(end.why)
	}
	where, err := s.servesIn(ctx)
	if err == nil && where != "" {
		err = fmt.Errorf("somebody has registered it in %s while it was started to be patched", where)
	}
	return err
}

// scanStarted learns what is due on it.
func (s *saga) scanStarted(ctx workflow.Context) error {
	scan, err := s.scanNow(ctx, "scan-before")
	switch {
	case err != nil:
		return err
	case scan.Error != "":
		return errors.New(scan.Error)
	}
	s.judgedBy(scan)
	result := &s.status.Result
	s.patching.scan, s.patching.missing = *scan, scan.Missing
	result.MissingBefore, result.MissingAfter = scan.MissingNumber(), scan.MissingNumber()
	if err := s.learnDue(ctx, scan); err != nil {
		return err
	}
	switch {
	case !s.due():
		s.patching.waits = scan.Waits(&s.patching.first)
	case s.unforeseen() != "":
		result.Refused = patch.NotApproved
		return fmt.Errorf("%d patches or a reboot are due, and %s", scan.MissingNumber(), s.unforeseen())
	default:
		if s.patching.nothing, err = s.bind(ctx); err == nil && s.in.Policy.Pinned == nil {
			err = s.refuseBlocked(scan)
		}
	}
	return err
}

// due reports whether there is something to be done on it.
func (s *saga) due() bool { return s.patching.due && !s.patching.nothing }

// stop stops it again once it is proven, or had nothing due. It is patched whatever happens here, so that a failure is
// told as stranded, and undoes no patch.
func (s *saga) stop(ctx workflow.Context) error {
	clean, stop := s.undoing(ctx)
	defer stop()
	s.record.Proven = true
	if err := run.WriteRecord(run.WhileOut(clean), &s.record); err != nil {
		s.note("the journal does not say yet that it is proven: %s", run.Reason(err))
	}
	if err := s.stopNow(clean); err != nil {
		s.strand(patch.StepStop, err)
	}
	return nil
}

// stopAgain undoes start. Whose restore is not proven is quarantined first, so that nobody starts it for a good one.
func (s *saga) stopAgain(ctx workflow.Context) error {
	if s.rest.theirs {
		return nil
	}
	result := &s.status.Result
	var unfit error
	if s.unfitReason != "" {
		unfit = s.quarantine(ctx)
		s.enter(ctx, patch.StepStop)
	}
	err := s.stopNow(ctx)
	switch {
	case run.IsType(err, activities.ErrGone):
		return s.handleGone(ctx, err)
	case unfit != nil:
		return unfit
	case err == nil && s.restored && s.unfitReason == "" && result.Outcome == patch.Failed:
		result.Outcome = patch.RolledBack
	}
	return err
}

// stopEarlier stops one that an earlier saga of this wave had started. A failure is told, and leaves the mark.
func (s *saga) stopEarlier(ctx workflow.Context) {
	if !s.rest.runs {
		return
	}
	if err := s.stopNow(ctx); err != nil && !run.IsType(err, activities.ErrGone) {
		s.strand(patch.StepStop, err)
	}
}

// stopNow stops it and waits until it is. One that somebody has registered in a target group meanwhile serves there: it
// is left running, and that is told.
func (s *saga) stopNow(ctx workflow.Context) error {
	s.scanRestored(ctx)
	where, err := s.servesIn(ctx)
	switch {
	case run.IsType(err, activities.ErrGone):
		return err
	case err != nil:
		s.note("it is stopped again though nobody could see whether it was registered meanwhile: %s", run.Reason(err))
	case where != "" && s.unfitReason == "":
		s.note("it was stopped before, and is left running: somebody has registered it in %s meanwhile", where)
		return nil
	}
	if err := s.undone(ctx, aws.StopStarted, s.power()); err != nil {
		return err
	}
	return s.await(ctx, s.in.Policy.Timing.Start, aws.AwaitStoppedAgain, s.power(), nil)
}

// servesIn names the target groups that send it requests; "": none does. It looks through every one there is: while it
// was stopped none was known to.
func (s *saga) servesIn(ctx workflow.Context) (string, error) {
	look := s.inspect()
	look.Targets = nil
	var now patch.GroupState
	if err := workflow.ExecuteActivity(run.Sweeping(ctx, s.in.Group, s.in.Policy.Timing), aws.InspectGroup, look).
		Get(ctx, &now); err != nil {
		return "", err
	}
	member, _ := now.Member(s.in.Instance)
	var where []string
	for _, target := range member.Targets {
		where = append(where, target.Where())
	}
	return strings.Join(where, ", "), nil
}

func (s *saga) power() activities.StartStoppedInput {
	return activities.StartStoppedInput{Instance: s.instance(), Pace: s.pace()}
}

// pushStarted puts the undos on the stack of one that was stopped before its saga started it, which died.
func (s *healed) pushStarted(member patch.Member) {
	// Also where its group lists it no more, as after somebody changed its tags: whether it is gone EC2 tells.
	result := &s.status.Result
	result.Reason = "it was stopped before it was started to be patched, and is stopped again"
	s.undos.push(step{patch.StepStart, nil, s.stopAgain})
	if !s.record.Proven {
		s.pushHooks(patch.BeforeSnapshot, patch.BeforeInstall)
		s.pushInstall()
		s.pushHooks(patch.AfterInstall)
		return
	}
	s.sameRoot = member.RootVolumeID != "" && member.RootVolumeID == s.record.PatchedRoot()
	if s.sameRoot && s.record.Installing && s.putBack == nil {
		result.Reason += ", with what was installed on it"
	}
}
