package plain

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
)

// Markdown is a text as Markdown shows it: on one line, with nothing in it that would be a link, a picture, a table, a
// heading or emphasis. Underscores inside words are none and stay, as in roll_back. A command's flag is code: the
// Temporal UI makes one long dash of two, which no shell takes.
func Markdown(text string) string {
	runes := []rune(Line(text))
	var b strings.Builder
	for i := 0; i < len(runes); i++ {
		if long := flag(runes[i:]); long > 0 && (i == 0 || runes[i-1] == ' ') {
			b.WriteString("`" + string(runes[i:i+long]) + "`")
			i += long - 1
			continue
		}
		if special(runes, i) {
			b.WriteByte('\\')
		}
		b.WriteRune(runes[i])
	}
	return b.String()
}

// flag is how long a command's flag is with which a text begins; 0: it begins with none.
func flag(runes []rune) int {
	if len(runes) < 3 || runes[0] != '-' || runes[1] != '-' {
		return 0
	}
	long := 2
	for long < len(runes) && (runes[long] >= 'a' && runes[long] <= 'z' || long > 2 && runes[long] == '-') {
		long++
	}
	if long == 2 {
		return 0
	}
	return long
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
