package patch

import (
	"fmt"
	"strings"
)

// checkInService refuses one that is gone, or that takes no part in its group's work.
func checkInService(v View) []*Refusal {
	member, listed := v.State.Member(v.Instance)
	switch {
	case !listed || !member.Present():
		return v.refuse("the instance is gone", "nothing: its group replaces it")
	case v.Group.IsAutoScaling() && member.Lifecycle != LifecycleInService && member.Mark != "":
		return v.refuse("it is "+member.Lifecycle+", and carries the mark of a wave (tag patchtide:journal)",
			"not by hand: what left it puts it back, or `patchtide reconcile` does once no workflow has it")
	case v.Group.IsAutoScaling() && member.Lifecycle != LifecycleInService:
		return v.refuse("it is "+member.Lifecycle, "bring it into service first")
	}
	return nil
}

// stands returns the instance where it is there and no other check's.
func (v View) stands() (Member, bool) {
	member, _ := v.State.Member(v.Instance)
	return member, member.Present()
}

// mendAgent is what to do about an agent that is silent.
const mendAgent = "check the agent, its instance profile and its route to the SSM endpoints"

func checkAgentOnline(v View) []*Refusal {
	if member, there := v.stands(); there && !member.AgentOnline && member.State == "running" {
		return v.refuse("its SSM agent is not online", mendAgent)
	}
	return nil
}

// checkHealthyBefore refuses what is ill before we touch it. One that takes no part in its group's work is told for
// that.
func checkHealthyBefore(v View) []*Refusal {
	member, there := v.stands()
	if !there || v.Group.IsAutoScaling() && member.Lifecycle != LifecycleInService {
		return nil
	}
	if member.Serving(v.Group.IsAutoScaling()) && member.StatusOK || member.Starts {
		return nil // one that is started is asked once it runs
	}
	return v.refuse(describeUnhealthy(member), "mend or replace it first; Patchtide starts only from health")
}

func describeUnhealthy(member Member) string {
	for _, target := range member.Targets {
		if target.Judged() && target.Health != TargetHealthy {
			return fmt.Sprintf("it is %s in %s (%s) before we began", target.Health, target.Where(), target.Reason)
		}
	}
	if member.Health == "Unhealthy" {
		return "Auto Scaling holds it for unhealthy before we began"
	}
	if member.State != "running" {
		return strings.TrimPrefix(member.is(), member.ID+": ") + " before we began"
	}
	if IsNode(member.ID) {
		return unchecked(member) + ", before we began"
	}
	return fmt.Sprintf("EC2 says %s, status checks passed: %t, before we began", member.State, member.StatusOK)
}

func checkInstanceTagSlot(v View) []*Refusal {
	if member, there := v.stands(); there && !member.FreeTags {
		return v.refuse("the instance has no free tag slot for our journal's pointer", "remove a tag from it")
	}
	return nil
}

// checkRootVolume refuses instances whose restore is not proven possible, when the plan wants their root volumes put
// back.
func checkRootVolume(v View) []*Refusal {
	if v.Policy.Restore != RestoreRootVolume {
		return nil
	}
	var found []*Refusal
	for _, member := range v.members() {
		var what string
		switch {
		case member.RootVolumeID == "":
			what = "its root is not an EBS volume"
		case member.ProductCodes:
			what = "its image comes from the Marketplace (it has a product code), and that AWS puts back such a root volume " +
				"from a snapshot is not proven"
		case member.BareMetal:
			what = "it is bare metal, whose root volume cannot be replaced"
		default:
			continue
		}
		found = append(found, v.refuseOf(member.ID, what, "use restore: replace or none in the plan")...)
	}
	return found
}
