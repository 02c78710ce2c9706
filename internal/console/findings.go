package console

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/plain"
)

// Finding is one line of a table of things that were looked at.
type Finding struct {
	OK, Problem bool // neither: unknown
	What, Where string
	Says        string
	Mend        string // what to do; "": nothing
}

func (f Finding) mark() (string, lipgloss.Style) {
	switch {
	case f.Problem:
		return "✗", palette.Bad
	case f.OK:
		return "✓", palette.Good
	}
	return "?", palette.Back
}

// Findings writes all of them as a table, and below it, for each that asks for something, what to do: there a command
// stands unbroken and can be copied.
func Findings(out io.Writer, environ []string, all []Finding) error {
	_, err := io.WriteString(New(out, environ, time.Now).out, findingsText(all, PageOf(out)))
	return err
}

func findingsText(all []Finding, page Page) string {
	all = slices.Clone(all)
	plain.Lines(&all)
	rows, styles := make([][]string, len(all)), make([]lipgloss.Style, len(all))
	for i, finding := range all {
		mark, style := finding.mark()
		styles[i] = style
		rows[i] = []string{mark, finding.What, finding.Where, finding.Says}
	}
	text := page.styled([]string{"", "Check", "Where", "Found"}, rows, func(row, column int) lipgloss.Style {
		const markColumn = 0
		switch {
		case row < 0: // the headers
			return palette.Title
		case column == markColumn:
			return styles[row]
		}
		return lipgloss.NewStyle()
	}, palette.Quiet)
	var below strings.Builder
	for _, finding := range all {
		if finding.Mend == "" {
			continue
		}
		mark, style := finding.mark()
		title := palette.Title.Render(finding.What + " " + finding.Where)
		fmt.Fprintf(&below, "\n%s %s\n%s\n%s\n", style.Render(mark), title, page.Wrap("  "+finding.Says, 2),
			page.Wrap("  To do: "+finding.Mend, 4))
	}
	return text + "\n" + below.String()
}
