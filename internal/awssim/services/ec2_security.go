package services

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func registerEC2Security(r *api.Registry, w *world.World) {
	api.Handle(
		r, "ec2", "DeleteSecurityGroup", []string{"GroupId"},
		func(c api.Call, in *ec2.DeleteSecurityGroupInput) (*ec2.DeleteSecurityGroupOutput, error) {
			return &ec2.DeleteSecurityGroupOutput{
				GroupId: in.GroupId, Return: aws.Bool(true),
			}, regionOf(w, c).DeleteSecurityGroup(aws.ToString(in.GroupId))
		})
	rules := []string{"GroupId", "IpPermissions"}
	api.Handle(
		r, "ec2", "AuthorizeSecurityGroupIngress", rules,
		func(c api.Call, in *ec2.AuthorizeSecurityGroupIngressInput) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
			err := changeRules(w, c, in.GroupId, in.IpPermissions, (*world.SecurityGroup).AllowIn)
			return &ec2.AuthorizeSecurityGroupIngressOutput{Return: aws.Bool(true)}, err
		})
	api.Handle(
		r, "ec2", "AuthorizeSecurityGroupEgress", rules,
		func(c api.Call, in *ec2.AuthorizeSecurityGroupEgressInput) (*ec2.AuthorizeSecurityGroupEgressOutput, error) {
			err := changeRules(w, c, in.GroupId, in.IpPermissions, (*world.SecurityGroup).AllowOut)
			return &ec2.AuthorizeSecurityGroupEgressOutput{Return: aws.Bool(true)}, err
		})
	api.Handle(
		r, "ec2", "RevokeSecurityGroupIngress", rules,
		func(c api.Call, in *ec2.RevokeSecurityGroupIngressInput) (*ec2.RevokeSecurityGroupIngressOutput, error) {
			err := changeRules(w, c, in.GroupId, in.IpPermissions, (*world.SecurityGroup).ForbidIn)
			return &ec2.RevokeSecurityGroupIngressOutput{Return: aws.Bool(true)}, err
		})
	api.Handle(
		r, "ec2", "RevokeSecurityGroupEgress", rules,
		func(c api.Call, in *ec2.RevokeSecurityGroupEgressInput) (*ec2.RevokeSecurityGroupEgressOutput, error) {
			err := changeRules(w, c, in.GroupId, in.IpPermissions, (*world.SecurityGroup).ForbidOut)
			return &ec2.RevokeSecurityGroupEgressOutput{Return: aws.Bool(true)}, err
		})
}

// changeRules applies a change to every rule that the permissions spell.
func changeRules(
	w *world.World, c api.Call, id *string, permissions []types.IpPermission,
	change func(*world.SecurityGroup, world.SecurityRule) error,
) error {
	group, err := regionOf(w, c).SecurityGroup(aws.ToString(id))
	if err != nil {
		return err
	}
	var rules []world.SecurityRule
	for _, permission := range permissions {
		rest := permission
		rest.IpProtocol, rest.FromPort, rest.ToPort, rest.IpRanges, rest.UserIdGroupPairs = nil, nil, nil, nil, nil
		if unknown := setFields(rest); len(unknown) > 0 {
			return api.NotModelled("%v in IpPermissions", unknown)
		}
		rule := world.SecurityRule{Protocol: aws.ToString(permission.IpProtocol), From: -1, To: -1}
		if permission.FromPort != nil && permission.ToPort != nil {
			rule.From, rule.To = int(*permission.FromPort), int(*permission.ToPort)
		}
		if err := portRange(rule); err != nil {
			return err
		}
		for _, within := range permission.IpRanges {
			rule.Peer = aws.ToString(within.CidrIp)
			rules = append(rules, rule)
		}
		for _, pair := range permission.UserIdGroupPairs {
			rule.Peer = aws.ToString(pair.GroupId)
			rules = append(rules, rule)
		}
	}
	if len(rules) == 0 {
		return api.Errorf("MissingParameter", "The request must contain the parameter ipPermissions")
	}
	before := *group
	group.In, group.Out = slices.Clone(group.In), slices.Clone(group.Out)
	for _, rule := range rules {
		if err := change(group, rule); err != nil {
			group.In, group.Out = before.In, before.Out // a refused call changes nothing
			return err
		}
	}
	return nil
}

// portRange refuses ports that are none; of ICMP they are types and codes.
func portRange(rule world.SecurityRule) error {
	if rule.Protocol != "tcp" && rule.Protocol != "udp" {
		return nil
	}
	if rule.From < 0 || rule.To > 65535 || rule.From > rule.To {
		return api.Errorf("InvalidParameterValue", "Invalid TCP/UDP port range (%d:%d)", rule.From, rule.To)
	}
	return nil
}

// permissionViews spells rules as DescribeSecurityGroups does, one permission each.
func permissionViews(rules []world.SecurityRule, account string) []types.IpPermission {
	views := []types.IpPermission{}
	for _, rule := range rules {
		view := types.IpPermission{
			IpProtocol: aws.String(rule.Protocol), IpRanges: []types.IpRange{}, UserIdGroupPairs: []types.UserIdGroupPair{},
		}
		if rule.From >= 0 {
			view.FromPort, view.ToPort = aws.Int32(int32(rule.From)), aws.Int32(int32(rule.To))
		}
		if rule.PeerIsGroup() {
			view.UserIdGroupPairs = append(
				view.UserIdGroupPairs, types.UserIdGroupPair{GroupId: aws.String(rule.Peer), UserId: &account},
			)
		} else {
			view.IpRanges = append(view.IpRanges, types.IpRange{CidrIp: aws.String(rule.Peer)})
		}
		views = append(views, view)
	}
	return views
}
