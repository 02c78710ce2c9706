package activities

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/hook"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// CallHook asks a webhook, or invokes a function, and waits for its answer; the token makes a repetition the same
// request. That it failed is an answer, not an error; NotReady where another request may be answered. Its error says
// whether nothing can have been done: see NothingDone.
func (a *AWS) CallHook(ctx context.Context, in HookInput) (end *patch.HookEnd, err error) {
	defer once.Typed(&err)
	call := once.NewOwnership(ctx)
	switch {
	case in.Call.Lambda != nil:
		end, err = a.callFunction(ctx, in, call)
	case in.Call.Webhook != nil:
		end, err = a.callWebhook(ctx, in, call)
	default:
		return nil, once.Final(ErrInvalidInput, "the hook %s is none that is called", in.About.Hook)
	}
	err = call.Told(ctx, err)
	var waits *temporal.ApplicationError
	if in.Call.Lambda != nil && errors.As(err, &waits) && waits.Type() == ErrNotReady {
		activity.RecordHeartbeat(ctx, once.Footprint{Unsent: call.Unsent}, waits.Message())
	}
	return end, err
}

// callFunction invokes a function. Lambda's answer is lost with the connection, which has to last as long as the
// function runs: then it may have run, or run still, and is invoked again with the same token.
func (a *AWS) callFunction(ctx context.Context, in HookInput, call *once.Ownership) (*patch.HookEnd, error) {
	function := *in.Call.Lambda
	s, err := a.connect(ctx, functionPlace(in.Instance.Group, function))
	if err != nil {
		return nil, err
	}
	event, err := json.Marshal(function.Event(in.About))
	if err != nil {
		return nil, err
	}
	began := time.Now()
	var ended *aws.FunctionEnd
	err = call.Sending(ctx, func() error {
		beating, stop := beat(ctx)
		defer stop()
		ended, err = aws.InvokeFunction(beating, s, function.Function, event)
		if aws.IsNotInvoked(err) {
			return &aws.Error{Kind: aws.Throttled, Message: aws.Reason(err), Err: err} // whatever its status: it has not run
		}
		return err
	})()
	wait, reason := aws.InvokeAfter(err)
	if reason != "" {
		reason = " (" + reason + ")"
	}
	switch {
	case err == nil:
		return &patch.HookEnd{
			Failed: hook.Cut(ended.Failed), Late: ended.Late, Output: hook.Output(ended.Output),
		}, nil
	case aws.IsNoFunction(err):
		return nil, once.Final(ErrHookFailed, "%s: there is no function %s", in.where(), function.Function)
	case aws.IsNotInvoked(err):
		return nil, once.NotReady(a.until(ctx, in, began, wait), "Lambda does not invoke it now%s: %s", reason,
			aws.Reason(err))
	case aws.MayHaveActed(err):
		return nil, once.NotReady(a.until(ctx, in, began, 0), "the function's answer was lost, and it may have run: %s",
			aws.Reason(err))
	}
	var unsent interface{ Unsent() bool }
	if seen := once.LastSeen(ctx); seen != "" && errors.As(err, &unsent) && unsent.Unsent() {
		return nil, once.NotReady(in.Pace.Poll.D(), "%s", seen) // too little time is left; why it has not ended is older
	}
	return nil, aws.Wrap("invoke the function "+function.Function, in.where(), err)
}

// functionPlace is the account and region in which Lambda is asked for a function: its ARN may name another region.
func functionPlace(group patch.Group, function patch.HookFunction) patch.Group {
	if region := function.Region(); region != "" {
		group.Region = region
	}
	return group
}

// beats is how often a call that takes long tells Temporal that this worker is alive.
const beats = 10 * time.Second

// beat heartbeats until stop is called. Its context ends a little before the attempt does, so that there is time to say
// that no answer has come.
func beat(ctx context.Context) (beating context.Context, stop func()) {
	info := activity.GetInfo(ctx)
	ends := info.Deadline.Add(-min(info.StartToCloseTimeout/10, 3*time.Second))
	beating, cancel := context.WithDeadline(ctx, ends)
	ticker := time.NewTicker(beats)
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-beating.Done():
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx, once.Footprint{})
			}
		}
	}()
	return beating, cancel
}

// until is when it is asked again: after what who was asked wants, or else after a look's pause; but in time for one
// more look before the call's time is over.
func (a *AWS) until(ctx context.Context, in HookInput, began time.Time, wanted time.Duration) time.Duration {
	poll := in.Pace.Poll.D()
	if wanted <= 0 {
		return poll
	}
	info := activity.GetInfo(ctx)
	whole := info.ScheduleToCloseTimeout
	left := whole - info.StartedTime.Sub(info.ScheduledTime) - time.Since(began)
	return max(min(wanted, left-whole/10), min(poll, wanted))
}

// callWebhook asks a webhook, or looks where it said that it may be seen how it goes on.
func (a *AWS) callWebhook(ctx context.Context, in HookInput, call *once.Ownership) (*patch.HookEnd, error) {
	if a.Secrets == nil {
		return nil, once.Final(ErrHookFailed, "this worker reads no secrets")
	}
	address, err := a.Secrets(ctx, in.Call.Webhook.URLFrom)
	if err != nil {
		return nil, once.NotReady(in.Pace.Poll.D(), "its address could not be read: %v", err)
	}
	secret, err := a.Secrets(ctx, in.Call.Webhook.SecretFrom)
	if err != nil {
		return nil, once.NotReady(in.Pace.Poll.D(), "its secret could not be read: %v", err)
	}
	webhook := hook.Webhook{URL: address, Secret: secret, Client: a.HTTP}
	if webhook.Client == nil {
		webhook.Client = http.DefaultClient
	}
	began, seen := time.Now(), lastStatus(ctx)
	var end *patch.HookEnd
	if at, ok := webhook.Unseal(in.About.Token, seen); ok {
		activity.RecordHeartbeat(ctx, once.Footprint{}, seen)
		end, err = webhook.Look(ctx, in.About, at)
	} else {
		err = call.Sending(ctx, func() error {
			end, err = webhook.Ask(ctx, in.About)
			return err
		})()
	}
	var passing *hook.PassingError
	if errors.As(err, &passing) {
		if passing.Status != "" {
			seen = webhook.Seal(in.About.Token, passing.Status)
		}
		activity.RecordHeartbeat(ctx, once.Footprint{}, seen)
		return nil, once.NotReady(a.until(ctx, in, began, passing.After), "%s", passing.Why)
	}
	return end, err
}

// lastStatus is where the attempt before was told to look, sealed; "" where it was not.
func lastStatus(ctx context.Context) (sealed string) {
	var trace once.Footprint
	if !activity.HasHeartbeatDetails(ctx) || activity.GetHeartbeatDetails(ctx, &trace, &sealed) != nil {
		return ""
	}
	return sealed
}
