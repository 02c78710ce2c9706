package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

// StopStarted stops an instance that was stopped before, and does not wait until it is. One that somebody has stopped
// meanwhile needs nothing; one that is on its way up is waited for (NotReady). Gone when EC2 no longer has it.
func (a *AWS) StopStarted(ctx context.Context, in StartStoppedInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	machine, err := aws.ReadMachine(ctx, s, in.Instance)
	if err != nil {
		return err
	}
	switch state := aws.StateOf(*machine); state {
	case "stopped", "stopping":
		return nil
	case "pending":
		return once.NotReady(in.Pace.Poll.D(), "%s is pending: waiting for it to run before it is stopped", in.Instance)
	}
	_, err = s.EC2.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{in.Instance.ID}})
	if aws.HasCode(err, aws.CodeInstanceState) {
		return once.NotReady(in.Pace.Poll.D(), "waiting to stop %s: %v", in.Instance, err)
	}
	return aws.Wrap("stop the instance again", in.Instance.String(), err)
}

// AwaitStoppedAgain waits until EC2 says that the instance is stopped. Gone when EC2 no longer has it.
func (a *AWS) AwaitStoppedAgain(ctx context.Context, in StartStoppedInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	return a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		machine, err := aws.ReadMachine(ctx, s, in.Instance)
		if err != nil {
			return false, "", err
		}
		state := aws.StateOf(*machine)
		return state == "stopped", in.Instance.String() + " is " + state + ", and is to be stopped again", nil
	})
}
