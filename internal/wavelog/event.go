// Package wavelog tells what a wave did, in order: its states, what people decided, what its groups and instances went
// through and why something failed. It reads the histories that Temporal keeps of the wave, its groups and its
// instances, so that no worker needs to run, and after their retention the wave's evidence.
package wavelog

import (
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// Kind says whose event it is.
type Kind string

// The kinds of events.
const (
	OfWave     Kind = "wave"     // a state of the wave
	OfPerson   Kind = "decision" // a verb that the wave took, or what was decided since nobody did
	OfGroup    Kind = "group"    // a phase of a group
	OfInstance Kind = "instance" // a step of an instance, or how it ended
)

// Event is one thing that happened. Its keys are a promise to scripts; fields are added, never renamed.
type Event struct {
	At       time.Time     `json:"at"` // by Temporal's clock
	Kind     Kind          `json:"kind"`
	Stage    string        `json:"stage,omitempty"`    // of the wave and of decisions: the current one
	Group    string        `json:"group,omitempty"`    // account/region/name
	Instance string        `json:"instance,omitempty"` // its id
	What     string        `json:"what"`               // a state, a verb, a phase, a step or an outcome in words
	Outcome  patch.Outcome `json:"outcome,omitempty"`  // set when something has ended
	Actor    string        `json:"actor,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Asks     bool          `json:"asks,omitempty"` // a person is asked
}

// Subject is what the event is about.
func (e Event) Subject() string {
	switch {
	case e.Instance != "":
		return e.Group + " " + e.Instance
	case e.Group != "":
		return e.Group
	case e.Stage != "":
		return "stage " + e.Stage
	}
	return "wave"
}

// Said is what happened, by whom and why, on one line.
func (e Event) Said() string {
	said := e.What
	if e.Actor != "" {
		said += " by " + e.Actor
	}
	if e.Reason != "" {
		said += ": " + strings.Join(strings.Fields(e.Reason), " ")
	}
	return said
}
