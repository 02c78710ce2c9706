package awssim

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// Kinds of Fault.
const (
	FaultError      = "error"       // an error before any effect
	FaultLostReply  = "lost_reply"  // the effect happens, the connection is cut
	FaultThrottle   = "throttle"    // the service's own throttling error, no effect
	FaultSlow       = "slow"        // the effect happens at once, the reply comes late
	FaultWrongState = "wrong_state" // the service's own error for something that is not in a state for the call, no effect
	FaultPartial    = "partial"     // of several things that the call is about the first half is done, then it fails
	FaultEmpty      = "empty"       // a list answers as if there were nothing
	FaultUnlisted   = "unlisted"    // a list lacks the last of what it should show
	FaultNoEndpoint = "no_endpoint" // the service is not in the region: its name does not resolve
	FaultTimeout    = "timeout"     // the client's deadline passes at once; Effect says whether the call took effect
)

// Fault is what happens to one call instead of a plain reply. The zero value is none.
type Fault struct {
	Kind    string
	Code    string        // of FaultError; default InternalFailure
	Message string        // of FaultError
	Status  int           // of FaultError; default 500 for an internal failure, 503 for ServiceUnavailable, else 400
	Delay   time.Duration // of FaultSlow, in AWS time
	Effect  bool          // of FaultTimeout
}

// CallInfo names a call: the ordinal counts calls of the operation on the resource in the account and region, from 1.
type CallInfo struct {
	Account, Region, Caller      string
	Service, Operation, Resource string // Service as in the event log: cloudwatch, not monitoring
	Ordinal                      int
	Time                         time.Time
}

// before says whether the call ends without effect, and with which error.
func (f Fault) before(service, operation string) (error, bool) {
	switch f.Kind {
	case FaultWrongState:
		return wrongState(service, operation), true
	case FaultThrottle:
		return throttled(service), true
	case FaultNoEndpoint:
		return api.Errorf("NoEndpoint", "injected: %s is not in this region", service), true
	case FaultTimeout:
		return api.Errorf("RequestTimeout", "injected: the deadline passed before the call took effect"), !f.Effect
	case FaultError:
		failure := &api.Error{Code: f.Code, Message: f.Message, Status: f.Status}
		if failure.Code == "" {
			failure.Code = internalFailure
		}
		if failure.Message == "" {
			failure.Message = "injected by the simulator's faults"
		}
		if failure.Status == 0 {
			failure.Status = usualStatus(failure.Code)
		}
		return failure, true
	}
	return nil, false
}

func usualStatus(code string) int {
	switch code {
	case internalFailure, "InternalError", "InternalServerError", "ResourceContention":
		return http.StatusInternalServerError
	case "ServiceUnavailable", "Unavailable", "SlowDown":
		return http.StatusServiceUnavailable
	case "AccessDenied":
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

// cut is the client's error when the reply is lost; nil when there is one.
func (f Fault) cut() error {
	switch f.Kind {
	case FaultLostReply:
		return io.ErrUnexpectedEOF
	case FaultNoEndpoint:
		return &net.DNSError{Err: "no such host", IsNotFound: true}
	case FaultTimeout:
		return context.DeadlineExceeded
	}
	return nil
}

// faultRules are the scenario's rules and the programmable hook.
type faultRules struct {
	rules     []*faultRule
	intercept func(CallInfo) Fault
}

type faultRule struct {
	world.APIFault
	purpose string // names its draws
	seen    int    // calls that matched
	fired   int
}

func newFaultRules(specs []world.APIFault, _ *world.World) faultRules {
	rules := faultRules{}
	for i, spec := range specs {
		rules.rules = append(rules.rules, &faultRule{APIFault: spec, purpose: "fault/" + strconv.Itoa(i)})
	}
	return rules
}

// SetInterceptor lets a test decide each call's fault; nil removes it. It is asked before the scenario's rules and runs
// under the simulator's lock: it must not call the simulator.
func (s *Sim) SetInterceptor(intercept func(CallInfo) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.intercept = intercept
}

// AddFault adds a rule as a scenario would have it under faults.api.
func (s *Sim) AddFault(rule world.APIFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.rules = append(
		s.faults.rules, &faultRule{APIFault: rule, purpose: "fault/" + strconv.Itoa(len(s.faults.rules))},
	)
}

func (f *faultRules) choose(call CallInfo, w *world.World) Fault {
	if f.intercept != nil {
		if fault := f.intercept(call); fault.Kind != "" {
			return fault
		}
	}
	for _, rule := range f.rules {
		if rule.fires(call, w) {
			return Fault{Kind: rule.Kind, Code: rule.Code, Delay: rule.Delay.D()}
		}
	}
	return Fault{}
}

func (r *faultRule) fires(call CallInfo, w *world.World) bool {
	switch {
	case r.Service != "" && logName(r.Service) != call.Service,
		r.Operation != "" && r.Operation != call.Operation,
		!strings.Contains(call.Resource, r.Resource),
		r.Kind == FaultPartial && !call.several():
		return false
	}
	r.seen++
	switch {
	case r.Nth > 0 && r.seen != r.Nth,
		r.Times > 0 && r.fired >= r.Times,
		r.Probability > 0 && w.Draw(r.purpose) >= r.Probability:
		return false
	}
	r.fired++
	return true
}
