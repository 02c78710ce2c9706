package activities

import (
	"context"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ObserveHealthInput asks how one instance is.
type ObserveHealthInput struct {
	Instance     Instance
	Platform     patch.Platform
	TargetGroups []string // ARNs to look at
	Checks       []patch.HealthCheck
	Metrics      patch.MetricLook // which data metric checks are about
	Pace         Pace
}

// ObserveHealth looks once at everything the checks name: EC2's state and status checks, target health, what is asked
// on the instance (by one read-only command) or by the worker, alarms, metrics. It judges nothing: patch.JudgeHealth
// does. Gone when EC2 no longer has it. What is asked on the instance takes until its command has answered, NotReady
// meanwhile: call it as a wait.
func (a *AWS) ObserveHealth(ctx context.Context, in ObserveHealthInput) (_ *patch.HealthObservation, err error) {
	defer once.Typed(&err)
	return a.observeUntil(ctx, in, lastCommands(ctx), func(*patch.HealthObservation) (bool, string, error) {
		return true, "", nil
	})
}

func (in ObserveHealthInput) query() aws.HealthQuery {
	return aws.HealthQuery{
		Instance: in.Instance, Platform: in.Platform, TargetGroups: in.TargetGroups, Checks: in.Checks,
		Metrics: in.Metrics,
	}
}

// observeUntil observes until enough says so of a whole observation. Commands that were sent and have not answered are
// kept for the next attempt; once all have answered, the next look sends new ones, and not before Poll has passed.
func (a *AWS) observeUntil(
	ctx context.Context, in ObserveHealthInput, sent aws.Commands,
	enough func(*patch.HealthObservation) (bool, string, error),
) (*patch.HealthObservation, error) {
	query := in.query()
	if err := query.Validate(); err != nil {
		return nil, err
	}
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	var last *patch.HealthObservation
	var next time.Time
	why := once.LastSeen(ctx)
	err = a.waits().LookKeeping(ctx, in.Pace, func() any { return sent }, func(ctx context.Context) (bool, string, error) {
		// Answers are looked for often, but an instance is not asked anew more often than the plan says.
		if time.Now().Before(next) {
			return false, why, nil
		}
		seen, waitingFor, err := a.observer().Observe(ctx, s, query, sent)
		if err != nil || len(waitingFor) > 0 {
			return false, unanswered(in.Instance, why, waitingFor), err
		}
		sent.Forget()
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

// lastCommands are those that the attempt before left under way. Details that cannot be read only mean that they are
// sent again.
func lastCommands(ctx context.Context) aws.Commands {
	sent := aws.Commands{}
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &sent); err != nil || sent == nil {
			sent = aws.Commands{}
		}
	}
	return sent
}

func (a *AWS) observer() aws.Observer {
	return aws.Observer{HTTP: a.HTTP, Secrets: a.Secrets, Speed: a.speed()}
}

// unansweredYet begins what is waited for while commands are under way.
const unansweredYet = "no answer yet to "

// unanswered says what has not answered, behind what the last whole look saw.
func unanswered(in Instance, seen string, waitingFor []string) string {
	before, _, _ := strings.Cut(seen, unansweredYet)
	if before = strings.TrimRight(before, "; "); before == "" {
		before = in.String() + ":"
	} else if !strings.HasSuffix(before, ":") {
		before += ";"
	}
	return before + " " + unansweredYet + strings.Join(waitingFor, ", ")
}
