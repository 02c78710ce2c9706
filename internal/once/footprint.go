package once

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/aws"
)

// Footprint is what an acting activity keeps for its next attempt, in heartbeat details: whether a call of an earlier
// attempt may have taken effect without our learning it.
type Footprint struct {
	// Unsent: no call has left yet that AWS did not refuse.
	Unsent bool `json:"unsent,omitempty"`
	// EmptySince is since when, by AWS's clock, what the call would have made is not there.
	EmptySince time.Time `json:"empty_since,omitzero"`
	// Taken names the call that AWS has answered well (see Effect); Since is from when on, by AWS's clock, its effect is
	// looked for.
	Taken string    `json:"taken,omitempty"`
	Since time.Time `json:"since,omitzero"`
	// Wanted is what desired is to be in the end, as far as that was learnt only when the call went out.
	Wanted int `json:"wanted,omitempty"`
	// Others is what somebody else had done of it before the call went out.
	Others []string `json:"others,omitempty"`
}

// Others is what of a call's effect somebody else had made before it went out, as the attempt before has seen it.
func Others(ctx context.Context) []string {
	trace, _ := LastFootprint(ctx)
	return trace.Others
}

// NotOurs are those of an effect's parts that are there, by AWS's clock at that time, before any call of ours has gone
// out: somebody else has made them. NotReady until they have been seen for Pace.ReadLag, since a look may show what was
// so before. Where a call may have gone out only those are that were known when it did. Whoever sends the call keeps
// them: see Sending.
func (w Waits) NotOurs(ctx context.Context, pace Pace, at time.Time, there []string) ([]string, error) {
	trace, _ := LastFootprint(ctx)
	switch {
	case !NewOwnership(ctx).Unsent:
		return trace.Others, nil
	case len(there) == 0:
		return nil, nil
	case trace.Since.IsZero():
		activity.RecordHeartbeat(ctx, Footprint{Unsent: true, Since: at})
	case at.Sub(trace.Since) >= w.Speed.OnAWS(pace.ReadLag):
		return there, nil
	default:
		activity.RecordHeartbeat(ctx, trace)
	}
	return nil, NotReady(pace.Poll.D(), "waiting to see whether %v is somebody else's doing", there)
}

// Sending keeps, before a call goes out, that it may be on its way from here on, and what of its effect is others'. It
// is the first heartbeat of its attempt, and so is sent at once.
func Sending(ctx context.Context, others []string) {
	activity.RecordHeartbeat(ctx, Footprint{Others: others})
}

// MaySend decides whether a call that makes something new may go out, after a look at AWS's clock's time `at` found
// nothing that an earlier attempt made. AWS's lists lag, so after a call of unknown fate it is refused (NotReady) until
// they have stayed empty for Pace.ReadLag. An attempt's own call cannot be on its way any more by then: clients carry
// the attempt's deadline, and the next attempt begins after it.
func (w Waits) MaySend(ctx context.Context, pace Pace, at time.Time, what string) error {
	trace, known := LastFootprint(ctx)
	switch {
	case activity.GetInfo(ctx).Attempt <= 1, known && trace.Unsent:
	case trace.EmptySince.IsZero():
		activity.RecordHeartbeat(ctx, Footprint{EmptySince: at})
		return NotReady(pace.Poll.D(), "waiting to see whether an earlier attempt started %s", what)
	case at.Sub(trace.EmptySince) < w.Speed.OnAWS(pace.ReadLag):
		return NotReady(pace.Poll.D(), "waiting to see whether an earlier attempt started %s", what)
	}
	// From here on a call may be on its way. One heartbeat an attempt, since only the first is sent at once.
	activity.RecordHeartbeat(ctx, Footprint{})
	return nil
}

// Unsent remembers, with an error that comes before the call or is AWS's refusal of it, that nothing took effect; the
// next attempt then need not wait for lists to settle. It returns err.
func Unsent(ctx context.Context, err error) error {
	trace, known := LastFootprint(ctx)
	if err != nil && (activity.GetInfo(ctx).Attempt <= 1 || known && trace.Unsent) {
		activity.RecordHeartbeat(ctx, Footprint{Unsent: true})
	}
	return err
}

// Refused remembers the same of a call that has gone out, if its error proves it.
func Refused(ctx context.Context, err error) {
	if err != nil && !aws.MayHaveActed(err) {
		activity.RecordHeartbeat(ctx, Footprint{Unsent: true})
	}
}

// LastFootprint is what the attempt before left, if it left any that can be read.
func LastFootprint(ctx context.Context) (Footprint, bool) {
	var trace Footprint
	known := activity.HasHeartbeatDetails(ctx) && activity.GetHeartbeatDetails(ctx, &trace) == nil
	return trace, known
}
