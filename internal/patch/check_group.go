package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func checkNotEmpty(v View) []*Refusal {
	if len(v.State.Members) > 0 || v.Instance != "" {
		return nil
	}
	return v.refuseGroup("no instances matched", "correct the group's name or tags in the plan")
}

// checkNoMembers refuses tags that find members of an Auto Scaling group, which would replace them while they are out.
func checkNoMembers(v View) []*Refusal {
	if v.Group.IsAutoScaling() {
		return nil
	}
	var found []*Refusal
	for _, member := range v.members() {
		if member.OwnerGroup != "" {
			found = append(found, v.refuseGroup(fmt.Sprintf("%s belongs to Auto Scaling group %s", member.ID, member.OwnerGroup),
				"name the Auto Scaling group in the plan, or choose tags that its members do not carry")...)
		}
	}
	return found
}

func checkNotDeleted(v View) []*Refusal {
	if !v.Group.IsAutoScaling() || !v.State.Deleting {
		return nil
	}
	return v.refuseGroup("the group is being deleted", "remove it from the plan")
}

// checkOperator refuses what a service runs, which knows of no other that drains and reboots: of an Auto Scaling group
// all of it, of instances chosen by tags each by name, since one tag may choose some that are operated and some not.
func checkOperator(v View) []*Refusal {
	if v.Group.IsAutoScaling() {
		if v.State.Operator == "" {
			return nil
		}
		return v.refuseGroup("the group is operated by "+v.State.Operator, "patch it through that service")
	}
	if v.Instance == "" && v.level != LevelWave {
		return nil // each instance is asked by itself: a stranger that joined keeps nobody from being put back
	}
	var found []*Refusal
	for _, member := range v.members() {
		if member.Operator != "" {
			found = append(found, v.refuseOf(member.ID, "it is operated by "+member.Operator,
				"patch it through that service, and choose tags that its instances do not carry")...)
		}
	}
	return found
}

func checkRefresh(v View) []*Refusal {
	if !v.Group.IsAutoScaling() || !v.State.RefreshRunning {
		return nil
	}
	return v.refuseGroup("an instance refresh is running", "wait until it has ended, or cancel it")
}

func checkGroupTagSlot(v View) []*Refusal {
	if !v.Group.IsAutoScaling() || v.State.FreeTags {
		return nil
	}
	return v.refuseGroup("the group has no free tag slot for our journal's pointer", "remove a tag from the group")
}

func checkProcesses(v View) []*Refusal {
	if !v.Group.IsAutoScaling() {
		return nil
	}
	var found []*Refusal
	for _, process := range mustRun {
		if slices.Contains(v.State.Suspended, process) {
			found = append(found, v.refuseGroup("the process "+process+" is suspended, so nothing could come back safely",
				"find out who suspended it and why, then resume it")...)
		}
	}
	return found
}

func checkLifecycles(v View) []*Refusal {
	if !v.Group.IsAutoScaling() {
		return nil
	}
	var found []*Refusal
	for _, member := range v.State.Members {
		if !knownLifecycle(member.Lifecycle) {
			is := "which Patchtide does not know"
			if replacingRoot(member.Lifecycle) {
				is = "in which an instance refresh replaces its root volume"
			}
			found = append(found, v.refuseGroup(fmt.Sprintf("%s is in the state %q, %s", member.ID, member.Lifecycle, is),
				"wait until it has settled")...)
		}
	}
	return found
}

// replacingRoot reports one of the states of a refresh that keeps an instance and replaces its root volume.
func replacingRoot(state string) bool {
	return strings.HasPrefix(state, "ReplacingRootVolume") || strings.HasPrefix(state, "RootVolumeReplaced")
}

// checkBalancers refuses what sends requests and is not read. Auto Scaling takes a member out of a Classic Load
// Balancer and of VPC Lattice by itself; whether it is healthy there again only a check that asks it can tell.
func checkBalancers(v View) []*Refusal {
	var found []*Refusal
	checked := slices.ContainsFunc(v.Policy.Health, HealthCheck.Asks)
	for _, balancer := range v.State.OtherBalancers {
		if !checked {
			found = append(found, v.refuseGroup("it is attached to the "+balancer+", whose word on its members is not read",
				"add an `http`, `https` or `command` check to the stage's health, which then judges its instances")...)
		}
	}
	for _, target := range v.State.ElsewhereTargets {
		found = append(found, v.refuseGroup(target+" is a target of another network's group: requests may reach it there",
			"take the address out of that target group, or leave the group out of the plan")...)
	}
	for _, target := range v.State.SharedAddresses {
		found = append(found, v.refuseGroup(target+": nobody can tell which of them gets its requests",
			"give each an address of its own, or take the address out of that target group, or leave the group out of the "+
				"plan")...)
	}
	return found
}

func knownLifecycle(state string) bool {
	switch base, _, _ := strings.Cut(state, ":"); base {
	case LifecycleInService, LifecycleStandby, LifecycleEnteringStandby, LifecyclePending,
		"Terminating", "Terminated", "Detaching", "Detached", "Quarantined", "Warmed", "":
		return true
	}
	return false
}

// checkLifetime refuses while Auto Scaling may replace a member for its age before we are done: with the group, or with
// the instance that is asked about. That is in the plan's time, and lifetimes are in AWS's: a day at least.
func checkLifetime(v View) []*Refusal {
	within := v.budget().OnItsWay()
	if v.Instance == "" {
		within *= Duration(len(v.State.Members))
	}
	return v.outlived(within)
}

func (v View) outlived(within Duration) []*Refusal {
	if v.State.MaxInstanceLifetime <= 0 {
		return nil
	}
	var found []*Refusal
	for _, member := range v.State.Members {
		if !member.Present() || member.Leaving() {
			continue
		}
		if ends := member.LaunchTime.Add(v.State.MaxInstanceLifetime.D()); ends.Before(v.State.At.Add(within.D())) {
			found = append(found, v.refuseOf(member.ID, fmt.Sprintf(
				"its maximum lifetime of %s ends at %s, before we would be done (about %s): "+
					"Auto Scaling would replace it meanwhile",
				v.State.MaxInstanceLifetime, ends.Format(time.RFC3339), within),
				"let the group replace it first, or raise the group's maximum instance lifetime")...)
		}
	}
	return found
}
