package activities

import (
	"context"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/patch"
)

// ObserveHealthInput asks how one instance is.
type ObserveHealthInput struct {
	Instance     Instance
	Platform     patch.Platform
	TargetGroups []string // ARNs to look at
	Checks       []patch.HealthCheck
	Pace         Pace
}

// ObserveHealth looks once at everything the checks name: EC2's state and status checks, target health, HTTP from the
// instance (a read-only command) or from the worker, alarms. It judges nothing: patch.JudgeHealth does. Gone when EC2
// no longer has it. HTTP from the instance takes until its command has answered, NotReady meanwhile: call it as a wait.
func (a *AWS) ObserveHealth(ctx context.Context, in ObserveHealthInput) (*patch.HealthObservation, error) {
	return a.observeUntil(ctx, in, func(*patch.HealthObservation) (bool, string, error) { return true, "", nil })
}

// AwaitHealthyInput waits for health.
type AwaitHealthyInput struct {
	Observe ObserveHealthInput
	Before  []patch.Target
	Since   patch.HealthObservation // the first observation after return: alarms count from its At
}

// AwaitHealthy observes until patch.JudgeHealth finds the instance healthy; NotHealthy (terminal) on what no wait will
// mend; NotReady with the reasons otherwise.
func (a *AWS) AwaitHealthy(ctx context.Context, in AwaitHealthyInput) (*patch.HealthObservation, error) {
	return a.observeUntil(ctx, in.Observe, func(seen *patch.HealthObservation) (bool, string, error) {
		health := patch.JudgeHealth(in.Before, in.Observe.Checks, *seen, in.Since.At)
		if len(health.Failed) > 0 {
			return false, "", final(ErrNotHealthy, "%s: %s", in.Observe.Instance, health)
		}
		return health.Healthy(), in.Observe.Instance.String() + " is not healthy yet: " + health.String(), nil
	})
}

// observeUntil observes until enough says so of a whole observation. Commands that were sent and have not answered are
// kept for the next attempt; once all have answered, the next look sends new ones, and not before Poll has passed.
func (a *AWS) observeUntil(
	ctx context.Context, in ObserveHealthInput, enough func(*patch.HealthObservation) (bool, string, error),
) (*patch.HealthObservation, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	sent := probes{}
	if activity.HasHeartbeatDetails(ctx) {
		// Details that cannot be read only mean that the commands are sent again.
		if err := activity.GetHeartbeatDetails(ctx, &sent); err != nil || sent == nil {
			sent = probes{}
		}
	}
	var last *patch.HealthObservation
	var next time.Time
	var why string
	err = a.lookKeeping(ctx, in.Pace, func() any { return sent }, func(ctx context.Context) (bool, string, error) {
		// Answers are looked for often, but an instance is not asked anew more often than the plan says.
		if time.Now().Before(next) {
			return false, why, nil
		}
		seen, waitingFor, err := a.observe(ctx, s, in, sent)
		if err != nil || len(waitingFor) > 0 {
			return false, in.Instance.String() + ": no answer yet to " + strings.Join(waitingFor, ", "), err
		}
		clear(sent)
		last, next = seen, time.Now().Add(in.Pace.Poll.D())
		var done bool
		done, why, err = enough(seen)
		return done, why, err
	})
	if err != nil {
		return nil, err
	}
	return last, nil
}

// healthLook is one look at an instance, as the kinds of health checks fill it.
type healthLook struct {
	ObserveHealthInput
	services *Services
	sight    sighting
	sent     probes
	seen     *patch.HealthObservation
	// waitingFor names what has been asked and has not answered.
	waitingFor []string
}

// healthObserver observes one kind of health check; patch.HealthKind judges it.
type healthObserver struct {
	// check refuses a check that cannot be asked, before anything is. nil: all can.
	check   func(where string, check patch.HealthCheck) error
	observe func(ctx context.Context, a *AWS, look *healthLook) error
}

// healthObservers has an observer for the key of each of patch.HealthKinds.
var healthObservers = map[string]healthObserver{
	"target_group": {observe: observeTargets},
	"http":         {check: checkHTTP, observe: observeHTTP},
	"alarm":        {observe: observeAlarms},
}

// check refuses checks that cannot be asked. One of a kind that this worker does not know would count as passed if it
// were left out.
func (in ObserveHealthInput) check() error {
	for i, check := range in.Checks {
		kind, ok := check.Kind()
		if !ok {
			return final(ErrInvalidInput, "%s: health check %d is of no kind that this worker knows", in.Instance, i+1)
		}
		if refuse := healthObservers[kind.Key].check; refuse != nil {
			if err := refuse(in.Instance.String(), check); err != nil {
				return err
			}
		}
	}
	return nil
}

// observe is one look; waitingFor names the commands that have not answered.
func (a *AWS) observe(
	ctx context.Context, s *Services, in ObserveHealthInput, sent probes,
) (seen *patch.HealthObservation, waitingFor []string, err error) {
	sight, err := s.seeMachine(ctx, in.Instance)
	if err != nil {
		return nil, nil, err
	}
	seen = &patch.HealthObservation{Member: sight.member, At: sight.at}
	look := &healthLook{ObserveHealthInput: in, services: s, sight: sight, sent: sent, seen: seen}
	for _, kind := range patch.HealthKinds() {
		if err := healthObservers[kind.Key].observe(ctx, a, look); err != nil {
			return nil, nil, err
		}
	}
	return seen, look.waitingFor, nil
}

// platform is the caller's word, or what the instance is seen to be.
func (in ObserveHealthInput) platform(member patch.Member) patch.Platform {
	if in.Platform != "" {
		return in.Platform
	}
	return member.Platform
}
