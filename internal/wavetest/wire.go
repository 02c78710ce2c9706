package wavetest

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
)

// Wire is the way from the clients to the simulator, for a test to cut.
type Wire struct {
	next http.RoundTripper
	wrap atomic.Pointer[Wrap] // an activity that nobody waits for any more may still read it when a test lets go
}

// Wrap is what a test puts between the clients and the simulator.
type Wrap func(request *http.Request, next http.RoundTripper) (*http.Response, error)

// Through sends every request by way of wrap; nil sends them straight on.
func (w *Wire) Through(wrap Wrap) {
	if wrap == nil {
		w.wrap.Store(nil)
		return
	}
	w.wrap.Store(&wrap)
}

// RoundTrip sends a request, by way of what the test has put in between.
func (w *Wire) RoundTrip(request *http.Request) (*http.Response, error) {
	return w.send(request, w.next)
}

func (w *Wire) send(request *http.Request, next http.RoundTripper) (*http.Response, error) {
	if wrap := w.wrap.Load(); wrap != nil {
		return (*wrap)(request, next)
	}
	return next.RoundTrip(request)
}

// Beside is a way to somebody else than AWS, which a test cuts as it does the wire's.
type Beside struct {
	wire *Wire
	Next http.RoundTripper
}

// Beside leads to next, by way of what the test puts between.
func (w *Wire) Beside(next http.RoundTripper) *Beside { return &Beside{w, next} }

// RoundTrip sends a request.
func (b *Beside) RoundTrip(request *http.Request) (*http.Response, error) {
	return b.wire.send(request, b.Next)
}

// AtCall runs do when the operation is called for the nth time in the account, before the call is answered. It runs
// under the simulator's lock: it may tell the environment, not the simulator.
func (s *Scene) AtCall(account, operation string, nth int, do func()) {
	var mu sync.Mutex
	seen := 0
	s.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Account != account || call.Operation != operation {
			return awssim.Fault{}
		}
		mu.Lock()
		seen++
		now := seen == nth
		mu.Unlock()
		if now {
			do()
		}
		return awssim.Fault{}
	})
}

// DieAt runs a wave and cuts the worker off right after the nth call of an operation took effect; then the wave's
// workflows end without running any code, as terminated ones do.
func (s *Scene) DieAt(account, operation string, nth int) {
	s.T.Helper()
	var reached, cut atomic.Bool
	s.AtCall(account, operation, nth, func() { reached.Store(true) })
	s.Wire.Through(func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
		if cut.Load() {
			return nil, errors.New("no route")
		}
		response, err := next.RoundTrip(request)
		cut.Store(reached.Load())
		return response, err
	})
	s.Env.SetWorkflowRunTimeout(Patience)
	s.Env.SetDetachedChildWait(false) // the children end with it
	_, err := s.Run(WebWave)
	require.Error(s.T, err)
	require.True(s.T, reached.Load(), "the wave never called %s #%d", operation, nth)
	s.Sim.SetInterceptor(nil)
	s.Wire.Through(nil)
}
