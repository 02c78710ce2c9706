package instance

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// observe is what health looks at for this instance.
func (s *saga) observe() activities.ObserveHealthInput {
	in := activities.ObserveHealthInput{
		Instance: s.instance(), Platform: s.in.Policy.Platform, Checks: s.in.Policy.Health,
		Pace: activities.Pace{Poll: s.in.Policy.Timing.HealthPoll, ReadLag: s.in.Policy.Timing.ReadLag},
	}
	for _, group := range s.before.TargetGroups {
		in.TargetGroups = append(in.TargetGroups, group.ARN)
	}
	return in
}

// awaitHealth waits until what was healthy before is healthy again. A cancel does not end it: the instance is in
// service.
func (s *saga) awaitHealth(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	return s.awaitHealthFor(clean, s.in.Policy.Timing.HealthBudget)
}

func (s *saga) awaitHealthFor(ctx workflow.Context, budget patch.Duration) error {
	err := s.await(ctx, budget, aws.AwaitHealthy, activities.AwaitHealthyInput{
		Observe: s.observe(), Before: s.member.Targets, Attached: s.attached(), Since: s.health.since,
	}, nil)
	if err != nil {
		return err
	}
	s.health.proven = true
	return nil
}

// looksToBelieve is how many attempts at looking an instance may take to prove that what a bake saw was a passing
// cloud, or that the bake ended in the middle of a look.
const looksToBelieve = 2

// bake watches the instance under load. It is one wait that succeeds by lasting: no history grows while all is well.
// One bad look is confirmed by others before it fails the instance. A cancel cuts the bake short.
func (s *saga) bake(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	// With the slow start, or it would be watched while it gets little to do.
	until := workflow.Now(ctx).Add(s.in.Policy.Bake.D()).Add(patch.SlowStart(s.before.TargetGroups).D())
	for {
		left := patch.Duration(until.Sub(workflow.Now(ctx)))
		if left <= 0 {
			return s.bakeEnds(clean)
		}
		if ctx.Err() != nil {
			s.health.cut = true
			return nil
		}
		watch := activities.AwaitHealthyInput{
			Observe: s.observe(), Before: s.member.Targets, Attached: s.attached(), Since: s.health.since,
		}
		err := workflow.ExecuteActivity(run.Waiting(ctx, s.in.Group, s.in.Policy.Timing, left), aws.WatchBake,
			watch).Get(ctx, nil)
		switch {
		case ctx.Err() != nil:
			s.health.cut = true
			return nil
		case err == nil || run.IsType(err, activities.ErrNotReady):
			return s.bakeEnds(clean) // healthy until the bake's time was spent
		}
		s.health.proven = false
		if again := s.awaitHealthFor(clean, looksToBelieve*s.in.Policy.Timing.Look); again != nil {
			return again
		}
		if run.IsType(err, activities.ErrNotHealthy) {
			s.note("a look during the bake was bad and the next was not: %s", run.Reason(err))
		}
	}
}

// bakeEnds looks at the alarms once more. One that rings still fails the instance, unless it rang before this one went
// out, which is said: one that rang while it was out may be its doing, and had the bake's time to pass.
func (s *saga) bakeEnds(ctx workflow.Context) error {
	look := s.observe()
	look.Checks = slices.DeleteFunc(slices.Clone(look.Checks), func(check patch.HealthCheck) bool {
		return check.Alarm == ""
	})
	if len(look.Checks) == 0 {
		return nil
	}
	var seen patch.HealthObservation
	if err := s.await(ctx, looksToBelieve*s.in.Policy.Timing.Look, aws.AwaitHealthy, activities.AwaitHealthyInput{
		Observe: look, Since: patch.HealthObservation{At: s.before.At},
	}, &seen); err != nil {
		s.health.proven = false
		return err
	}
	for _, alarm := range seen.Alarms {
		if alarm.State == patch.AlarmRings {
			s.note("alarm %s rings since %s, before this one went out, and did not judge it", alarm.Name,
				brief.UTC(alarm.Since))
		}
	}
	return nil
}

// finish ends the instance's time: nothing of ours stays. The instance is patched and healthy whatever happens here, so
// a failure strands a mark or a suspension, which is told, but undoes no patch.
func (s *saga) finish(ctx workflow.Context) error {
	clean, stop := s.undoing(ctx)
	defer stop()
	if s.putBack == nil {
		s.status.Result.Outcome = patch.PatchedAs(s.patching.waits)
		s.tellReboot()
	}
	if err := s.resume(clean); err != nil {
		s.strand(patch.StepSuspend, err)
	}
	if err := s.unmark(clean); err != nil {
		s.strand(patch.StepMark, err)
	}
	s.undos = nil
	return nil
}
