package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

// StartStoppedInput asks for a stopped instance to be started.
type StartStoppedInput struct {
	Instance Instance
	Pace     Pace
}

// StartedStopped tells whose start it was.
type StartedStopped struct {
	Theirs bool // somebody else has started it: it is not ours to stop again
}

// StartStopped starts an instance that is stopped, and does not wait until it runs. One that is stopping still is
// waited for (NotReady). AWS keeps no word of who started an instance: one that runs already is ours only where a call
// of an earlier attempt may have left. Without capacity it is tried again for as long as the act has. Gone when EC2 no
// longer has the instance.
func (a *AWS) StartStopped(ctx context.Context, in StartStoppedInput) (_ StartedStopped, err error) {
	defer once.Typed(&err)
	call := once.NewOwnership(ctx)
	started, err := a.startStopped(ctx, in, call)
	return started, call.Told(ctx, err)
}

func (a *AWS) startStopped(ctx context.Context, in StartStoppedInput, call *once.Ownership) (StartedStopped, error) {
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return StartedStopped{}, err
	}
	machine, err := aws.ReadMachine(ctx, s, in.Instance)
	if err != nil {
		return StartedStopped{}, err
	}
	switch state := aws.StateOf(*machine); state {
	case "stopped":
	case "stopping":
		return StartedStopped{}, once.NotReady(in.Pace.Poll.D(), "%s is stopping: waiting for it to be stopped", in.Instance)
	default:
		return StartedStopped{Theirs: call.Unsent}, nil
	}
	unsent := call.Unsent
	var out *ec2.StartInstancesOutput
	err = call.Sending(ctx, func() error {
		var err error
		out, err = s.EC2.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{in.Instance.ID}})
		return err
	})()
	switch {
	case aws.HasCode(err, aws.CodeInstanceState): // it is just changing its state
		return StartedStopped{}, once.NotReady(in.Pace.Poll.D(), "waiting to start %s: %v", in.Instance, err)
	case aws.HasCode(err, aws.CodeNoCapacity):
		return StartedStopped{}, once.NotReady(in.Pace.Poll.D(), "%s cannot be started yet: %v", in.Instance, err)
	case err != nil:
		return StartedStopped{}, aws.Wrap("start the instance", in.Instance.String(), err)
	}
	return StartedStopped{Theirs: unsent && ranBefore(out)}, nil
}

// ranBefore reports whether the reply to a start says that there was nothing to start.
func ranBefore(out *ec2.StartInstancesOutput) bool {
	for _, change := range out.StartingInstances {
		if was := change.PreviousState; was != nil && (was.Name == ec2types.InstanceStateNameRunning ||
			was.Name == ec2types.InstanceStateNamePending) {
			return true
		}
	}
	return false
}
