package console

import (
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// Page is where text is read: on a terminal lines break at words and tables have lines, anywhere else a line is a line,
// which a log and a ticket want.
type Page struct {
	Width    int // in cells
	Terminal bool
}

// PageOf is the page of a stream.
func PageOf(out io.Writer) Page {
	width, _ := terminalSize(out)
	return Page{Width: width, Terminal: onTerminal(out)}
}

func onTerminal(out io.Writer) bool {
	file, ok := out.(term.File)
	return ok && term.IsTerminal(file.Fd())
}

// Wrap lets a long line go on under itself, behind so many cells, broken at spaces only, and never inside what stands
// in backticks: an address must stay one that can be clicked, and a command one that can be copied.
func (p Page) Wrap(line string, indent int) string {
	if !p.Terminal || p.Width < 2*indent+leastWidth {
		return line
	}
	return wrapped(unbroken(line), p.Width, indent, "")
}

// Command is Wrap for a command alone on its lines: one that is broken goes on as a shell lets it, and can be copied.
func (p Page) Command(line string, indent int) string {
	const goesOn = ` \`
	if !p.Terminal || ansi.StringWidth(line) <= p.Width {
		return line
	}
	var parts []string
	for i, word := range unbroken(line) {
		if last := len(parts) - 1; i > 0 && strings.HasPrefix(parts[last], "--") && !strings.HasPrefix(word, "--") {
			parts[last] += " " + word // a flag and its value
		} else {
			parts = append(parts, word)
		}
	}
	return wrapped(parts, p.Width-len(goesOn), indent, goesOn)
}

// Lines are a line, broken as Wrap breaks it.
func (p Page) Lines(line string, indent int) []string {
	return strings.Split(p.Wrap(line, indent), "\n")
}

// leastWidth is what a line must have to be broken at all.
const leastWidth = usualWidth / 5

// wrapped joins words to lines no wider than that, where words let it, with a mark at the end of each but the last.
func wrapped(words []string, width, indent int, mark string) string {
	var text strings.Builder
	used, gap := 0, 0
	for i, word := range words {
		if word == "" { // between two spaces
			gap++
			continue
		}
		wide := ansi.StringWidth(word)
		switch {
		case i == 0:
		case used+gap+wide > width:
			text.WriteString(mark + "\n" + strings.Repeat(" ", indent))
			used = indent
		default:
			text.WriteString(strings.Repeat(" ", gap))
			used += gap
		}
		text.WriteString(word)
		used, gap = used+wide, 1
	}
	return text.String()
}

// unbroken are what a line may be broken between. The spaces that a line begins with belong to its first word, and what
// stands in backticks is one.
func unbroken(line string) []string {
	var all []string
	begin, quoted := 0, false
	for i, r := range line {
		switch {
		case r == '`':
			quoted = !quoted && strings.ContainsRune(line[i+1:], '`')
		case r == ' ' && !quoted && strings.TrimSpace(ansi.Strip(line[:i])) != "":
			all = append(all, line[begin:i])
			begin = i + 1
		}
	}
	return append(all, line[begin:])
}

// Clock is a moment of today as people read it here, with its zone; Moment has the day: see TellUTC.
func Clock(at time.Time) string { return here(at).Format("15:04:05 MST") }

// ClockNear writes a Clock of the day that it is now, and a Moment of any other: a deadline of tomorrow is not taken
// for one of today.
func ClockNear(now time.Time) func(time.Time) string {
	return func(at time.Time) string {
		if here(at).Format(time.DateOnly) == here(now).Format(time.DateOnly) {
			return Clock(at)
		}
		return Moment(at)
	}
}

// Moment is a moment with its day and zone.
func Moment(at time.Time) string { return here(at).Format("2006-01-02 15:04:05 MST") }

// About is a Clock of what is only likely, to the minute.
func About(at time.Time) string { return here(at).Format("15:04 MST") }

// Minute is a Moment without its seconds, as what is planned and what is listed has it.
func Minute(at time.Time) string { return here(at).Format("2006-01-02 15:04 MST") }
