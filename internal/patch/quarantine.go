package patch

import (
	"fmt"
	"slices"
	"time"
)

// Quarantine says how a plan keeps an instance that must not serve: on neither version for sure, or ill on its old one.
type Quarantine struct {
	TTL Duration `json:"ttl"` // how long it is kept before it is terminated; 0: until a person decides
	// Isolate is the security group that takes the place of all others of a quarantined instance: an id (sg-...), or a
	// name, which is looked up in the instance's own network; "" leaves them.
	Isolate string `json:"isolate,omitempty"`
}

// Until is when a quarantine that begins at t ends by itself; zero: never.
func (q Quarantine) Until(t time.Time) time.Time {
	if q.TTL <= 0 {
		return time.Time{}
	}
	return t.Add(q.TTL.D())
}

// QuarantineVerb is what is to become of a quarantined instance.
type QuarantineVerb string

// The verbs of a quarantine.
const (
	QuarantineList      QuarantineVerb = "list"
	QuarantineRelease   QuarantineVerb = "release"   // back to where it was
	QuarantineTerminate QuarantineVerb = "terminate" // ended
)

// ReleaseView is what is known when a quarantined instance is to return to its Auto Scaling group.
type ReleaseView struct {
	ID      string
	Since   time.Time // when it was taken out
	Known   []string  // the members that stayed then
	GiveWay string    // the instance that a person names to go in its place; "" leaves it to the journal
}

// launchSlack is how far the clocks of AWS and Temporal may be apart.
const launchSlack = time.Minute

// PlanRelease decides how a quarantined instance returns to its Auto Scaling group: "" when the group has room for it,
// else the id of the instance that goes first, by being terminated with decrement. That is the one launched in its
// place: the first that was not there when it was taken out. It refuses where nobody can tell, and where fewer would
// serve than promised.
func PlanRelease(group Group, state GroupState, stage Stage, view ReleaseView) (giveWay string, refused *Refusal) {
	refuse := func(what, todo string) (string, *Refusal) {
		return "", &Refusal{Code: RefusedCapacity, Where: group.String() + "/" + view.ID, What: what, WhatToDo: todo}
	}
	asked := View{Group: group, Policy: PolicyOf(Plan{}, stage), State: &state}
	if refusal := First(LevelReturn, asked); refusal != nil {
		return "", refusal
	}
	if view.GiveWay != "" {
		if member, found := state.Member(view.GiveWay); !found || member.Leaving() {
			return refuse(view.GiveWay+" is no member of the group that could go in its place", "name one that is, or none")
		}
	}
	if state.Desired < state.Max && view.GiveWay == "" {
		return "", nil
	}
	giveWay = view.GiveWay
	if giveWay == "" {
		launched := GroupState{Members: slices.DeleteFunc(slices.Clone(state.Members), func(m Member) bool {
			return m.Leaving()
		})}
		giveWay = FirstNewcomer(launched, view.Known, view.Since.Add(-launchSlack))
	}
	if giveWay == "" {
		return refuse(
			fmt.Sprintf(
				"desired is %d and max %d, and no instance of the group was launched in its place",
				state.Desired,
				state.Max,
			),
			"raise max by one, or name the instance that shall go (--give-way)",
		)
	}
	asked.Instance = giveWay
	if refusal := First(LevelReturn, asked); refusal != nil {
		return "", refusal
	}
	return giveWay, nil
}
