package wavetest

import (
	"context"
	"errors"
	"sync"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
)

// attempts remembers how each activity under way stands, as Temporal does; its test environment cannot be asked.
type attempts struct {
	interceptor.WorkerInterceptorBase
	mu     sync.Mutex
	last   map[activities.ReadPendingInput]activities.Pending
	paused string // see Scene.PauseInTemporal
	stays  bool   // see Scene.OwnersStay
	under  int    // attempts under way, some of which outlive their wave
	over   func() // what is done once the last has ended, and none begins any more; nil: not yet
}

// errOver ends an attempt of a scene that is over.
var errOver = errors.New("the scene is over")

func (a *attempts) begin() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over != nil {
		return false
	}
	a.under++
	return true
}

func (a *attempts) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.under--; a.under == 0 && a.over != nil {
		a.over()
	}
}

// close does something when no attempt is under way and none begins any more.
func (a *attempts) close(then func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over = then; a.under == 0 {
		then()
	}
}

// InterceptActivity looks at each attempt.
func (a *attempts) InterceptActivity(
	_ context.Context, next interceptor.ActivityInboundInterceptor,
) interceptor.ActivityInboundInterceptor {
	return &attempt{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}, all: a}
}

type attempt struct {
	interceptor.ActivityInboundInterceptorBase
	all *attempts
}

func (a *attempt) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	info := activity.GetInfo(ctx)
	which := activities.ReadPendingInput{WorkflowID: info.WorkflowExecution.ID, Activity: info.ActivityType.Name}
	if !a.all.begin() {
		return nil, errOver
	}
	defer a.all.end()
	result, err := a.Next.ExecuteActivity(ctx, in)
	a.all.mu.Lock()
	defer a.all.mu.Unlock()
	if err == nil {
		delete(a.all.last, which)
		return result, nil
	}
	if a.all.stays && activity.GetInfo(ctx).ActivityType.Name == activities.NameOf((*activities.Control).AwaitRunClosed) {
		return nil, activity.ErrResultPending
	}
	now := activities.Pending{Attempt: int(info.Attempt) + 1, Failure: err.Error()}
	var typed *temporal.ApplicationError
	if errors.As(err, &typed) {
		now.Failure = typed.Message()
		now.Waits = typed.Category() == temporal.ApplicationErrorCategoryBenign
	}
	a.all.last[which] = now
	return result, err
}

// PauseInTemporal has Temporal tell that somebody has paused what each instance waits for; "" ends it.
func (s *Scene) PauseInTemporal(what string) {
	s.attempts.mu.Lock()
	defer s.attempts.mu.Unlock()
	s.attempts.paused = what
}

// Paused answers what somebody has paused.
func (a *attempts) Paused(context.Context, string, string) ([]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.paused == "" {
		return nil, nil
	}
	return []string{a.paused}, nil
}

// Pending answers how an activity stands.
func (a *attempts) Pending(_ context.Context, in activities.ReadPendingInput) (*activities.Pending, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	in.RunID = "" // of which the test environment has one a workflow
	if now, found := a.last[in]; found {
		return &now, nil
	}
	return nil, nil
}
