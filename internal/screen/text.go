package screen

import (
	"errors"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"go.temporal.io/sdk/temporal"
)

// wrapped is text on lines of that width, at most so many; what is cut off is said to be.
func wrapped(text string, width, most int) []string {
	lines := strings.Split(ansi.Wrap(text, max(width, 20), ""), "\n")
	if len(lines) > most {
		lines = append(lines[:most-1], ansi.Truncate(lines[most-1], max(width-1, 1), "")+"…")
	}
	return lines
}

// plain is an error in its author's words, without Temporal's wrapping.
func plain(err error) string {
	var typed *temporal.ApplicationError
	if errors.As(err, &typed) {
		return typed.Message()
	}
	return err.Error()
}
