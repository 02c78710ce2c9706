package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
)

// TerminateQuarantined ends a quarantined instance and sees it go. Rejected (terminal) when it is a member of a group:
// somebody has put it back to work. An instance that is gone is no error.
func (a *AWS) TerminateQuarantined(ctx context.Context, in Instance) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	seen, err := aws.ReadQuarantined(ctx, s, in)
	switch {
	case err != nil || !seen.Present:
		return err
	case seen.Member != "":
		return once.Final(
			ErrRejected, "%s: somebody made it a member of Auto Scaling group %s; if that is right, remove its tag %s", in,
			seen.Member, names.TagQuarantine,
		)
	}
	_, err = s.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{in.ID}})
	if err != nil && !aws.IsNotFound(err) {
		return aws.Wrap("terminate the quarantined instance", in.String(), err)
	}
	now, err := aws.FindMachine(ctx, s, in)
	if err == nil && now != nil {
		return once.NotReady(0, "%s to be shutting down", in)
	}
	return err
}
