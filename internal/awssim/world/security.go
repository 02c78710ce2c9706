package world

import (
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// SecurityRule lets traffic through. Rules are kept, shown and checked for duplicates; the simulated network has no
// packets that they could stop.
type SecurityRule struct {
	Protocol string // tcp, udp, icmp, or -1 for all
	From, To int    // ports; -1 for all
	Peer     string // CIDR, or id of a security group
}

// PeerIsGroup tells a security group from a range of addresses.
func (r SecurityRule) PeerIsGroup() bool { return strings.HasPrefix(r.Peer, "sg-") }

// everything is the rule that a new group lets all traffic out by.
var everything = SecurityRule{Protocol: "-1", From: -1, To: -1, Peer: "0.0.0.0/0"}

// SecurityGroup finds a security group by id.
func (r *Region) SecurityGroup(id string) (*SecurityGroup, error) {
	if group, ok := r.securityGroups.get(id); ok {
		return group, nil
	}
	return nil, api.Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
}

// DeleteSecurityGroup deletes a group that no instance has.
func (r *Region) DeleteSecurityGroup(id string) error {
	group, err := r.SecurityGroup(id)
	if err != nil {
		return err
	}
	if group.Name == "default" {
		return api.Errorf("CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", id)
	}
	for _, instance := range r.Instances() {
		for _, one := range instance.Interfaces() {
			if slices.Contains(one.Groups(), id) {
				return api.Errorf("DependencyViolation", "resource %s has a dependent object", id)
			}
		}
	}
	for _, other := range r.securityGroups.all() {
		if other != group && slices.ContainsFunc(
			slices.Concat(other.In, other.Out), func(rule SecurityRule) bool { return rule.Peer == id },
		) {
			return api.Errorf("DependencyViolation", "resource %s has a dependent object", id)
		}
	}
	r.securityGroups.drop(id)
	return nil
}

// AllowIn adds a rule for what comes in; one that is there is InvalidPermission.Duplicate.
func (g *SecurityGroup) AllowIn(rule SecurityRule) error { return allow(&g.In, rule) }

// AllowOut adds a rule for what goes out.
func (g *SecurityGroup) AllowOut(rule SecurityRule) error { return allow(&g.Out, rule) }

// ForbidIn takes a rule away; one that is not there is InvalidPermission.NotFound.
func (g *SecurityGroup) ForbidIn(rule SecurityRule) error { return forbid(&g.In, rule) }

// ForbidOut takes a rule for what goes out away.
func (g *SecurityGroup) ForbidOut(rule SecurityRule) error { return forbid(&g.Out, rule) }

func allow(rules *[]SecurityRule, rule SecurityRule) error {
	if slices.Contains(*rules, rule) {
		return api.Errorf("InvalidPermission.Duplicate", "the specified rule \"peer: %s, %s, from port: %d, to port: %d, "+
			"ALLOW\" already exists",
			rule.Peer, rule.Protocol, rule.From, rule.To)
	}
	*rules = append(*rules, rule)
	return nil
}

func forbid(rules *[]SecurityRule, rule SecurityRule) error {
	n := slices.Index(*rules, rule)
	if n < 0 {
		return api.Errorf("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
	}
	*rules = slices.Delete(*rules, n, n+1)
	return nil
}
