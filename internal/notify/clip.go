package notify

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/patchtide/patchtide/internal/plain"
)

// Bounds on a message's parts, so that whatever a reason says, every channel takes it and a person can read it.
const (
	longestHeadline = 140  // characters; Slack's header takes 150
	longestText     = 1200 // of why and what to do
	longestLine     = 300  // of one detail, fact, command or title
	mostDetails     = 12
	mostOfCase      = 24  // lines of what an approval is about
	longestOfCase   = 700 // of one of them: some name packages with their versions
)

// clip cuts text to a number of characters and says that it did. What no channel shows, and some obey, is taken out.
func clip(text string, limit int) string {
	text = strings.ReplaceAll(strings.TrimSpace(plain.Text(text)), "\t", " ")
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
