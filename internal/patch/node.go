package patch

import (
	"fmt"
	"slices"
	"strings"
)

// NodePrefix begins the id of a managed node, a machine that was registered with Systems Manager by a hybrid
// activation: "mi-0123456789abcdef0". EC2 knows nothing of it.
const NodePrefix = "mi-"

// IsNode tells a managed node's id from an EC2 instance's.
func IsNode(id string) bool { return strings.HasPrefix(id, NodePrefix) }

// IsNodes tells managed nodes from EC2 instances.
func (g Group) IsNodes() bool { return len(g.ManagedNodes) > 0 }

// OfNodes reports whether the group that is previewed is managed nodes; of one that has nobody it does not tell.
func (g PreviewGroup) OfNodes() bool { return len(g.Instances) > 0 && IsNode(g.Instances[0].ID) }

// selector is tags with their keys sorted: "Role=web,Tier=front".
func selector(tags map[string]string) string {
	pairs := make([]string, 0, len(tags))
	for key, value := range tags {
		pairs = append(pairs, key+"="+value)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ",")
}

// unchecked says, for people, who does not say that a member is well: EC2's status checks, or a node's agent.
func unchecked(m Member) string {
	if IsNode(m.ID) {
		return "Systems Manager does not say that its agent is online"
	}
	return "EC2's status checks have not passed"
}

// joinNodes are the commands that put managed nodes into a patch group: Systems Manager tags one by one.
func joinNodes(group Group, patchGroup string, elsewhere []Elsewhere) string {
	var commands []string
	command := func(does, id, argument string) {
		commands = append(commands, fmt.Sprintf("aws ssm %s --region %s --resource-type ManagedInstance --resource-id %s %s",
			does, group.Region, id, argument))
	}
	for _, each := range elsewhere {
		key := TagPatchGroup
		switch {
		case each.Joined != "" && each.Spaced != "":
			command("remove-tags-from-resource", each.Instance, "--tag-keys "+shellWord(TagPatchGroupSpaced))
		case each.Spaced != "":
			key = TagPatchGroupSpaced
		}
		command("add-tags-to-resource", each.Instance, "--tags "+shellWord("Key="+key+",Value="+patchGroup))
	}
	return strings.Join(commands, " && ")
}

// nodeResource names a managed node among what is stranded.
func nodeResource(id string) string { return "managed node " + id }

// StrandedNode is a managed node that serves with what an install left on it.
func StrandedNode(group Group, id, state, whatToDo string) Stranded {
	return Stranded{
		Account: group.Account.Name, Region: group.Region, Resource: nodeResource(id), State: state, WhatToDo: whatToDo,
	}
}

// LeftAs is the result with what an earlier try left a managed node as, where this one ended before it took it anew: it
// serves still with what an install left on it, counts as out, and is told.
func (r InstanceResult) LeftAs(stranded []Stranded) InstanceResult {
	if !r.Started.IsZero() || r.Outcome != Failed && r.Outcome != NotStarted {
		return r
	}
	for _, left := range stranded {
		if left.Resource == nodeResource(r.ID) {
			r.Outcome, r.StillPatched, r.Stranded = Failed, true, append(slices.Clip(r.Stranded), left)
		}
	}
	return r
}

// WithoutNode is what is stranded still once a managed node was taken anew: what it was left as is over, well or not.
func WithoutNode(stranded []Stranded, id string) []Stranded {
	return slices.DeleteFunc(slices.Clone(stranded), func(left Stranded) bool { return left.Resource == nodeResource(id) })
}
