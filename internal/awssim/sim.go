// Package awssim is a simulated AWS over the real wire protocols: official clients, pointed at it by an endpoint URL,
// cannot tell it apart in what Patchtide uses. It owns no timers and no goroutines; each request first plays the world
// forward to the clock's present and is then answered under one lock.
package awssim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/services"
	"github.com/patchtide/patchtide/internal/awssim/wire"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// Options say which AWS to simulate and how its time passes.
type Options struct {
	Scenario *world.Scenario
	// Now is AWS's clock. Quotas refill and events happen by it. Nil: the wall's clock, Speed times as fast, from now on.
	Now func() time.Time
	// Speed is how many AWS seconds pass in one of the wall's; 0 is 1. It scales the default clock and the waiting of slow
	// replies. A given Now already runs as fast as it runs.
	Speed float64
	// Logger hears of what is not modelled and of injected faults; nil discards.
	Logger *slog.Logger
	// Wait passes wall time for a slow reply and for a call that is held; nil waits really. Tests in simulated time give
	// one that returns at once.
	Wait func(context.Context, time.Duration) error
}

// Sim is the simulated AWS; it answers every service's requests.
type Sim struct {
	now   func() time.Time
	speed float64
	log   *slog.Logger
	wait  func(context.Context, time.Duration) error

	mu       sync.Mutex
	world    *world.World
	registry *api.Registry
	quotas   quotas
	faults   faultRules
	events   eventLog
	service  serviceRecord
	actions  actionBook
}

// New builds the scenario's world, with its present as the clock's.
func New(options Options) (*Sim, error) {
	if options.Scenario == nil {
		return nil, errors.New("awssim: Options.Scenario is missing; load one with world.LoadScenario")
	}
	s := &Sim{now: options.Now, speed: options.Speed, log: options.Logger, wait: options.Wait, registry: api.NewRegistry()}
	if s.speed <= 0 {
		s.speed = 1
	}
	if s.now == nil {
		s.now = fastClock(s.speed)
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.wait == nil {
		s.wait = waitReally
	}
	var err error
	if s.world, err = world.New(options.Scenario, s.now()); err != nil {
		return nil, fmt.Errorf("awssim: build scenario %q: %w", options.Scenario.Name, err)
	}
	s.faults = newFaultRules(options.Scenario.Faults.API, s.world)
	s.quotas = newQuotas()
	s.events = newEventLog()
	s.service = newServiceRecord(s.world)
	s.actions = actionBook{}
	s.world.Call, s.world.Allow = s.callInside, s.allowInside
	services.Register(s.registry, s.world)
	s.service.watch()
	return s, nil
}

// fastClock runs speed times as fast as the wall's clock, from this moment on.
func fastClock(speed float64) func() time.Time {
	start := time.Now()
	return func() time.Time { return start.Add(time.Duration(float64(time.Since(start)) * speed)) }
}

func waitReally(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Inspect plays the world forward and lets f look at it, or change it, under the simulator's lock.
func (s *Sim) Inspect(f func(*world.World)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	f(s.world)
	s.service.measureAll()
}

// Operations lists what is modelled, as "service:operation".
func (s *Sim) Operations() []string { return s.registry.Operations() }

func (s *Sim) advance() { s.world.Advance(s.now()) }

// ServeHTTP answers a request signed for any service, and the simulator's own pages for requests that are not signed.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scope, signed := readScope(r)
	if !signed && r.Method == http.MethodGet && s.servePage(w, r) {
		return
	}
	request, err := wire.Read(r, scope.service)
	switch {
	case !signed && unsigned[request.Operation]:
		err = api.NotModelled("operation sts:%s", request.Operation)
	case !signed:
		err = &api.Error{
			Code: "MissingAuthenticationToken", Status: http.StatusForbidden, Message: "Request is missing Authentication Token",
		}
	}
	response, fault := s.answer(r.Context(), request, scope, err)
	if fault.Kind == FaultSlow {
		_ = s.wait(r.Context(), time.Duration(float64(fault.Delay)/s.speed)) // the client gave up: nobody reads the reply
	}
	if cut := fault.cut(); cut != nil {
		hangUp(w, cut)
		return
	}
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	// Clients read AWS's time here, and compare AWS's times with nothing else.
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	w.WriteHeader(response.Status)
	_, _ = w.Write(response.Body) // the client is gone: nobody to tell
}

// unsigned are STS's operations whose caller proves by a token who it is (API reference of AssumeRoleWithWebIdentity:
// "does not require the use of AWS security credentials").
var unsigned = map[string]bool{"AssumeRoleWithWebIdentity": true, "AssumeRoleWithSAML": true}

// hangUp ends the connection without a reply, as a broken network does.
func hangUp(w http.ResponseWriter, why error) {
	if recorder, ok := w.(*recorder); ok {
		recorder.cut = why
		return
	}
	panic(http.ErrAbortHandler)
}

// answer does everything that happens under the lock: time, identity, quota, fault, the call itself and its record.
func (s *Sim) answer(ctx context.Context, request *wire.Request, scope scope, failed error) (wire.Response, Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	event := Event{
		Time: s.world.Now(), Region: scope.region, Service: logName(scope.service), Operation: request.Operation,
	}
	requestID := s.events.nextRequestID()
	output, fault, err := any(nil), Fault{}, failed
	if err == nil {
		output, fault, err = s.call(ctx, request, scope, &event)
	}
	response := wire.Response{}
	if err == nil {
		response, err = request.Encode(output, requestID)
	}
	if err != nil {
		failure := asFailure(err)
		response = request.EncodeError(failure, requestID)
		event.Error, event.Message = failure.Code, failure.Message
		s.complain(event)
	}
	event.Fault = fault.Kind
	s.events.add(event)
	return response, fault
}

func (s *Sim) call(ctx context.Context, request *wire.Request, scope scope, event *Event) (any, Fault, error) {
	identity, err := s.identify(scope)
	if err != nil {
		return nil, Fault{}, err
	}
	event.Account, event.Caller = identity.account, identity.caller
	operation, err := s.registry.Lookup(scope.service, request.Operation)
	if err != nil {
		return nil, Fault{}, err
	}
	input := operation.NewInput()
	if err := request.Decode(input); err != nil {
		return nil, Fault{}, err
	}
	event.Arguments, event.Resource = wire.Arguments(input), resourceOf(input)
	event.Ordinal = s.events.ordinal(*event)
	call := api.Call{
		Account: identity.account, Region: scope.region, Service: scope.service, Operation: request.Operation,
		Caller: identity.caller, Time: s.world.Now(),
	}
	if err := s.authorize(call, input); err != nil {
		return nil, Fault{}, err
	}
	if err := dryRun(scope.service, input); err != nil {
		return nil, Fault{}, err
	}
	if !s.quotas.take(identity.account, scope, request.Operation, s.world.Now()) {
		return nil, Fault{}, throttled(scope.service)
	}
	fault := s.faults.choose(event.Call(), s.world)
	if err, before := fault.before(scope.service, request.Operation); before {
		return nil, fault, err
	}
	// Who may not call is told so before a wrong request is, and faults stand for whatever comes first.
	if err := wire.Validate(scope.service, input); err != nil {
		return nil, fault, err
	}
	if fault.Kind == FaultPartial {
		if err := halve(input); err != nil {
			return nil, fault, err
		}
	}
	output, err := s.perform(ctx, operation, call, input)
	event.Effect = err == nil && !api.IsRead(request.Operation) && !asksOnly(input)
	if err == nil {
		s.world.Called(s.world.Account(identity.account).Region(scope.region), event.Service, event.Operation)
	}
	if !api.IsRead(request.Operation) { // what time brings is measured as it happens
		s.service.measure(s.world.Account(identity.account).Region(scope.region))
	}
	if fault.Kind == FaultPartial && err == nil {
		output, err = nil, half(event.Resource, input)
	}
	if (fault.Kind == FaultEmpty || fault.Kind == FaultUnlisted) && err == nil {
		err = forget(fault.Kind, output)
	}
	return output, fault, err
}

// dryRun answers a call of EC2 that only asks whether it may be made; who may not was told so before (EC2's common
// parameters, DryRun). Of one that does not, the parameter is forgotten.
func dryRun(service string, input any) error {
	field := reflect.ValueOf(input).Elem().FieldByName("DryRun")
	if service != "ec2" || !field.IsValid() || field.IsZero() {
		return nil
	}
	if asks, ok := field.Interface().(*bool); !ok || *asks {
		return &api.Error{
			Code: "DryRunOperation", Message: "Request would have succeeded, but DryRun flag is set.",
			Status: http.StatusPreconditionFailed,
		}
	}
	field.SetZero()
	return nil
}

// asksOnly reports whether an invocation of Lambda is a dry run, which changes nothing.
func asksOnly(input any) bool {
	in, invokes := input.(*lambda.InvokeInput)
	return invokes && in.InvocationType == lambdatypes.InvocationTypeDryRun
}

// complain logs what shows a gap in the simulator or a fault it was told to make.
func (s *Sim) complain(event Event) {
	if event.Error == api.NotModelledCode || event.Error == internalFailure {
		s.log.Error(
			"simulated AWS refused a call",
			"service",
			event.Service,
			"operation",
			event.Operation,
			"account",
			event.Account,
			"region",
			event.Region,
			"resource",
			event.Resource,
			"error",
			event.Error,
			"message",
			event.Message,
		)
	}
}

// internalFailure is the code of errors that no service meant to return.
const internalFailure = "InternalFailure"

func asFailure(err error) *api.Error {
	var failure *api.Error
	if errors.As(err, &failure) {
		return failure
	}
	return &api.Error{Code: internalFailure, Message: err.Error(), Status: http.StatusInternalServerError}
}
