package console

import (
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/x/ansi"

	"github.com/patchtide/patchtide/internal/plain"
)

// Style is how one cell of a table looks; the headers' row is below 0.
type Style func(row, column int) lipgloss.Style

// Table draws rows below their headers. Cells of one that is wider than the terminal break their lines at words; where
// that does not help, each row is a block of lines.
func (p Page) Table(headers []string, rows [][]string) string {
	return p.styled(headers, rows, func(int, int) lipgloss.Style { return lipgloss.NewStyle() }, lipgloss.NewStyle())
}

// styled is Table with looks.
func (p Page) styled(headers []string, rows [][]string, style Style, border lipgloss.Style) string {
	rows = plainCells(rows)
	if p.Terminal {
		fitting, fits := fitted(headers, rows, p.Width)
		if !fits {
			return p.blocks(headers, rows, style)
		}
		rows = fitting
	}
	drawn := table.New().Border(lipgloss.ASCIIBorder())
	if p.Terminal {
		drawn.Border(lipgloss.RoundedBorder())
	}
	return drawn.BorderStyle(border).Headers(headers...).Rows(rows...).
		StyleFunc(func(row, column int) lipgloss.Style { return style(row, column).Padding(0, 1) }).Render()
}

func plainCells(rows [][]string) [][]string {
	shown := make([][]string, len(rows))
	for i, row := range rows {
		shown[i] = slices.Clone(row)
	}
	plain.Lines(&shown)
	return shown
}

// fitted breaks the lines of cells so that the table is no wider than that; ok is false where words are too long for
// it.
func fitted(headers []string, rows [][]string, width int) (broken [][]string, ok bool) {
	const besideCell = 3 // a line and a space on both sides
	room := width - 1
	widths, least := make([]int, len(headers)), make([]int, len(headers))
	all := slices.Concat([][]string{headers}, rows)
	for column := range headers {
		for _, row := range all {
			widths[column] = max(widths[column], lipgloss.Width(row[column]))
			for _, word := range unbroken(row[column]) {
				least[column] = max(least[column], ansi.StringWidth(word))
			}
		}
		least[column] = max(least[column], lipgloss.Width(headers[column])) // no header is broken
		room -= besideCell
	}
	for sum(widths) > room {
		widest := -1
		for column := range widths {
			if widths[column] > least[column] && (widest < 0 || widths[column] > widths[widest]) {
				widest = column
			}
		}
		if widest < 0 {
			return nil, false
		}
		widths[widest]--
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for column, cell := range row {
			cells[column] = wrapped(unbroken(cell), widths[column], 0, "")
		}
		broken = append(broken, cells)
	}
	return broken, true
}

func sum(numbers []int) (all int) {
	for _, n := range numbers {
		all += n
	}
	return all
}

// blocks writes each row as lines: its first cell, with the sign before it where there is one, above the others.
func (p Page) blocks(headers []string, rows [][]string, style Style) string {
	const margin = "  "
	widest := 0
	for _, header := range headers {
		widest = max(widest, lipgloss.Width(header))
	}
	var lines []string
	for number, row := range rows {
		title, column := "", 0
		for named := false; column < len(row) && !named; column++ {
			title, named = title+style(number, column).Render(row[column])+" ", headers[column] != ""
		}
		lines = append(lines, p.Lines(strings.TrimRight(title, " "), len(margin))...)
		for ; column < len(row); column++ {
			if row[column] == "" {
				continue
			}
			label := margin + headers[column] + strings.Repeat(" ", widest-lipgloss.Width(headers[column])) + margin
			lines = append(lines, p.Lines(label+style(number, column).Render(row[column]), lipgloss.Width(label))...)
		}
	}
	return strings.Join(lines, "\n")
}
