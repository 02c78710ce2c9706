package patch

import (
	"fmt"
	"strings"
	"time"
)

// Interference are what others do, or are about to do, to a group and some of its instances, read at one moment, and whether
// those instances' root volumes can be made again.
type Interference struct {
	At    time.Time // AWS's clock
	Until time.Time // by AWS's clock: an instance that is begun now is likely to be done by then

	Calendars   []Calendar
	Stacks      []string // CloudFormation stacks under way: "web (UPDATE_IN_PROGRESS)"
	Deployments []Deployment
	StopAlarms  []StopAlarm
	Patchers    []Patcher
	LockedRoots []LockedRoot
	GateAlarms  []AlarmObservation // those that are to judge the stage
}

// Calendar is what a Change Calendar says.
type Calendar struct {
	Name    string
	Open    bool
	Changes time.Time // when it becomes the other; zero: not known
	Error   string    // why it gave no answer
}

// Deployment is one of CodeDeploy that is under way.
type Deployment struct {
	ID       string
	Instance string // one of ours that it is about; "": it has not begun, and nobody can tell yet
}

// StopAlarm is a CloudWatch alarm that stops, terminates, reboots or recovers an instance.
type StopAlarm struct {
	Name     string
	Action   string // stop, terminate, reboot, recover
	Instance string
}

// Patcher installs packages on an instance without us.
type Patcher struct {
	Name     string // for a person: maintenance window "monthly" (mw-...)
	Instance string
	Acts     time.Time // when it will next; zero: at any moment
}

// LockedRoot is a root volume whose encryption key we may not be able to use.
type LockedRoot struct {
	Instance string
	Why      string
}

// MayDisturb refuses while somebody else is at work on the group or one of the instances that the surroundings were read
// for: with a calendar closed or silent, a stack update or deployment running, an alarm that may stop the instance, or
// another patcher that may act before we are done.
func MayDisturb(group Group, around Interference) *Refusal { return first(Disturbances(group, around)) }

// Disturbances is MayDisturb with every reason to refuse.
func Disturbances(group Group, around Interference) []*Refusal {
	var found []*Refusal
	refuse := func(code RefusalCode, instance, what, todo string) {
		found = append(found, &Refusal{Code: code, Where: place(group, instance), What: what, WhatToDo: todo})
	}
	for _, calendar := range around.Calendars {
		switch {
		case calendar.Error != "":
			refuse(RefusedCalendar, "", fmt.Sprintf("the change calendar %s gave no answer: %s", calendar.Name, calendar.Error),
				"correct its name in the plan's window.change_calendars, or allow ssm:GetCalendarState; no answer counts as closed")
		case !calendar.Open:
			refuse(RefusedCalendar, "", "the change calendar "+calendar.Name+" is closed", "wait until it is open, then retry")
		case !calendar.Changes.IsZero() && calendar.Changes.Before(around.Until):
			refuse(RefusedCalendar, "", fmt.Sprintf("the change calendar %s closes at %s, before an instance would be done (%s)",
				calendar.Name, calendar.Changes.Format(time.RFC3339), around.Until.Format(time.RFC3339)), "wait until it is open again, then retry")
		}
	}
	if len(around.Stacks) > 0 {
		refuse(RefusedStack, "", "a CloudFormation stack that the group belongs to is being changed: "+strings.Join(around.Stacks, ", "),
			"wait until it has settled, then retry")
	}
	for _, deployment := range around.Deployments {
		what := "the CodeDeploy deployment " + deployment.ID + " is running on it"
		if deployment.Instance == "" {
			what = "the CodeDeploy deployment " + deployment.ID + " is about to begin, and nobody can tell yet on which instances"
		}
		refuse(RefusedDeployment, deployment.Instance, what, "wait until it has ended, or stop it, then retry")
	}
	for _, alarm := range around.StopAlarms {
		refuse(RefusedStopAlarm, alarm.Instance, fmt.Sprintf("the alarm %s would %s it when a reboot trips it", alarm.Name, alarm.Action),
			"aws cloudwatch disable-alarm-actions --alarm-names "+alarm.Name+", and enable them after the wave")
	}
	for _, patcher := range around.Patchers {
		when := "at any moment"
		if patcher.Acts.After(around.At) {
			when = "from " + patcher.Acts.Format(time.RFC3339)
		}
		if patcher.Acts.Before(around.Until) {
			refuse(RefusedOtherPatcher, patcher.Instance, patcher.Name+" may patch it "+when, "take the instance out of it, or disable it for the wave")
		}
	}
	return found
}

func place(group Group, instance string) string {
	if instance == "" {
		return group.String()
	}
	return group.String() + "/" + instance
}
