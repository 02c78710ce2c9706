package patch

import "time"

// Notice is one thing that people are told: what happened, why, and what it asks of them. It is plain data, made by a
// workflow and kept in its history; internal/notify makes the words. Only Kind, Key and At are always set.
type Notice struct {
	Kind NoticeKind `json:"kind"`
	// Key names this very notice: two with one key are the same notice, and the second is not sent.
	Key string    `json:"key"`
	At  time.Time `json:"at"`

	WaveID   string `json:"wave_id,omitempty"` // a wave's or a RollBackWave's workflow id
	RunID    string `json:"run_id,omitempty"`
	PutsBack string `json:"puts_back,omitempty"` // of a RollBackWave: the wave whose instances it puts back
	Plan     string `json:"plan,omitempty"`
	Stage    string `json:"stage,omitempty"`
	Step     string `json:"step,omitempty"` // of the stage, where it has some: "step 2 of 4"
	Hold     int    `json:"hold,omitempty"` // see Point: what is asked now
	// Subject is what the notice is about where that is no wave: a schedule, a baseline, the accounts that are frozen.
	Subject string `json:"subject,omitempty"`
	// WorkflowID is the workflow to look at where that is no wave.
	WorkflowID string `json:"workflow_id,omitempty"`

	Actor string `json:"actor,omitempty"` // who did it
	Why   string `json:"why,omitempty"`   // the reason, in words for people
	// WhatToDo and Commands are for kinds whose remedy the teller knows better than the kind does; they come before what
	// the kind says by itself.
	WhatToDo string   `json:"what_to_do,omitempty"`
	Commands []string `json:"commands,omitempty"` // shell commands, whole

	Verbs     []Verb     `json:"verbs,omitempty"`     // what the wave takes now
	NotBy     string     `json:"not_by,omitempty"`    // from whom it takes no approval
	Otherwise Verb       `json:"otherwise,omitempty"` // what is decided at Until when nobody answers
	Until     *time.Time `json:"until,omitempty"`
	Cutoff    *time.Time `json:"cutoff,omitempty"` // the window's, after which nothing begins; nil: any time
	RollsBack RollsBack  `json:"rolls_back,omitzero"`
	Case      *Case      `json:"case,omitempty"` // of one that asks for an approval

	Outcome   Outcome           `json:"outcome,omitempty"`   // of a wave that has ended
	Tally     Tally             `json:"tally,omitempty"`     // its instances by outcome
	Instances []NoticedInstance `json:"instances,omitempty"` // those that failed
	Stranded  []Stranded        `json:"stranded,omitempty"`
	Findings  []string          `json:"findings,omitempty"` // of drift: one line each
}

// NoticedInstance is an instance that did not end well.
type NoticedInstance struct {
	Group   string  `json:"group"` // account/region/name
	ID      string  `json:"id"`
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"`
}

// NoticeKind is what happened.
type NoticeKind string

// The kinds of notices.
const (
	NoticeStarted          NoticeKind = "started"           // a wave begins to change things
	NoticeAwaitingPlan     NoticeKind = "awaiting_plan"     // a wave waits for another plan; it goes on by itself
	NoticeAwaitingApproval NoticeKind = "awaiting_approval" // a stage waits for a person
	NoticeOnHold           NoticeKind = "on_hold"           // a stage stopped after failures
	// a window ended before a wave: it waits for the next, and for somebody
	NoticeParked          NoticeKind = "parked"
	NoticeSoaking         NoticeKind = "soaking"          // a stage is done and soaks; the wave goes on by itself
	NoticeFailedInstance  NoticeKind = "failed_instance"  // instances failed, and what became of them
	NoticeRolledBack      NoticeKind = "rolled_back"      // a wave ended by putting back what it had patched
	NoticeFinished        NoticeKind = "finished"         // a wave ended otherwise; Outcome tells how
	NoticeScheduleSkipped NoticeKind = "schedule_skipped" // a window opened and no wave was started: Why
	NoticeDrift           NoticeKind = "drift"            // AWS or Temporal has something else than the files: Findings
	NoticeFrozen          NoticeKind = "frozen"           // somebody froze accounts, or lifted that
	NoticeBlocked         NoticeKind = "blocked"          // patches are blocked for every plan, or no longer
	NoticeStranded        NoticeKind = "stranded"         // something was found that is not as it was: Stranded
	NoticeUndoFails       NoticeKind = "undo_fails"       // something that is to be put back cannot be: Why, Commands
	NoticeUndoEnded       NoticeKind = "undo_ended"       // what was told so has ended: Why
	NoticePaused          NoticeKind = "paused"           // a step that somebody paused in Temporal: Why
	NoticeTest            NoticeKind = "test"             // somebody tries whether notices arrive
)
