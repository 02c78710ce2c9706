package patch

import (
	"fmt"
	"strings"
	"time"
)

// checkCalendars refuses while a Change Calendar is closed, closes before an instance would be done, or is silent.
func checkCalendars(v View) []*Refusal {
	var found []*Refusal
	for _, calendar := range v.Around.Calendars {
		switch {
		case calendar.Error != "":
			found = append(found, v.refuseGroup(
				fmt.Sprintf("the change calendar %s gave no answer: %s", calendar.Name, calendar.Error),
				"correct its name in the plan's change_calendars, or allow ssm:GetCalendarState; "+
					"no answer counts as closed")...)
		case !calendar.Open:
			until := ""
			if !calendar.Changes.IsZero() {
				until = " until " + calendar.Changes.Format(time.RFC3339)
			}
			found = append(found, v.refuseGroup("the change calendar "+calendar.Name+" is closed"+until,
				"wait until it is open, then retry")...)
		case !calendar.Changes.IsZero() && calendar.Changes.Before(v.Around.Until):
			found = append(found, v.refuseGroup(fmt.Sprintf(
				"the change calendar %s closes at %s, before an instance would be done (%s)", calendar.Name,
				calendar.Changes.Format(time.RFC3339), v.Around.Until.Format(time.RFC3339)),
				"wait until it is open again, then retry")...)
		}
	}
	return found
}

func checkStacks(v View) []*Refusal {
	if len(v.Around.Stacks) == 0 {
		return nil
	}
	return v.refuseGroup("a CloudFormation stack that the group belongs to is being changed: "+
		strings.Join(v.Around.Stacks, ", "), "wait until it has settled, then retry")
}

// checkDeployments refuses an instance on which a deployment runs.
func checkDeployments(v View) []*Refusal {
	var found []*Refusal
	for _, deployment := range v.Around.Deployments {
		if deployment.Instance != "" && v.about(deployment.Instance) {
			found = append(found, v.refuseOf(deployment.Instance, "the CodeDeploy deployment "+deployment.ID+" is running on it",
				"wait until it has ended, or stop it, then retry")...)
		}
	}
	return found
}

// checkComingDeployments refuses while nobody can tell where a deployment will run.
func checkComingDeployments(v View) []*Refusal {
	var found []*Refusal
	for _, deployment := range v.Around.Deployments {
		if deployment.Instance == "" {
			found = append(found, v.refuseGroup("the CodeDeploy deployment "+deployment.ID+
				" is about to begin, and nobody can tell yet on which instances",
				"wait until it has ended, or stop it, then retry")...)
		}
	}
	return found
}

func checkStopAlarms(v View) []*Refusal {
	var found []*Refusal
	for _, alarm := range v.Around.StopAlarms {
		if v.about(alarm.Instance) {
			found = append(found, v.refuseOf(alarm.Instance,
				fmt.Sprintf("the alarm %s would %s it when a reboot trips it", alarm.Name, alarm.Action),
				"aws cloudwatch disable-alarm-actions --alarm-names "+alarm.Name+", and enable them after the wave")...)
		}
	}
	return found
}

// checkPatchers refuses an instance that another may patch before we are done.
func checkPatchers(v View) []*Refusal {
	var found []*Refusal
	for _, patcher := range v.Around.Patchers {
		if !v.about(patcher.Instance) || !patcher.Acts.Before(v.Around.Until) {
			continue
		}
		when := "at any moment"
		if patcher.Acts.After(v.Around.At) {
			when = "from " + patcher.Acts.Format(time.RFC3339)
		}
		found = append(found, v.refuseOf(patcher.Instance, patcher.Name+" may patch it "+when,
			"take the instance out of it, or disable it for the wave")...)
	}
	return found
}

// checkVolumeKey refuses an instance whose root volume could not be made again for want of its key.
func checkVolumeKey(v View) []*Refusal {
	if v.Policy.Restore != RestoreRootVolume {
		return nil
	}
	var found []*Refusal
	for _, locked := range v.Around.LockedRoots {
		if v.about(locked.Instance) {
			found = append(found, v.refuseOf(locked.Instance, locked.Why,
				"enable the key or cancel its deletion, or use restore: replace or none in the plan")...)
		}
	}
	return found
}

// checkGateAlarms refuses to begin while an alarm that is to judge does not say OK: it could not tell our harm from
// another's.
func checkGateAlarms(v View) []*Refusal {
	var found []*Refusal
	for _, alarm := range v.Around.GateAlarms {
		if alarm.State != AlarmWell {
			what := fmt.Sprintf("alarm %s is %s before we began", alarm.Name, alarm.State)
			if v.level == LevelInstance {
				what = fmt.Sprintf("alarm %s is %s, and would not tell our harm from another's", alarm.Name, alarm.State)
			}
			found = append(found, v.refuseGroup(what, "mend what it reports, then retry")...)
		}
	}
	return found
}

// checkHooks refuses to take out what a hook would only have put back.
func checkHooks(v View) []*Refusal {
	var found []*Refusal
	for _, what := range v.Around.Hooks {
		found = append(found, v.refuseGroup(what,
			"create it, or correct its name in the plan's hooks, or let the role invoke it, then retry")...)
	}
	return found
}

// checkBake refuses a bake in which an alarm that is to judge it would have no time to ring.
func checkBake(v View) []*Refusal {
	var found []*Refusal
	for _, alarm := range v.Around.GateAlarms {
		if alarm.Needs > v.Policy.Bake {
			found = append(found, v.refuseGroup(fmt.Sprintf(
				"the bake of %s is too short for the alarm %s, which may take %s to ring",
				v.Policy.Bake, alarm.Name, alarm.Needs),
				fmt.Sprintf("write bake: %s or more in the plan, or take the alarm out of health", alarm.Needs))...)
		}
	}
	return found
}
