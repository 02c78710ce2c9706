package activities

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/once"
)

// FindIsolationInput asks what isolating an instance will change.
type FindIsolationInput struct {
	Instance      Instance
	SecurityGroup string // the isolating one, by its id (sg-...) or by its name in the instance's network
}

// FindIsolation reads the instance's interfaces and finds the isolating security group in its network. It changes
// nothing. NoSecurityGroup (terminal) when there is no such group, or several; Gone when EC2 no longer has the
// instance.
func (a *AWS) FindIsolation(ctx context.Context, in FindIsolationInput) (_ *journal.Isolation, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	instance, err := aws.ReadMachine(ctx, s, in.Instance)
	if err != nil {
		return nil, err
	}
	by := "group-name"
	if strings.HasPrefix(in.SecurityGroup, "sg-") {
		by = "group-id"
	}
	out, err := s.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{
		aws.Filter(by, in.SecurityGroup), aws.Filter("vpc-id", aws.Deref(instance.VpcId)),
	}})
	if err != nil {
		return nil, aws.Wrap("look for the isolating security group", in.Instance.String(), err)
	}
	if len(out.SecurityGroups) != 1 {
		return nil, once.Final(ErrNoSecurityGroup, "%s: %d security groups are called %q in its network %s; make one, or "+
			"correct quarantine.isolate in the plan",
			in.Instance, len(out.SecurityGroups), in.SecurityGroup, aws.Deref(instance.VpcId))
	}
	return &journal.Isolation{
		SecurityGroup: aws.Deref(out.SecurityGroups[0].GroupId), Interfaces: interfacesOf(instance),
	}, nil
}

func interfacesOf(instance *ec2types.Instance) []journal.NetworkInterface {
	var all []journal.NetworkInterface
	for _, one := range instance.NetworkInterfaces {
		read := journal.NetworkInterface{ID: aws.Deref(one.NetworkInterfaceId)}
		for _, group := range one.Groups {
			read.SecurityGroups = append(read.SecurityGroups, aws.Deref(group.GroupId))
		}
		slices.Sort(read.SecurityGroups)
		all = append(all, read)
	}
	slices.SortFunc(all, func(a, b journal.NetworkInterface) int { return strings.Compare(a.ID, b.ID) })
	return all
}
