package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/once"
)

// sentBefore is what an attempt leaves whose call may have had an effect; refusedBefore, one whose call cannot.
var (
	sentBefore    = map[string]bool{}
	refusedBefore = map[string]bool{"unsent": true}
)

// One more than was read is ours only after a call of unknown fate. Before that it is somebody else's, and the error
// says that nothing is to be taken back.
func TestOneMoreThanWasReadIsOursOnlyAfterACallOfUnknownFate(t *testing.T) {
	plain := activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 6}
	withMax := activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 4, RaiseMax: 1}
	for _, c := range []struct {
		name         string
		kept         any
		raise        activities.RaiseInput
		desired, max int // as somebody, or an earlier attempt, has set them
		refused      bool
		theirs       bool // max is
		wantDesired  int
		wantMax      int
	}{
		{name: "theirs at the first attempt", raise: plain, desired: 5, max: 6, refused: true, wantDesired: 5, wantMax: 6},
		{
			name: "theirs after a refused call", kept: refusedBefore, raise: plain, desired: 5, max: 6, refused: true,
			wantDesired: 5, wantMax: 6,
		},
		{
			name: "ours after a call of unknown fate", kept: sentBefore, raise: plain, desired: 5, max: 6, wantDesired: 5,
			wantMax: 6,
		},
		{
			name: "more than ours can be", kept: sentBefore, raise: plain, desired: 6, max: 6, refused: true, wantDesired: 6,
			wantMax: 6,
		},
		{
			name: "both theirs at the first attempt", raise: withMax, desired: 5, max: 5, refused: true, wantDesired: 5,
			wantMax: 5,
		},
		{
			name: "both ours after a call of unknown fate", kept: sentBefore, raise: withMax, desired: 5, max: 5, wantDesired: 5,
			wantMax: 5,
		},
		{
			name: "desired ours, max theirs by then", kept: sentBefore, raise: withMax, desired: 5, max: 9, theirs: true,
			wantDesired: 5, wantMax: 9,
		},
		{name: "both raised in one call", raise: withMax, desired: 4, max: 4, wantDesired: 5, wantMax: 5},
		{
			name: "max theirs, desired raised by us", raise: withMax, desired: 4, max: 5, theirs: true, wantDesired: 5,
			wantMax: 5,
		},
		{
			name: "max ours by an attempt before, desired raised now", kept: sentBefore, raise: withMax, desired: 4, max: 5,
			wantDesired: 5, wantMax: 5,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newAttempts(t)
			f.Change(func(_ *world.Region, group *world.ScalingGroup) {
				require.NoError(t, group.Resize(world.Sizes{Max: &c.max, Desired: &c.desired}))
			})
			var raised activities.Raised
			_, err := f.do(c.kept, f.RaiseDesired, c.raise, &raised)
			state := f.inspect(production)
			require.Equal(t, []int{c.wantDesired, c.wantMax}, []int{state.Desired, state.Max})
			require.LessOrEqual(t, f.Calls("SetDesiredCapacity")+f.Calls("UpdateAutoScalingGroup"), 1)
			if !c.refused {
				require.NoError(t, err)
				require.Equal(t, c.theirs, raised.MaxTheirs)
				return
			}
			var typed *temporal.ApplicationError
			require.ErrorAs(t, err, &typed)
			require.Equal(t, activities.ErrRejected, typed.Type())
			require.True(t, typed.NonRetryable())
			require.Equal(t, c.name != "more than ours can be", once.NothingDone(err))
			require.Zero(t, f.Calls("SetDesiredCapacity")+f.Calls("UpdateAutoScalingGroup"))
		})
	}
}

func TestWhoRaisedMax(t *testing.T) {
	raise := activities.MaxInput{Group: production, MaxBefore: 6, By: 1}
	for _, c := range []struct {
		name    string
		kept    any
		max     int
		theirs  bool
		wantMax int
	}{
		{"ours", nil, 6, false, 7},
		{"theirs at the first attempt", nil, 7, true, 7},
		{"theirs after a refused call", refusedBefore, 7, true, 7},
		{"ours after a call of unknown fate", sentBefore, 7, false, 7},
		{"more than ours can be", sentBefore, 9, true, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newAttempts(t)
			f.Change(func(_ *world.Region, group *world.ScalingGroup) { group.Max = c.max })
			var raised activities.Raised
			_, err := f.do(c.kept, f.RaiseMax, raise, &raised)
			require.NoError(t, err)
			require.Equal(t, c.theirs, raised.MaxTheirs)
			require.Equal(t, c.wantMax, f.inspect(production).Max)
		})
	}
}

// What a raise says of itself when it fails for good, with Temporal's own retries: only where no call can have had an
// effect is there nothing to take back.
func TestARaiseThatFailsTellsWhetherAnythingWasDone(t *testing.T) {
	raise := activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 6, Pace: pace}
	for _, c := range []struct {
		name        string
		faults      []awssim.Fault // of the calls that raise, in turn; the last one stays
		nothingDone bool
	}{
		{"denied at once", []awssim.Fault{{Kind: awssim.FaultError, Code: "AccessDenied", Status: 403}}, true},
		{"throttled until its budget is spent", []awssim.Fault{{Kind: awssim.FaultThrottle}}, true},
		{
			"throttled, then denied",
			[]awssim.Fault{{Kind: awssim.FaultThrottle}, {Kind: awssim.FaultError, Code: "AccessDenied", Status: 403}},
			true,
		},
		{
			"no reply, then denied",
			[]awssim.Fault{{Kind: awssim.FaultTimeout}, {Kind: awssim.FaultError, Code: "AccessDenied", Status: 403}},
			false,
		},
		{
			"a server's error until its budget is spent",
			[]awssim.Fault{{Kind: awssim.FaultError, Code: "InternalFailure", Status: 500}},
			false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFleet(t)
			calls := 0
			f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation != "SetDesiredCapacity" {
					return awssim.Fault{}
				}
				calls++
				return c.faults[min(calls, len(c.faults))-1]
			})
			_, err := run[activities.Raised](f, pace.ReadLag.D(), f.aws.RaiseDesired, raise)
			require.Error(t, err)
			require.Equal(t, c.nothingDone, once.NothingDone(err), "%v", err)
		})
	}
}

// Somebody scales out by one while the first calls are throttled: that one is theirs.
func TestOneMoreThatSomebodyAddsWhileWeAreThrottledIsTheirs(t *testing.T) {
	f := newFleet(t)
	f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "SetDesiredCapacity" {
			return awssim.Fault{Kind: awssim.FaultThrottle}
		}
		return awssim.Fault{}
	})
	var aws *world.World
	f.Inspect(func(w *world.World) { aws = w })
	aws.After(everyTen.Poll.D(), func() {
		group, err := aws.Account(production.Account.ID).Region(tokyo).ScalingGroup("web")
		require.NoError(t, err)
		require.NoError(t, group.SetDesired(5))
	})
	_, err := run[activities.Raised](
		f, everyTen.ReadLag.D(), f.aws.RaiseDesired,
		activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 6, Pace: everyTen},
	)
	require.ErrorContains(t, err, "somebody changed desired from 4 to 5")
	require.True(t, once.NothingDone(err))
}
