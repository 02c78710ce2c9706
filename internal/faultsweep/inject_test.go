package faultsweep

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// injector makes the trouble of a case and notes the calls of the wave.
type injector struct {
	scene *wavetest.Scene
	world *world.World // to be touched under the simulator's lock only
	c     sweepCase

	mu    sync.Mutex
	calls []call
	fired bool
	hit   bool // the call under way is the one in trouble
	times int
	thens int // failures of the compensation's first call, or of undos

	denied time.Time // the first undo was
}

const (
	// sdkAttempts is how often the SDK itself sends a read: trouble that the worker shall see lasts as long.
	sdkAttempts = 3
	// throttles is how often a call is throttled, and a compensation's call fails, before it passes.
	throttles = 5
	// enough failures of a call that fails for good, and the operator gives up.
	enough = 12
)

// decide is asked under the simulator's lock.
func (i *injector) decide(info awssim.CallInfo) awssim.Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	at := callOf(info)
	i.calls = append(i.calls, at)
	if i.fired && i.c.then != nil && i.c.then.again(at) && (i.c.forGood || i.thens < throttles) {
		i.thens++
		return awssim.Fault{Kind: awssim.FaultError}
	}
	if i.fired && i.c.trouble == undoDenied && slices.Contains(undoes, info.Operation) {
		if i.thens++; i.thens == 1 {
			i.denied = info.Time
		}
		return deniedCall
	}
	if !i.c.at.again(at) || i.times >= i.lasts() {
		return awssim.Fault{}
	}
	i.fired = true
	i.times++
	switch i.c.trouble {
	case errorBefore:
		return awssim.Fault{Kind: awssim.FaultError}
	case lostReply:
		return awssim.Fault{Kind: awssim.FaultLostReply}
	case throttledFive:
		return awssim.Fault{Kind: awssim.FaultThrottle}
	case timeoutBefore:
		return awssim.Fault{Kind: awssim.FaultTimeout}
	case timeoutAfter:
		return awssim.Fault{Kind: awssim.FaultTimeout, Effect: true}
	case emptyAnswer:
		return awssim.Fault{Kind: awssim.FaultEmpty}
	case notListed:
		return awssim.Fault{Kind: awssim.FaultUnlisted}
	case accessDenied, undoDenied:
		return deniedCall
	case queuedForHours:
		i.keepBusy(info)
	case workerStopped:
		i.hit = true
		return awssim.Fault{Kind: awssim.FaultTimeout}
	case workerStopped2:
		i.hit = true
		return awssim.Fault{Kind: awssim.FaultLostReply}
	case cancelled:
		i.hit = true
	}
	return awssim.Fault{}
}

var deniedCall = awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Message: "injected"}

// keepBusy lets so many executions run that any other waits for hours. It runs under the simulator's lock.
func (i *injector) keepBusy(info awssim.CallInfo) {
	region := i.world.Account(info.Account).Region(info.Region)
	_, err := region.CreateDocument(napDocument, "Automation", "JSON", `{"schemaVersion":"0.3","mainSteps":[`+
		`{"name":"nap","action":"aws:sleep","inputs":{"Duration":"PT2H"}}]}`, "", nil)
	for n := 0; n < world.AutomationAtOnce && err == nil; n++ {
		_, err = region.StartAutomation(world.StartSpec{Document: napDocument})
	}
	if err != nil {
		panic(err)
	}
}

// napDocument is what the executions of others run.
const napDocument = "Nap"

// patience is how long a person looks on while undos are denied.
const patience = 30 * time.Minute

// givesUp reports whether a person ends a wave whose undo fails for good.
func (i *injector) givesUp() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.c.trouble == undoDenied {
		return !i.denied.IsZero() && i.scene.Env.Now().Sub(i.denied) > patience
	}
	return i.c.forGood && i.thens >= enough
}

// lasts is how many calls in a row are in trouble.
func (i *injector) lasts() int {
	switch i.c.trouble {
	case throttledFive:
		return throttles
	case errorBefore, lostReply, timeoutBefore:
		if isRead(i.c.at.operation) {
			return sdkAttempts
		}
	}
	return 1
}

// attempt is one attempt of an activity. When its worker stops, nothing more of it gets out, and its result is thrown
// away whatever it was: Temporal only sees it time out.
type attempt struct {
	activity string
	mu       sync.Mutex
	stopped  bool
}

type attemptKey struct{}

// roundTrip lets nothing out of a stopped attempt, and stops the one whose call is in trouble.
func (i *injector) roundTrip(request *http.Request, next http.RoundTripper) (*http.Response, error) {
	by, _ := request.Context().Value(attemptKey{}).(*attempt)
	if by != nil && by.hasStopped() {
		return nil, errStopped
	}
	response, err := next.RoundTrip(request)
	i.mu.Lock()
	mine := i.hit && (err != nil || i.c.trouble == cancelled)
	if mine {
		i.hit = false
	}
	i.mu.Unlock()
	switch {
	case !mine:
	case i.c.trouble == cancelled:
		i.cancelNow()
	case by != nil:
		by.stop()
	}
	return response, err
}

var errStopped = errors.New("the worker has stopped")

// cancelNow cancels the wave while the call's activity still runs, and waits until the wave knows.
func (i *injector) cancelNow() {
	known := make(chan struct{})
	env := i.scene.Env
	env.RegisterDelayedCallback(func() {
		env.CancelWorkflow()
		env.RegisterDelayedCallback(func() { close(known) }, 0)
	}, 0)
	<-known
}

func (a *attempt) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = true
}

func (a *attempt) hasStopped() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stopped
}

// attempts knows each request's attempt, and throws the results of stopped ones away.
type attempts struct {
	interceptor.WorkerInterceptorBase
}

func (a *attempts) InterceptActivity(
	_ context.Context, next interceptor.ActivityInboundInterceptor,
) interceptor.ActivityInboundInterceptor {
	inbound := &attemptInbound{}
	inbound.Next = next
	return inbound
}

type attemptInbound struct {
	interceptor.ActivityInboundInterceptorBase
}

func (a *attemptInbound) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	now := &attempt{activity: activity.GetInfo(ctx).ActivityType.Name}
	result, err := a.Next.ExecuteActivity(context.WithValue(ctx, attemptKey{}, now), in)
	if now.hasStopped() {
		return nil, temporal.NewApplicationError("the worker stopped", "WorkerStopped")
	}
	return result, err
}
