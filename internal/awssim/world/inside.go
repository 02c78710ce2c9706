package world

import "fmt"

// InsideCall is a call that AWS makes itself while it works for somebody: a step of an Automation.
type InsideCall struct {
	Region    *Region
	Caller    string // ARN of who the call is made as
	Service   string // as Automation names it: ec2, autoscaling, elbv2, ssm, ...
	Operation string
	Input     map[string]any // under the model's names
}

// call makes a call as the execution's role, or as who started it where it has none.
func (e *Execution) call(service, operation string, input map[string]any) (any, error) {
	if e.Region.World.Call == nil {
		return nil, fmt.Errorf("%s:%s: this world has no services to call", service, operation)
	}
	return e.Region.World.Call(e.inside(service, operation, input))
}

// allowed tells whether the execution's role may make a call that the step carries out by other means.
func (e *Execution) allowed(service, operation string, input map[string]any) error {
	if e.Region.World.Allow == nil {
		return nil
	}
	return e.Region.World.Allow(e.inside(service, operation, input))
}

func (e *Execution) inside(service, operation string, input map[string]any) InsideCall {
	return InsideCall{Region: e.Region, Caller: e.actor(), Service: service, Operation: operation, Input: input}
}

// actor is who the steps act as.
func (e *Execution) actor() string {
	if e.role == "" {
		return e.Caller
	}
	return "arn:aws:sts::" + e.Region.Account.ID + ":assumed-role/" + e.role + "/Automation-" + e.ID
}
