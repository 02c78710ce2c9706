package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/once"
)

// SecurityGroupsInput changes the security groups of an instance's interfaces.
type SecurityGroupsInput struct {
	Instance  Instance
	Isolation journal.Isolation // as it was before isolating
	Restore   bool              // put the groups back that were there before, instead of isolating
}

// SetSecurityGroups gives every interface of the instance its isolating security group, or back what it had. Only what
// it finds as it should be before is changed: groups that somebody else gave an interface meanwhile stay, and are
// SecurityGroupsChanged (terminal) by name once all others are done. An interface that is gone needs nothing, one that
// is new when isolating is isolated too. Gone when EC2 no longer has the instance.
func (a *AWS) SetSecurityGroups(ctx context.Context, in SecurityGroupsInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	instance, err := aws.ReadMachine(ctx, s, in.Instance)
	if err != nil {
		return err
	}
	isolating := []string{in.Isolation.SecurityGroup}
	var others []string
	for _, now := range interfacesOf(instance) {
		at := slices.IndexFunc(in.Isolation.Interfaces, func(was journal.NetworkInterface) bool { return was.ID == now.ID })
		from, to := now.SecurityGroups, isolating // a new one, whatever it has
		switch {
		case at < 0 && in.Restore:
			continue // not ours to open
		case at >= 0 && in.Restore:
			from, to = isolating, in.Isolation.Interfaces[at].SecurityGroups
		case at >= 0:
			from = in.Isolation.Interfaces[at].SecurityGroups
		}
		switch {
		case slices.Equal(now.SecurityGroups, to):
			continue
		case !slices.Equal(now.SecurityGroups, from):
			others = append(others, fmt.Sprintf("%s has %v", now.ID, now.SecurityGroups))
			continue
		}
		_, err := s.EC2.ModifyNetworkInterfaceAttribute(
			ctx, &ec2.ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: &now.ID, Groups: to},
		)
		switch {
		case aws.IsNotFound(err):
		case err != nil:
			return aws.Wrap("set the security groups of "+now.ID, in.Instance.String(), err)
		}
	}
	if len(others) > 0 {
		return once.Final(
			ErrSecurityGroupsChanged, "%s: somebody changed security groups meanwhile, and they are left as they are: %s",
			in.Instance, strings.Join(others, "; "),
		)
	}
	return nil
}
