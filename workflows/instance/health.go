package instance

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// observe is what health looks at for this instance.
func (s *saga) observe() activities.ObserveHealthInput {
	in := activities.ObserveHealthInput{
		Instance: s.instance(), Platform: s.in.Policy.Platform, Checks: patch.WithoutMetrics(s.in.Policy.Health),
		Pace: activities.Pace{Poll: s.in.Policy.Timing.HealthPoll, ReadLag: s.in.Policy.Timing.ReadLag},
	}
	if s.health.bakes {
		in.Checks, in.Metrics = s.in.Policy.Health, s.metricLook()
	}
	for _, group := range s.before.TargetGroups {
		in.TargetGroups = append(in.TargetGroups, group.ARN)
	}
	return in
}

// metricLook is which data metric checks are about: since its return, or, while it still serves, as much time as its
// bake will have.
func (s *saga) metricLook() patch.MetricLook {
	return patch.MetricLook{
		Since: s.health.back, Back: s.in.Policy.Bake, Went: s.before.At, Peers: s.in.Peers,
	}
}

// awaitHealth waits until what was healthy before is healthy again. A cancel does not end it: the instance is in
// service.
func (s *saga) awaitHealth(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	return s.awaitHealthFor(clean, s.in.Policy.Timing.HealthBudget)
}

func (s *saga) awaitHealthFor(ctx workflow.Context, budget patch.Duration) error {
	var seen patch.HealthObservation
	err := s.await(ctx, budget, aws.AwaitHealthy, activities.AwaitHealthyInput{
		Observe: s.observe(), Before: s.member.Targets, Attached: s.attached(), Since: s.health.since,
	}, &seen)
	if err != nil {
		return err
	}
	s.health.proven = true
	if s.health.back.IsZero() {
		s.health.back = seen.At
	}
	return nil
}

// looksToBelieve is how many attempts at looking an instance may take to prove that what a bake saw was a passing
// cloud, or that the bake ended in the middle of a look.
const looksToBelieve = 2

// longestWatch bounds one command that watches: Run Command ends any after 48 hours.
const longestWatch = patch.Duration(24 * time.Hour)

// bake watches the instance under load. It is one wait that succeeds by lasting: no history grows while all is well.
// What the instance itself is asked is asked by one command there, for as long. One bad look is confirmed by others
// before it fails the instance; time in which nobody watched on the instance does not count. A cancel cuts the bake
// short.
func (s *saga) bake(ctx workflow.Context) error {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	s.health.bakes = true
	defer func() { s.health.bakes = false }()
	// With the slow start, or it would be watched while it gets little to do.
	length := s.in.Policy.Bake.D() + patch.SlowStart(s.before.TargetGroups).D()
	until, unwatched := workflow.Now(ctx).Add(length), 0
	for {
		left := patch.Duration(until.Sub(workflow.Now(ctx)))
		if left <= 0 {
			return s.bakeEnds(clean)
		}
		if ctx.Err() != nil {
			s.health.cut = true
			return nil
		}
		watched, err := s.watchBake(ctx, min(left, longestWatch), unwatched)
		switch {
		case ctx.Err() != nil:
			s.health.cut = true
			return nil
		case watched && err == nil:
			continue
		case !watched && (err == nil || run.IsType(err, activities.ErrNotReady)):
			return s.bakeEnds(clean) // healthy until the bake's time was spent
		}
		s.health.proven = false
		if again := s.awaitHealthFor(clean, looksToBelieve*s.in.Policy.Timing.Look); again != nil {
			return again
		}
		switch {
		case run.IsType(err, activities.ErrBakeCut, activities.ErrNotReady):
			if unwatched++; unwatched >= looksToBelieve {
				return err
			}
			s.note("the bake began anew: %s", run.Reason(err))
			until = workflow.Now(ctx).Add(length)
		case run.IsType(err, activities.ErrNotHealthy):
			s.note("a look during the bake was bad and the next was not: %s", run.Reason(err))
		}
	}
}

// watchBake watches for so long; watched says that the instance itself does.
func (s *saga) watchBake(ctx workflow.Context, length patch.Duration, try int) (watched bool, err error) {
	budget := length
	if watched = slices.ContainsFunc(s.in.Policy.Health, patch.HealthCheck.Probed); watched {
		budget += s.in.Policy.Timing.Agent
	}
	var seen patch.Bake
	err = workflow.ExecuteActivity(run.Waiting(ctx, s.in.Group, s.in.Policy.Timing, budget), aws.WatchBake,
		activities.WatchBakeInput{
			AwaitHealthyInput: activities.AwaitHealthyInput{
				Observe: s.observe(), Before: s.member.Targets, Attached: s.attached(), Since: s.health.since,
			},
			Attempt: run.Anew(ctx, s.attempt(fmt.Sprintf("bake-%d", try))), Length: length,
		}).Get(ctx, &seen)
	if err == nil && seen.Bad > 0 {
		s.note("%s during the bake, and the next were not", seen)
		s.health.failures = append(s.health.failures, seen.Failures...)
	}
	return watched, err
}

// bakeEnds looks once more at what is not asked again and again: documents, and alarms. One that rings still fails the
// instance, unless it rang before this one went out, which is said: one that rang while it was out may be its doing,
// and had the bake's time to pass. Metrics are judged for good: what has not come by now, and is waited for a little
// longer, is missing.
func (s *saga) bakeEnds(ctx workflow.Context) error {
	look, budget := s.observe(), looksToBelieve*s.in.Policy.Timing.Look
	look.Checks = slices.DeleteFunc(slices.Clone(look.Checks), func(check patch.HealthCheck) bool {
		return check.Alarm == "" && check.Metric == nil && !check.IsDocument()
	})
	look.Metrics.Final = true
	if len(look.Checks) == 0 {
		return nil
	}
	if slices.ContainsFunc(look.Checks, patch.HealthCheck.IsDocument) {
		budget += s.in.Policy.Timing.Agent
	}
	budget += patch.MetricWait(look.Checks)
	var seen patch.HealthObservation
	if err := s.await(ctx, budget, aws.AwaitHealthy, activities.AwaitHealthyInput{
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
	s.health.metrics = seen.Metrics
	for _, metric := range seen.Metrics {
		_, said := metric.Judge()
		s.note("%s", said)
	}
	return nil
}

// finish ends the instance's time: nothing of ours stays. The instance is patched and healthy whatever happens here, so
// a failure strands a mark or a suspension, which is told, but undoes no patch.
func (s *saga) finish(ctx workflow.Context) error {
	clean, stop := s.undoing(ctx)
	defer stop()
	switch {
	case s.putBack != nil:
	case len(s.patching.tries) > 0:
		s.status.Result.Outcome = patch.PatchedAs(s.patching.waits)
		s.tellReboot()
	default: // one that was stopped and had nothing due
		s.status.Result.Outcome = patch.CompliantAs(s.patching.waits)
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
