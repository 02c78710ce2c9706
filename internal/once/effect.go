package once

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// Effect is what a call on an Auto Scaling group shows once it has taken effect. Describe calls lag by seconds, so an
// act ends only when its effect is shown: the next step, or an undo, would take the values of before for the truth, and
// for somebody else's.
type Effect struct {
	Group patch.Group
	Pace  Pace
	What  string // completes "AWS to show ..." and tells the calls of one activity apart
	Shown func(*types.AutoScalingGroup) bool

	Wanted int      // kept in the footprint
	Others []string // likewise
}

// Shows is the effect that shown recognizes; what completes "AWS to show ...".
func Shows(group patch.Group, pace Pace, what string, shown func(*types.AutoScalingGroup) bool) Effect {
	return Effect{Group: group, Pace: pace, What: what, Shown: shown}
}

// Taken reports whether AWS has answered the call of an earlier attempt well: it is not sent again, only its effect is
// waited for.
func (e Effect) Taken(ctx context.Context) bool {
	trace, _ := LastFootprint(ctx)
	return trace.Taken == e.What
}

// Sent remembers that AWS has just answered the call well.
func (e Effect) Sent(ctx context.Context) {
	activity.RecordHeartbeat(ctx, Footprint{Taken: e.What, Wanted: e.Wanted, Others: e.Others})
}

// Apply makes a call and waits until AWS shows its effect.
func (w Waits) Apply(ctx context.Context, s *aws.Services, doing string, set Effect, call func() error) error {
	if err := call(); err != nil {
		return aws.Wrap(doing, set.Group.String(), err)
	}
	set.Sent(ctx)
	return w.See(ctx, s, set)
}

// lagPoll is how often an effect is looked for at most: reads lag by seconds, and each look costs a call.
const lagPoll = 3 * time.Second

// See waits until AWS shows the effect. What is not shown after Pace.ReadLag has been changed again by somebody else,
// and the next step decides by what there is. A group that is gone shows everything.
func (w Waits) See(ctx context.Context, s *aws.Services, e Effect) error {
	var since time.Time
	if trace, _ := LastFootprint(ctx); trace.Taken == e.What {
		since = trace.Since
	}
	pace := e.Pace
	pace.Poll = min(pace.Poll, patch.Duration(lagPoll))
	return w.LookKeeping(
		ctx, pace, func() any { return Footprint{Taken: e.What, Since: since, Wanted: e.Wanted, Others: e.Others} },
		func(ctx context.Context) (bool, string, error) {
			group, at, err := aws.FindGroupAt(ctx, s, e.Group)
			if err != nil {
				return false, "", err
			}
			if group == nil || e.Shown(group) {
				return true, "", nil
			}
			if since.IsZero() {
				since = at
			}
			return at.Sub(since) >= w.Speed.OnAWS(pace.ReadLag), e.Group.String() + ": AWS to show " + e.What, nil
		})
}
