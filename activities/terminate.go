package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

// Terminate ends an instance that its group has already let go, where the plan replaces what fails. An instance that is
// gone is no error.
func (a *AWS) Terminate(ctx context.Context, in Instance) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	_, err = s.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{in.ID}})
	if aws.IsNotFound(err) {
		return nil
	}
	return aws.Wrap("terminate the instance", in.String(), err)
}
