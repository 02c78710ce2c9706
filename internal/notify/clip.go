package notify

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds on a message's parts, so that whatever a reason says, every channel takes it and a person can read it.
const (
	longestHeadline = 140  // characters; Slack's header takes 150
	longestText     = 1200 // of why and what to do
	longestLine     = 300  // of one detail, fact, command or title
	mostDetails     = 12
)

// clip cuts text to a number of characters and says that it did. Control characters, which no channel shows, become
// spaces.
func clip(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return ' '
		}
		return r
	}, strings.TrimSpace(strings.ToValidUTF8(text, "?")))
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return strings.TrimSpace(string([]rune(text)[:limit-1])) + "…"
}

// line is clip for what must stay on one line.
func line(text string, limit int) string { return clip(strings.Join(strings.Fields(text), " "), limit) }

// plural counts things in words.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
