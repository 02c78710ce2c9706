package console

import (
	"fmt"
	"io"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"github.com/patchtide/patchtide/internal/palette"
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
	c := New(out, environ, time.Now)
	rows := c.page().bordered(table.New()).BorderStyle(palette.Quiet).Headers("", "Check", "Where", "Found")
	styles := make([]lipgloss.Style, len(all))
	for i, finding := range all {
		mark, style := finding.mark()
		styles[i] = style
		rows.Row(mark, finding.What, finding.Where, finding.Says)
	}
	const markColumn = 0
	rows.StyleFunc(func(row, column int) lipgloss.Style {
		cell := lipgloss.NewStyle()
		switch {
		case row == table.HeaderRow:
			cell = palette.Title
		case column == markColumn:
			cell = styles[row]
		}
		return cell.Padding(0, 1)
	})
	text := rows.Render()
	if width, _ := c.size(); lipgloss.Width(text) > width {
		text = rows.Width(width).Render() // cells break their lines
	}
	var below strings.Builder
	for _, finding := range all {
		if finding.Mend == "" {
			continue
		}
		mark, style := finding.mark()
		title := palette.Title.Render(finding.What + " " + finding.Where)
		fmt.Fprintf(&below, "\n%s %s\n  %s\n  To do: %s\n", style.Render(mark), title, finding.Says, finding.Mend)
	}
	_, err := io.WriteString(c.out, text+"\n"+below.String())
	return err
}
