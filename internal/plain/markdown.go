package plain

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
)

// Markdown is a text as Markdown shows it: on one line, with nothing in it that would be a link, a picture, a table, a
// heading or emphasis. Underscores inside words are none and stay, as in roll_back.
func Markdown(text string) string {
	runes := []rune(Line(text))
	var b strings.Builder
	for i, r := range runes {
		if special(runes, i) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func special(runes []rune, i int) bool {
	word := func(at int) bool {
		return at >= 0 && at < len(runes) && (unicode.IsLetter(runes[at]) || unicode.IsDigit(runes[at]))
	}
	switch runes[i] {
	case '\\', '`', '*', '[', ']', '<', '|', '~', '&':
		return true
	case '_':
		return !word(i-1) || !word(i+1)
	case '>', '#', '-', '+', '=': // of what begins a line; the rest is one
		return i == 0
	case ':': // of an address, which would be made a link
		return strings.HasPrefix(string(runes[i:min(len(runes), i+3)]), "://")
	case '.':
		return i >= 3 && strings.EqualFold(string(runes[i-3:i]), "www")
	case '@':
		return word(i-1) && word(i+1)
	}
	return false
}

// Marked is text that is Markdown already.
type Marked string

// Markdownf is Markdown by a format. What is filled in is other people's text, in part, and shown as it is; only the
// format, numbers and what is Marked are ours.
func Markdownf(format string, filled ...any) Marked {
	shown := make([]any, len(filled))
	for i, one := range filled {
		shown[i] = one
		if marked, is := one.(Marked); is {
			shown[i] = string(marked)
			continue
		}
		_, speaks := one.(fmt.Stringer)
		if kind := reflect.ValueOf(one).Kind(); speaks || kind == reflect.String || kind == reflect.Slice {
			shown[i] = Markdown(fmt.Sprint(one))
		}
	}
	return Marked(fmt.Sprintf(format, shown...))
}
