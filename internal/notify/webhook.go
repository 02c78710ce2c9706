package notify

import (
	"context"
	"net/http"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// document is what a webhook and a program behind SNS receive. Fields are added, never renamed or given another
// meaning.
type document struct {
	Version   int                     `json:"version"` // of this shape: 1
	ID        string                  `json:"id"`      // the same in every repetition
	Kind      string                  `json:"kind"`
	Severity  Severity                `json:"severity"`
	At        time.Time               `json:"at"`
	Headline  string                  `json:"headline"`
	Why       string                  `json:"why,omitempty"`
	WhatToDo  string                  `json:"what_to_do,omitempty"`
	Commands  []command               `json:"commands"`
	Links     []link                  `json:"links"`
	Details   []string                `json:"details"`
	WaveID    string                  `json:"wave_id,omitempty"`
	RunID     string                  `json:"run_id,omitempty"`
	PutsBack  string                  `json:"puts_back,omitempty"`
	Plan      string                  `json:"plan,omitempty"`
	Stage     string                  `json:"stage,omitempty"`
	Hold      int                     `json:"hold,omitempty"` // what a verb is for, with the stage
	Subject   string                  `json:"subject,omitempty"`
	Actor     string                  `json:"actor,omitempty"`
	Verbs     []patch.Verb            `json:"verbs,omitempty"`
	Otherwise patch.Verb              `json:"otherwise,omitempty"`
	Until     *time.Time              `json:"until,omitempty"`
	Outcome   patch.Outcome           `json:"outcome,omitempty"`
	Tally     patch.Tally             `json:"tally,omitempty"`
	Instances []patch.NoticedInstance `json:"instances,omitempty"`
}

type command struct {
	When    string `json:"when,omitempty"`
	Command string `json:"command"`
}

type link struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// mostInstances bounds the list that programs read; a wave names no more than this either.
const mostInstances = 30

func documentOf(m Message) document {
	n := m.Notice
	d := document{
		Version: 1, ID: m.ID, Kind: m.Kind, Severity: m.Severity, At: m.At, Headline: m.Headline, Why: m.Why,
		WhatToDo: m.WhatToDo,
		Commands: []command{}, Links: []link{}, Details: append([]string{}, m.Details...),
		WaveID: n.WaveID, RunID: n.RunID, PutsBack: n.PutsBack, Plan: n.Plan, Stage: n.Stage, Hold: n.Hold,
		Subject: line(n.Subject, longestLine),
		Actor:   line(n.Actor, longestLine), Verbs: n.Verbs, Otherwise: n.Otherwise, Until: n.Until, Outcome: n.Outcome,
		Tally: n.Tally,
	}
	for _, c := range m.Commands {
		d.Commands = append(d.Commands, command{When: c.When, Command: c.Line})
	}
	for _, l := range m.Links {
		d.Links = append(d.Links, link(l))
	}
	for _, i := range n.Instances[:min(len(n.Instances), mostInstances)] {
		i.Reason = line(i.Reason, longestLine)
		d.Instances = append(d.Instances, i)
	}
	return d
}

// webhookDocument is far above any document of ours and below what common servers take.
const webhookDocument = 200_000

// Webhook posts the JSON document to an address. The header Idempotency-Key carries the notice's id.
func Webhook(name string, address Address, client *http.Client) Channel {
	return Channel{Name: name, send: func(ctx context.Context, m Message) error {
		body, err := fit(m, webhookDocument, func(m Message) (any, error) { return documentOf(m), nil })
		if err != nil {
			return err
		}
		return post(ctx, client, address, body, http.Header{"Idempotency-Key": {header(m.ID)}})
	}}
}

// header makes a value that a header may have.
func header(text string) string { return ascii(line(text, longestLine)) }
