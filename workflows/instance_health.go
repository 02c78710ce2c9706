package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
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

// awaitHealth waits until what was healthy before is healthy again. A cancel does not end it: the instance is in service.
func (s *saga) awaitHealth(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	return s.settleHealth(clean, s.in.Policy.Timing.HealthBudget)
}

func (s *saga) settleHealth(ctx workflow.Context, budget patch.Duration) error {
	err := s.await(ctx, budget, aws.AwaitHealthy, activities.AwaitHealthyInput{
		Observe: s.observe(), Before: s.member.Targets, Since: s.since,
	}, nil)
	if err != nil {
		return err
	}
	s.proven = true
	return nil
}

// looksToBelieve is how many attempts at looking an instance may take to prove that what a bake saw was a passing cloud, or
// that the bake ended in the middle of a look.
const looksToBelieve = 2

// bake watches the instance under load. It is one wait that succeeds by lasting: no history grows while all is well. One bad
// look is confirmed by others before it fails the instance. A cancel cuts the bake short.
func (s *saga) bake(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	until := workflow.Now(ctx).Add(s.in.Policy.Bake.D())
	if s.around {
		until = until.Add(patch.SlowStart(s.before.TargetGroups).D()) // or it would be watched while it gets little to do
	}
	for {
		left := patch.Duration(until.Sub(workflow.Now(ctx)))
		if left <= 0 {
			return nil
		}
		if ctx.Err() != nil {
			s.cut = true
			return nil
		}
		watch := activities.AwaitHealthyInput{Observe: s.observe(), Before: s.member.Targets, Since: s.since}
		err := workflow.ExecuteActivity(waiting(ctx, s.in.Group, s.in.Policy.Timing, left), aws.WatchBake, watch).Get(ctx, nil)
		switch {
		case ctx.Err() != nil:
			s.cut = true
			return nil
		case err == nil || isType(err, activities.ErrNotReady):
			return nil // healthy until the bake's time was spent
		}
		s.proven = false
		if again := s.settleHealth(clean, looksToBelieve*s.in.Policy.Timing.Look); again != nil {
			return again
		}
		if isType(err, activities.ErrNotHealthy) {
			s.note("a look during the bake was bad and the next was not: %s", reason(err))
		}
	}
}

// settle ends the instance's time: nothing of ours stays. The instance is patched and healthy whatever happens here, so a
// failure strands a mark or a suspension, which is told, but undoes no patch.
func (s *saga) settle(ctx workflow.Context) error {
	clean, stop := untilGivenUp(ctx)
	defer stop()
	if err := s.resume(clean); err != nil {
		s.strand(patch.StepSuspend, err)
	}
	if err := s.unmark(clean); err != nil {
		s.strand(patch.StepMark, err)
	}
	s.undo = nil
	return nil
}
