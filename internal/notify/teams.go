package notify

import (
	"context"
	"net/http"
)

// teamsDocument keeps under what Teams takes: 28 KB by its documentation, of a message in its own encoding, and about
// 21 KB as measured by others.
const teamsDocument = 20_000

// Teams tells a channel by the webhook of a workflow ("Post to a channel when a webhook request is received").
func Teams(name string, address Address, client *http.Client) Channel {
	return Channel{Name: name, send: func(ctx context.Context, m Message) error {
		document, err := fit(m, teamsDocument, func(m Message) (any, error) { return teamsMessage(m), nil })
		if err != nil {
			return err
		}
		return post(ctx, client, address, document, nil)
	}}
}

// The parts of an Adaptive Card that we use. Text stands in text runs, which nothing in it can turn into a link or a
// mention: a TextBlock and a FactSet read Markdown.
type (
	teamsPost struct {
		Type        string            `json:"type"`
		Summary     string            `json:"summary"`
		Attachments []teamsAttachment `json:"attachments"`
	}
	teamsAttachment struct {
		ContentType string `json:"contentType"`
		Content     card   `json:"content"`
	}
	card struct {
		Schema       string            `json:"$schema"`
		Type         string            `json:"type"`
		Version      string            `json:"version"`
		FallbackText string            `json:"fallbackText"`
		Teams        map[string]string `json:"msteams"`
		Body         []element         `json:"body"`
		Actions      []action          `json:"actions,omitempty"`
	}
	element struct {
		Type      string    `json:"type"` // Container or RichTextBlock
		Style     string    `json:"style,omitempty"`
		Bleed     bool      `json:"bleed,omitempty"`
		Separator bool      `json:"separator,omitempty"`
		Spacing   string    `json:"spacing,omitempty"`
		Items     []element `json:"items,omitempty"`
		Inlines   []run     `json:"inlines,omitempty"`
	}
	run struct {
		Type     string `json:"type"`
		Text     string `json:"text"`
		Size     string `json:"size,omitempty"`
		Weight   string `json:"weight,omitempty"`
		FontType string `json:"fontType,omitempty"`
		Subtle   bool   `json:"isSubtle,omitempty"`
	}
	action struct {
		Type  string `json:"type"`
		Title string `json:"title"`
		URL   string `json:"url"`
	}
)

// teamsMessage is a message as an Adaptive Card. Version 1.4 is what Teams shows on every device.
func teamsMessage(m Message) teamsPost {
	body := []element{{
		Type: "Container", Style: teamsStyle(m.Severity), Bleed: true,
		Items: []element{paragraph(run{Text: m.Headline, Size: "Large", Weight: "Bolder"})},
	}}
	if m.Why != "" {
		body = append(body, paragraph(run{Text: "Why: ", Weight: "Bolder"}, run{Text: m.Why}))
	}
	for _, detail := range m.Details {
		body = append(body, tight(paragraph(run{Text: "• " + detail})))
	}
	if m.WhatToDo != "" {
		body = append(body, paragraph(run{Text: "What to do now: ", Weight: "Bolder"}, run{Text: m.WhatToDo}))
	}
	for _, command := range m.Commands {
		if command.When != "" {
			body = append(body, paragraph(run{Text: command.When + ":", Subtle: true}))
		}
		body = append(body, tight(paragraph(run{Text: command.Line, FontType: "Monospace"})))
	}
	for i, fact := range append(m.Facts, Fact{Name: "Notice", Value: m.ID}) {
		row := tight(paragraph(run{Text: fact.Name + ": " + fact.Value, Size: "Small", Subtle: true}))
		row.Separator = i == 0
		body = append(body, row)
	}
	var actions []action
	for _, link := range m.Links {
		actions = append(actions, action{Type: "Action.OpenUrl", Title: link.Title, URL: link.URL})
	}
	return teamsPost{Type: "message", Summary: m.Headline, Attachments: []teamsAttachment{{
		ContentType: "application/vnd.microsoft.card.adaptive",
		Content: card{
			Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4",
			FallbackText: m.Headline,
			Teams:        map[string]string{"width": "Full"}, Body: body, Actions: actions,
		},
	}}}
}

func paragraph(runs ...run) element {
	for i := range runs {
		runs[i].Type = "TextRun"
	}
	return element{Type: "RichTextBlock", Inlines: runs}
}

// tight sets a paragraph close to the one before.
func tight(e element) element { e.Spacing = "Small"; return e }

func teamsStyle(s Severity) string {
	switch s {
	case Alarm:
		return "attention"
	case Warning:
		return "warning"
	case Good:
		return "good"
	}
	return "accent"
}
