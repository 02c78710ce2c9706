package notify

import (
	"fmt"
	"strings"
)

// text is a message as a mail shows it.
func text(m Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", m.Headline)
	if m.Why != "" {
		fmt.Fprintf(&b, "\nWhy: %s\n", m.Why)
	}
	for i, detail := range m.Details {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "- %s\n", detail)
	}
	if m.WhatToDo != "" {
		fmt.Fprintf(&b, "\nWhat to do now: %s\n", m.WhatToDo)
	}
	for _, command := range m.Commands {
		if command.When != "" {
			fmt.Fprintf(&b, "\n%s:", command.When)
		}
		fmt.Fprintf(&b, "\n  %s\n", command.Line)
	}
	for i, link := range m.Links {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s\n", link.Title, link.URL)
	}
	b.WriteByte('\n')
	for _, fact := range m.Facts {
		fmt.Fprintf(&b, "%s: %s\n", fact.Name, fact.Value)
	}
	fmt.Fprintf(&b, "Notice: %s\n", m.ID)
	return b.String()
}
