package console

import (
	"io"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
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
	file, ok := out.(term.File)
	return Page{Width: width, Terminal: ok && term.IsTerminal(file.Fd())}
}

// Wrap lets a long line go on under itself, behind so many cells, broken at spaces only: an address must stay one that
// can be clicked, and a command one that can be copied.
func (p Page) Wrap(line string, indent int) string {
	if !p.Terminal || p.Width < 2*indent+usualWidth/5 || ansi.StringWidth(line) <= p.Width-indent {
		return line
	}
	var text strings.Builder
	used := 0
	for i, word := range strings.Split(line, " ") {
		wide := ansi.StringWidth(word)
		switch {
		case i == 0:
		case used+1+wide > p.Width-indent:
			text.WriteString("\n" + strings.Repeat(" ", indent))
			used = 0
		default:
			text.WriteString(" ")
			used++
		}
		text.WriteString(word)
		used += wide
	}
	return text.String()
}

// Table draws rows below their headers. One that is wider than the terminal breaks the lines of its cells.
func (p Page) Table(headers []string, rows [][]string) string {
	drawn := p.bordered(table.New()).Headers(headers...).Rows(rows...).
		StyleFunc(func(int, int) lipgloss.Style { return lipgloss.NewStyle().Padding(0, 1) })
	text := drawn.Render()
	if p.Terminal && lipgloss.Width(text) > p.Width {
		text = drawn.Width(p.Width).Render()
	}
	return text
}

// bordered gives a table the lines that the page can show.
func (p Page) bordered(rows *table.Table) *table.Table {
	if p.Terminal {
		return rows.Border(lipgloss.RoundedBorder())
	}
	return rows.Border(lipgloss.ASCIIBorder())
}

// Clock is a moment of today as people read it here, with its zone; Moment has the day.
func Clock(at time.Time) string { return at.Local().Format("15:04:05 MST") }

// Moment is a moment with its day and zone.
func Moment(at time.Time) string { return at.Local().Format("2006-01-02 15:04:05 MST") }
