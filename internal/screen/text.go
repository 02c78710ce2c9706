package screen

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// wrapped is text on lines of that width, at most so many; what is cut off is said to be.
func wrapped(text string, width, most int) []string {
	lines := strings.Split(ansi.Wrap(text, max(width, 20), ""), "\n")
	if len(lines) > most {
		lines = append(lines[:most-1], ansi.Truncate(lines[most-1], max(width-1, 1), "")+"…")
	}
	return lines
}
