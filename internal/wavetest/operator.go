package wavetest

import (
	"errors"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// Patience is longer than any wave of a scene takes when all goes well and every wait runs to its end.
const Patience = 5 * time.Hour

// WebWave asks for a wave of the example's plan.
var WebWave = workflows.WaveRequest{Plan: "web", Actor: "tester", Reason: "the test says so"}

// Operator is the person on call, whom a scene plays: who approves at once and answers every hold.
type Operator struct {
	Answer patch.Verb             // to what awaits approval; "" is approve
	Decide []patch.Verb           // what is sent at each hold, in order; then abort
	Scope  patch.Scope            // of a roll_back among them
	OnHold func(patch.WaveStatus) // before a hold is decided
	// OnDecision is what is sent at a hold.
	OnDecision func(patch.WaveStatus, patch.Verb, patch.Scope)
	Silent     bool                   // nothing is answered
	OnLook     func(patch.WaveStatus) // at each look at the wave

	// Impatient aborts a wave that is still not closed after Patience, and again and again until it gives up.
	Impatient bool
	GivesUp   func() bool // nil: never; true: an impatient one gives up before that
	GaveUp    bool        // an impatient one did so
}

// Run starts the wave and plays the operator until it has ended.
func (s *Scene) Run(request any) (*patch.WaveResult, error) {
	s.T.Helper()
	s.Before = s.Snapshot()
	began := s.Env.Now()
	var answered time.Time
	s.poll(20*time.Second, func() bool {
		if s.Impatient && (s.Env.Now().After(began.Add(Patience)) || s.GivesUp != nil && s.GivesUp()) {
			s.giveUp()
		}
		status, ok := s.Status()
		if ok && s.OnLook != nil {
			s.OnLook(status)
		}
		if ok && !s.Silent && status.Since != answered && s.answer(status) {
			answered = status.Since
		}
		return false
	})
	s.Env.ExecuteWorkflow(names.PatchWave, request)
	require.True(s.T, s.Env.IsWorkflowCompleted())
	var result patch.WaveResult
	if err := s.Env.GetWorkflowError(); err != nil {
		// A cancelled wave tells its result in the error's details.
		var cancelled *temporal.CanceledError
		if errors.As(err, &cancelled) && cancelled.HasDetails() && cancelled.Details(&result) == nil {
			return &result, err
		}
		return nil, err
	}
	require.NoError(s.T, s.Env.GetWorkflowResult(&result))
	return &result, nil
}

// giveUp aborts the wave, where it may be.
func (s *Scene) giveUp() {
	s.GaveUp = true
	status, ok := s.Status()
	if ok && patch.VerbAllowed(patch.Abort, status.State, patch.VerbsIn(status.State, false)) == nil {
		s.Tell(patch.Abort, "")
	}
}

// answer sends the operator's word where the wave waits for one, and reports whether it did.
func (s *Scene) answer(status patch.WaveStatus) bool {
	switch status.State {
	case patch.StateAwaitingApproval:
		verb := s.Answer
		if verb == "" {
			verb = patch.Approve
		}
		s.Tell(verb, "")
	case patch.StateOnHold:
		if s.OnHold != nil {
			s.OnHold(status)
		}
		verb := patch.Abort
		if len(s.Decide) > 0 {
			verb, s.Decide = s.Decide[0], s.Decide[1:]
		}
		scope := s.Scope
		if verb != patch.RollBack {
			scope = ""
		}
		if s.OnDecision != nil {
			s.OnDecision(status, verb, scope)
		}
		s.Tell(verb, scope)
	default:
		return false
	}
	return true
}

// poll asks again and again until it is done, or the workflow has ended.
func (s *Scene) poll(every time.Duration, done func() bool) {
	var look func()
	look = func() {
		if !s.Env.IsWorkflowCompleted() && !done() {
			s.Env.RegisterDelayedCallback(look, every)
		}
	}
	s.Env.RegisterDelayedCallback(look, every)
}

// Status asks the wave; false where it does not answer.
func (s *Scene) Status() (patch.WaveStatus, bool) {
	var status patch.WaveStatus
	value, err := s.Env.QueryWorkflow(names.QueryStatus)
	if err != nil || value.Get(&status) != nil {
		return status, false
	}
	return status, true
}

// Tell sends one verb of the operator's, which the wave must take.
func (s *Scene) Tell(verb patch.Verb, scope patch.Scope) {
	s.MustTake(verb, workflows.VerbRequest{Actor: "tester", Reason: "the test says so", Scope: scope})
}

// Because is the request of a verb, with its reason.
func Because(reason string) workflows.VerbRequest {
	return workflows.VerbRequest{Actor: "tester", Reason: reason}
}

// MustTake sends one verb that the wave must take, for where it stands, as the command does.
func (s *Scene) MustTake(verb patch.Verb, request workflows.VerbRequest) {
	if status, ok := s.Status(); ok && request.Point == (patch.Point{}) {
		request.Point = status.Point()
	}
	s.Env.UpdateWorkflow(string(verb), "", &testsuite.TestUpdateCallback{
		OnAccept:   func() {},
		OnReject:   func(err error) { s.T.Errorf("%s was rejected: %v", verb, err) },
		OnComplete: func(_ any, err error) { require.NoError(s.T, err) },
	}, request)
}

// Refuses sends a verb that must be rejected, with those words.
func (s *Scene) Refuses(verb patch.Verb, request any, words string) {
	s.Env.UpdateWorkflow(string(verb), "", &testsuite.TestUpdateCallback{
		OnAccept:   func() { s.T.Errorf("%s was accepted with %+v", verb, request) },
		OnReject:   func(err error) { require.ErrorContains(s.T, err, words) },
		OnComplete: func(any, error) {},
	}, request)
}

// When looks at the wave's status every few seconds and acts once, the first time that it is so.
func (s *Scene) When(is func(patch.WaveStatus) bool, act func(patch.WaveStatus)) {
	s.poll(5*time.Second, func() bool {
		status, ok := s.Status()
		if !ok || !is(status) {
			return false
		}
		act(status)
		return true
	})
}

// WhenAtStep runs do once, when the first production instance is at the step.
func (s *Scene) WhenAtStep(step patch.Step, do func(instance string)) {
	s.poll(time.Second, func() bool {
		at := s.AtStep(step)
		if len(at) == 0 {
			return false
		}
		do(at[0].Status.ID)
		return true
	})
}

// WhenBaking runs do when the first production instance has been baking for a while.
func (s *Scene) WhenBaking(do func()) {
	s.poll(10*time.Second, func() bool {
		long := slices.ContainsFunc(s.AtStep(patch.StepBake), func(instance Running) bool {
			return instance.Now.Sub(instance.Status.Since) >= time.Minute
		})
		if long {
			do()
		}
		return long
	})
}

// Running is an instance at work, and when it was asked.
type Running struct {
	Status patch.InstanceStatus
	Now    time.Time
}

// AtStep asks the production group which of its instances are at a step.
func (s *Scene) AtStep(step patch.Step) []Running {
	var found []Running
	var group patch.GroupStatus
	if !s.ask("patch-group/"+Production+"/"+Tokyo+"/web", &group) {
		return nil
	}
	for _, id := range group.Current {
		var status patch.InstanceStatus
		if s.ask(id, &status) && status.Step == step {
			found = append(found, Running{Status: status, Now: s.Env.Now()})
		}
	}
	return found
}

// ask asks a child of the wave for its status; false where it does not answer. One that was started at this very moment
// and has not run yet makes the SDK's test environment panic, where a server would let the query wait.
func (s *Scene) ask(id string, status any) (answered bool) {
	defer func() {
		if recover() != nil {
			answered = false
		}
	}()
	value, err := s.Env.QueryWorkflowByID(id, names.QueryStatus)
	return err == nil && value.Get(status) == nil
}

// InState reports whether a wave is in that state.
func InState(state patch.WaveState) func(patch.WaveStatus) bool {
	return func(status patch.WaveStatus) bool { return status.State == state }
}

// Did reports whether a call of that operation has had an effect, whatever the wave's status says.
func (s *Scene) Did(operation string) func(patch.WaveStatus) bool {
	return func(patch.WaveStatus) bool { return len(s.Effects(operation)) > 0 }
}

// InProduction reports whether production is at work and an instance of it is out.
func (s *Scene) InProduction(status patch.WaveStatus) bool {
	return status.Stage == "production" && status.State == patch.StateRunning && len(s.Effects("EnterStandby")) > 0
}
