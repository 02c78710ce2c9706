package notify

import (
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// Message is a notice in words, before any channel's own form: what happened, why, what to do now, with the exact
// commands and links. All text is plain; each channel escapes it.
type Message struct {
	ID       string // the notice's key: the same in every repetition
	Kind     string
	Severity Severity
	At       time.Time
	Headline string // one line
	Why      string // "" where there is nothing to say
	WhatToDo string
	Commands []Command
	Links    []Link
	Facts    []Fact
	Details  []string // instances, findings, things stranded: one line each

	Notice patch.Notice // for documents that programs read; its texts are not bounded
}

// Severity is how bad it is.
type Severity string

// From nothing to do to somebody must act.
const (
	Info    Severity = "info"
	Good    Severity = "good"
	Warning Severity = "warning"
	Alarm   Severity = "alarm"
)

// Command is a shell command and when to use it.
type Command struct {
	When string // "" where there is only one to choose
	Line string
}

// Link is an address a person may open.
type Link struct{ Title, URL string }

// Fact is a name and a value.
type Fact struct{ Name, Value string }
