package config

import (
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// checkKind refuses a group that is of no kind, or of several, and one that would choose everything.
func (v *validator) checkKind(at string, group Group) {
	var kinds []string
	for _, kind := range []string{"auto_scaling_group", "tags", "managed_nodes"} {
		if v.doc.Has(at + "." + kind) {
			kinds = append(kinds, kind)
		}
	}
	switch {
	case len(kinds) > 1:
		v.doc.Problem(at, "has %s together; write one of them, like auto_scaling_group: web", strings.Join(kinds, " and "))
	case len(kinds) == 0:
		v.doc.Problem(at, "has none of auto_scaling_group, tags and managed_nodes; write one of them, like "+
			"auto_scaling_group: web, tags: {Role: web}, or managed_nodes: {Role: till}")
	case v.doc.Has(at+".tags") && len(group.Tags) == 0:
		v.doc.Problem(at+".tags", "is empty and would choose every instance; write it like tags: {Role: web}")
	case v.doc.Has(at+".managed_nodes") && len(group.ManagedNodes) == 0:
		v.doc.Problem(at+".managed_nodes", "is empty and would choose every node; write it like managed_nodes: {Role: till}")
	}
}

// checkNodes refuses for managed nodes what only EC2 can do: what is theirs is at, in a stage of a plan.
func (v *validator) checkNodes(at, ofStage string, plan Plan, stage Stage, group Group) {
	if len(group.ManagedNodes) == 0 {
		return
	}
	at += ".managed_nodes"
	if plan.Backup != patch.BackupNone || plan.Restore != patch.RestoreNone {
		v.doc.Problem(at, "nothing can put a managed node back; write backup: none and restore: none in the plan %s, which "+
			"may be one of its own for them", plan.Name)
	}
	if plan.Quarantine.Isolate != "" {
		v.doc.Problem(at, "a managed node has no security groups, and the plan %s isolates by one; remove its "+
			"quarantine.isolate, or write a plan of their own for the nodes", plan.Name)
	}
	if stage.Capacity != patch.CapacityAuto && stage.Capacity != "" {
		v.doc.Problem(ofStage+".capacity", "%s needs Auto Scaling groups, and a group of this stage is managed nodes; write "+
			"capacity: auto", stage.Capacity)
	}
	if stage.Stopped == patch.StoppedStart {
		v.doc.Problem(ofStage+".stopped", "start_and_stop is for EC2 instances, and a group of this stage is managed nodes, "+
			"which AWS can neither start nor stop; write stopped: leave")
	}
	if stage.Order == patch.OrderZone || stage.ZoneSoak > 0 {
		v.doc.Problem(ofStage+".order", "zone is for EC2 instances, and a group of this stage is managed nodes, which are "+
			"in no zone; write another order")
	}
}
