package activities

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// effect is what a call on an Auto Scaling group shows once it has taken effect. Describe calls lag by seconds, so an act ends
// only when its effect is shown: the next step, or an undo, would take the values of before for the truth, and for somebody
// else's.
type effect struct {
	Group patch.Group
	Pace  Pace
	What  string // completes "AWS to show ..." and tells the calls of one activity apart
	Shown func(*types.AutoScalingGroup) bool

	Wanted int // kept in the footprint
}

// shows is the effect that shown recognizes; what completes "AWS to show ...".
func shows(group patch.Group, pace Pace, what string, shown func(*types.AutoScalingGroup) bool) effect {
	return effect{Group: group, Pace: pace, What: what, Shown: shown}
}

// taken tells that AWS has answered the call of an earlier attempt well: it is not sent again, only its effect is waited for.
func (e effect) taken(ctx context.Context) bool {
	trace, _ := lastFootprint(ctx)
	return trace.Taken == e.What
}

// sent remembers that AWS has just answered the call well.
func (e effect) sent(ctx context.Context) {
	activity.RecordHeartbeat(ctx, footprint{Taken: e.What, Wanted: e.Wanted})
}

// apply makes a call and waits until AWS shows its effect.
func (w waits) apply(ctx context.Context, s *aws.Services, doing string, set effect, call func() error) error {
	if err := call(); err != nil {
		return aws.Wrap(doing, set.Group.String(), err)
	}
	set.sent(ctx)
	return w.see(ctx, s, set)
}

// lagPoll is how often an effect is looked for at most: reads lag by seconds, and each look costs a call.
const lagPoll = 3 * time.Second

// see waits until AWS shows the effect. What is not shown after Pace.ReadLag has been changed again by somebody else, and the
// next step decides by what there is. A group that is gone shows everything.
func (w waits) see(ctx context.Context, s *aws.Services, e effect) error {
	var since time.Time
	if trace, _ := lastFootprint(ctx); trace.Taken == e.What {
		since = trace.Since
	}
	pace := e.Pace
	pace.Poll = min(pace.Poll, patch.Duration(lagPoll))
	return w.lookKeeping(ctx, pace, func() any { return footprint{Taken: e.What, Since: since, Wanted: e.Wanted} }, func(ctx context.Context) (bool, string, error) {
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
