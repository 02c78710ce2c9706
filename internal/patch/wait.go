package patch

import "time"

// Wait is one thing that a workflow waits for right now: an activity that is tried again and again.
type Wait struct {
	WorkflowID string    `json:"workflow_id"`      // who waits: a wave, a group, an instance, or a wave's helper
	Activity   string    `json:"activity"`         // its type
	Attempt    int       `json:"attempt"`          // the one of now or the next, from 1
	Since      time.Time `json:"since,omitzero"`   // when it was tried first; zero: Temporal does not tell
	Failure    string    `json:"failure"`          // of the last attempt, for a person; "": none has failed
	Polls      bool      `json:"polls,omitempty"`  // that failure says only that it looks again and again
	Paused     bool      `json:"paused,omitempty"` // somebody has paused it in Temporal: Failure says who
	// Next is when it is tried again; zero: it is being tried, or waits for a worker.
	Next time.Time `json:"next,omitzero"`
	// Untaken is since when no worker takes it; zero: one has.
	Untaken time.Time `json:"untaken,omitzero"`
}

// Waits is what a wave and all below it wait for.
type Waits struct {
	At       time.Time  `json:"at"` // when it was read, by the reader's clock
	On       []Wait     `json:"on"`
	NotAsked int        `json:"not_asked,omitempty"`      // workflows below it that were not asked: too many, or too slow
	Frozen   Freezes    `json:"frozen,omitempty"`         // what keeps it from beginning anything
	Unknown  string     `json:"frozen_unknown,omitempty"` // why nobody knows what is frozen, which counts as frozen
	PutBack  *PutBackBy `json:"put_back,omitempty"`       // of one that has closed: the roll back of it; nil: there is none
}

// PutBackBy is a roll back of a wave that had closed.
type PutBackBy struct {
	WaveID  string    `json:"wave_id"`
	Outcome Outcome   `json:"outcome,omitempty"` // "": it is under way, or ended without one: then it has closed
	Closed  time.Time `json:"closed,omitzero"`
}

// UnderWay reports whether it is at it still.
func (b PutBackBy) UnderWay() bool { return b.Closed.IsZero() }

// How long something is waited for before it is told: what is under way and has not failed, and where lines stay a
// poll, which is how every wait goes, and a task that a worker is about to take.
const (
	longUnderWay = 2 * time.Second
	longPoll     = 15 * time.Second
	longUntaken  = 10 * time.Second
)

// Told reports whether it is worth telling whoever looks now: it has failed before, or takes its time.
func (w Wait) Told(at time.Time) bool {
	return w.Failure != "" || !w.Since.IsZero() && at.Sub(w.Since) >= longUnderWay
}

// Unserved reports whether no worker takes it: one that runs takes a task within moments.
func (w Wait) Unserved(at time.Time) bool {
	return !w.Untaken.IsZero() && at.Sub(w.Untaken) >= longUntaken
}

// Lasts reports whether it is worth a line where lines stay: it fails, no worker takes it, or it polls for long.
func (w Wait) Lasts(at time.Time) bool {
	switch {
	case w.Unserved(at):
		return true
	case w.Polls:
		return !w.Since.IsZero() && at.Sub(w.Since) >= longPoll
	}
	return w.Failure != ""
}

// AtWork are the workflows of groups that do something now: whom to ask first where there are many.
func (s WaveStatus) AtWork() []string {
	var ids []string
	for _, stage := range s.Stages {
		for _, group := range stage.Groups {
			if group.Phase == GroupPatching || group.Phase == GroupRollingBack {
				ids = append(ids, group.WorkflowID)
			}
		}
	}
	return ids
}
