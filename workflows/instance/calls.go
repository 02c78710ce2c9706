package instance

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
	"github.com/patchtide/patchtide/workflows/scan"
)

// act gives the options of an act going forward; undoAct those of one that puts back.
func (s *saga) act(ctx workflow.Context) workflow.Context {
	return run.Summed(run.Acting(ctx, s.in.Group, s.in.Policy.Timing), s.doing())
}

func (s *saga) undoAct(ctx workflow.Context) workflow.Context {
	return run.Summed(run.Undoing(ctx, s.in.Group, s.in.Policy.Timing), s.doing())
}

// do acts going forward and always waits for the answer, also when the workflow is cancelled.
func (s *saga) do(ctx workflow.Context, activity, input any) error {
	return s.doGet(ctx, activity, input, nil)
}

func (s *saga) doGet(ctx workflow.Context, activity, input, output any) error {
	options := s.act(ctx)
	return workflow.ExecuteActivity(options, activity, input).Get(options, output)
}

// doInTime is do for what may not begin after the window's cutoff: what AWS throttles until then is given up.
func (s *saga) doInTime(ctx workflow.Context, activity, input any) error {
	return s.doInTimeGet(ctx, activity, input, nil)
}

func (s *saga) doInTimeGet(ctx workflow.Context, activity, input, output any) error {
	options := s.act(ctx)
	if window := s.in.Policy.Window; window != nil && s.putBack == nil {
		options = run.Before(options, window.Cutoff)
	}
	return workflow.ExecuteActivity(options, activity, input).Get(options, output)
}

// tooLate is why what is about to begin may not begin any more; nil when it may. Nobody is put back too late.
func (s *saga) tooLate(ctx workflow.Context) *patch.Refusal {
	if s.putBack != nil {
		return nil
	}
	policy := s.in.Policy
	if s.hooking.beforeOut { // the time that they may take is behind it
		policy.Hooks = policy.Hooks.Without(patch.BeforeOut)
	}
	return patch.TooLate(patch.LevelInstance, patch.View{
		Group: s.in.Group, Policy: policy, Now: workflow.Now(ctx), Instance: s.in.Instance, Holdings: s.in.Ours,
		State: &s.before,
	})
}

// undone acts to put something back.
func (s *saga) undone(ctx workflow.Context, activity, input any) error {
	return undo.Act(s.undoAct(ctx), activity, input, nil)
}

// read is a read that putting back depends on: it retries as an undo does.
func (s *saga) read(ctx workflow.Context, activity, input, output any) error {
	return undo.Act(s.undoAct(ctx), activity, input, output)
}

// await waits within a budget; it is as cancellable as ctx is. While things are put back, a refusal that may pass is no
// reason to leave them: it is asked again until the budget is spent.
func (s *saga) await(ctx workflow.Context, budget patch.Duration, activity, input, output any) error {
	options := run.Summed(run.Waiting(ctx, s.in.Group, s.in.Policy.Timing, budget), s.doing())
	if s.putsBack() {
		options = patient(options)
	}
	err := undo.Wait(options, activity, input, output)
	if ctx.Err() != nil || !run.IsType(err, activities.ErrNotReady) {
		return err
	}
	// What was seen last may be of before the worker was away for longer than the budget: it is looked once more, before
	// anything is undone for what was so then.
	if now := undo.Wait(run.Again(options, s.in.Policy.Timing), activity, input, output); now == nil ||
		run.IsType(now, activities.ErrNotReady) {
		return now
	}
	return err
}

// patient retries what would be final going forward.
func patient(ctx workflow.Context) workflow.Context {
	options := workflow.GetActivityOptions(ctx)
	policy := *options.RetryPolicy
	policy.NonRetryableErrorTypes = nil
	options.RetryPolicy = &policy
	return workflow.WithActivityOptions(ctx, options)
}

// finalOn makes one more error type final.
func finalOn(ctx workflow.Context, errorType string) workflow.Context {
	options := workflow.GetActivityOptions(ctx)
	policy := temporal.RetryPolicy{}
	if options.RetryPolicy != nil {
		policy = *options.RetryPolicy
	}
	policy.NonRetryableErrorTypes = append(slices.Clone(policy.NonRetryableErrorTypes), errorType)
	options.RetryPolicy = &policy
	return workflow.WithActivityOptions(ctx, options)
}

// mostStale is how many snapshots are found without the newest blocks before that is told: another wave has to read
// what is blocked, be overtaken, and write, between two of ours.
const mostStale = 2

// scanNow scans the instance by the rules that the wave goes by, and waits for the result. A snapshot that was taken
// while another, older word stood in the baseline is left for another one: AWS keeps it for days.
func (s *saga) scanNow(ctx workflow.Context, name string) (*patch.Scan, error) {
	for {
		scan, err := s.scanBy(ctx, name, s.snapshotID())
		if err != nil || !scan.Unrejected || s.patching.stale == mostStale {
			return scan, err
		}
		s.patching.stale++
	}
}

// scanBy scans by a baseline snapshot: where the state that stood before may be one of another root volume, by one that
// no other scan has used.
func (s *saga) scanBy(ctx workflow.Context, name, snapshot string) (*patch.Scan, error) {
	of := activities.AwaitScanInput{
		Group: s.in.Group, Instances: []string{s.in.Instance}, BaselineID: s.patching.baseline,
	}
	if s.patching.blocked != "" {
		of.Baseline, of.At = s.in.Policy.Baseline, workflow.Now(ctx)
	}
	results, err := scan.Of(ctx, s.in.Policy.Timing, of, snapshot, run.Anew(ctx, s.attempt(name)))
	if err != nil {
		return nil, err
	}
	return &results[0], nil
}

func (s *saga) instance() activities.Instance {
	return activities.Instance{Group: s.in.Group, ID: s.in.Instance}
}

func (s *saga) attempt(name string) activities.Attempt {
	if s.putBack != nil {
		name = "put-back-" + s.putBack.Run + name
	}
	if run := s.in.Policy.Run; run != "" {
		name += "/" + run
	}
	return run.Attempt(s.in.WaveID, s.in.Instance, name, s.in.Try)
}

func (s *saga) installAttempt(pass int) activities.Attempt {
	return s.attempt(fmt.Sprintf("install-%d", pass))
}

// recorded is the attempt that the journal's record names: whoever heals finds what was begun by what stands there, and
// not by what it would make of it itself.
func (s *saga) recorded(token string) activities.Attempt {
	return activities.Attempt{WaveID: s.in.WaveID, Token: token}
}

// snapshotID is the same for all that this saga does, however long it takes, unless something is blocked meanwhile, or
// was while it was taken.
func (s *saga) snapshotID() string {
	without := s.patching.blocked + strings.Repeat("+", s.patching.stale)
	return run.SnapshotWithout(s.in.WaveID, s.began.Sub(s.in.Policy.Began), without)
}

func (s *saga) pace() activities.Pace { return run.Pace(s.in.Policy.Timing) }

func (s *saga) inspect() activities.InspectGroupInput {
	return activities.InspectGroupInput{Group: s.in.Group, Known: []string{s.in.Instance}, Targets: s.in.Targets}
}

// ask asks the machine what it is now.
func (s *saga) ask(ctx workflow.Context, name string) activities.CollectMachineFactsInput {
	return activities.CollectMachineFactsInput{
		Instance: s.instance(), Platform: s.in.Policy.Platform, Attempt: run.Anew(ctx, s.attempt(name)),
		Budget: s.in.Policy.Timing.Agent, Pace: s.pace(),
	}
}

func (s *saga) note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(s.status.Result.Notes, note) { // it may be judged twice
		s.status.Result.Notes = append(s.status.Result.Notes, note)
	}
}

func (s *saga) gone() error {
	return temporal.NewNonRetryableApplicationError(s.in.Instance+" no longer exists", activities.ErrGone, nil)
}

// stranded names what a failed undo leaves, and remedy what to do about it by hand.
func (s *saga) stranded(step patch.Step) string {
	if step == patch.StepSuspend {
		return "auto scaling group " + s.in.Group.Name()
	}
	return "instance " + s.in.Instance
}

func (s *saga) remedy(step patch.Step) string {
	group := s.in.Group.Name()
	switch step {
	case patch.StepMark:
		return "remove the tag " + names.TagJournal + " from the instance"
	case patch.StepSuspend:
		return fmt.Sprintf("aws autoscaling resume-processes --auto-scaling-group-name %s --scaling-processes %s", group,
			strings.Join(s.suspended, " "))
	case patch.StepStandby:
		if s.unfitReason != "" && !s.stays() {
			return "it must not serve as it is: mend what is said, then `patchtide reconcile` puts it back, or into quarantine"
		}
		if s.in.Group.IsAutoScaling() {
			return fmt.Sprintf("check the instance, then: aws autoscaling exit-standby --auto-scaling-group-name %s "+
				"--instance-ids %s", group, s.in.Instance)
		}
		if s.stays() {
			return "no target group has it, so that it serves as it is: mend it by hand until its health checks pass; " +
				"`patchtide reconcile` then takes its mark off"
		}
		return "check the instance, then register it with its target groups again; the journal has the exact registrations"
	case patch.StepQuarantine:
		return "see that it does not serve, then remove its tag " + names.TagQuarantine + " if it is to stay in service"
	case patch.StepIsolate:
		return "it is out of its group: give it an isolating security group by hand, or mend what is said and run " +
			"`patchtide reconcile`"
	case patch.StepStart, patch.StepStop:
		return fmt.Sprintf("it was stopped before: look at it, then aws ec2 stop-instances --region %s --instance-ids %s",
			s.in.Group.Region, s.in.Instance)
	case patch.StepRelease:
		return "look whether it serves; `patchtide reconcile` ends its release or quarantines it again"
	case patch.StepReturn:
		return "it is in service on the new version and could not be taken out: check its health, take it out by hand " +
			"if needed"
	}
	return "see the wave's journal for the values before"
}
