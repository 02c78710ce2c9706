package awssim

import (
	"errors"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/wire"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// signingNames are the credential scopes of services that Automation names otherwise.
var signingNames = map[string]string{"elbv2": "elasticloadbalancing", "cloudwatch": "monitoring"}

// inside prepares a call that AWS makes itself: the operation, its input, and who asks.
func (s *Sim) inside(from world.InsideCall) (*api.Operation, api.Call, any, error) {
	service := from.Service
	if other := signingNames[service]; other != "" {
		service = other
	}
	call := api.Call{
		Account: from.Region.Account.ID, Region: from.Region.Name, Service: service, Operation: from.Operation,
		Caller: from.Caller, Time: s.world.Now(),
	}
	operation, err := s.registry.Lookup(service, from.Operation)
	if err != nil {
		return nil, call, nil, err
	}
	input := operation.NewInput()
	if err := wire.FromTree(input, from.Input); err != nil {
		return nil, call, nil, err
	}
	return operation, call, input, s.authorize(call, input)
}

// allowInside is how the world asks whether a role may do what a step does without a call.
func (s *Sim) allowInside(from world.InsideCall) error {
	_, _, _, err := s.inside(from)
	return err
}

// callInside makes a call that AWS makes itself. It is in the event log as any other; quotas and faults do not touch
// it, for Automation repeats what is throttled by itself.
func (s *Sim) callInside(from world.InsideCall) (any, error) {
	operation, call, input, err := s.inside(from)
	event := Event{
		Time: call.Time, Account: call.Account, Region: call.Region, Caller: call.Caller, Service: logName(call.Service),
		Operation: call.Operation,
	}
	if input != nil {
		event.Arguments, event.Resource = wire.Arguments(input), resourceOf(input)
		event.Ordinal = s.events.ordinal(event)
	}
	var tree any
	if err == nil {
		var output any
		output, err = operation.Call(call, input)
		var notYet *api.NotYet
		if errors.As(err, &notYet) { // nobody can wait inside a moment of the world
			output, err = notYet.Empty, nil
		}
		if err == nil {
			event.Effect = !api.IsRead(call.Operation)
			tree, err = wire.ToTree(output)
		}
	}
	if err != nil {
		failure := asFailure(err)
		event.Error, event.Message = failure.Code, failure.Message
		s.complain(event)
	}
	s.events.add(event)
	s.service.measure(from.Region)
	return tree, err
}
