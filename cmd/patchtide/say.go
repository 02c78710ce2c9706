package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/patchtide/patchtide/internal/console"
	shown "github.com/patchtide/patchtide/internal/plain"
)

// line writes one line without spaces at its end. On a terminal it goes on below itself, deeper by two cells. Whatever
// other people's text is filled in is shown and not obeyed: no control character reaches a terminal.
func line(out io.Writer, format string, filled ...any) {
	fmt.Fprintln(out, lineOf(out, format, filled...))
}

// lineOf is the line as it is written to out.
func lineOf(out io.Writer, format string, filled ...any) string {
	text := strings.TrimRight(shown.Line(fmt.Sprintf(format, filled...)), " ")
	margin := len(text) - len(strings.TrimLeft(text, " "))
	return console.PageOf(out).Wrap(text, margin+2)
}

// lines writes each line of a text.
func lines(out io.Writer, text string) {
	for _, one := range strings.Split(text, "\n") {
		line(out, "%s", one)
	}
}

// oneLine is the value of a flag that other people will read: it is kept plain and on one line.
type oneLine struct{ text *string }

func oneLineOf(text *string, preset string) oneLine {
	*text = shown.Line(preset)
	return oneLine{text}
}

func (o oneLine) Set(text string) error { *o.text = shown.Line(text); return nil }

// String is also called on the zero value, by which pflag decides whether a default is worth showing.
func (o oneLine) String() string {
	if o.text == nil {
		return ""
	}
	return *o.text
}

func (oneLine) Type() string { return "string" }
