package screen

import (
	"errors"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/patch"
)

// The sixteen colours every terminal has, in its owner's own shades.
var (
	goodStyle  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	badStyle   = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
	backStyle  = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	busyStyle  = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
	quietStyle = lipgloss.NewStyle().Faint(true)
	titleStyle = lipgloss.NewStyle().Bold(true)
	askStyle   = lipgloss.NewStyle().Foreground(lipgloss.Yellow).Bold(true)
	keyStyle   = lipgloss.NewStyle().Foreground(lipgloss.Cyan).Bold(true)
)

// marked is an outcome's mark and colour.
func marked(outcome patch.Outcome) (string, lipgloss.Style) {
	switch outcome {
	case patch.Patched, patch.AlreadyCompliant, patch.Succeeded, patch.WouldRun:
		return "✓", goodStyle
	case patch.RolledBack:
		return "↩", backStyle
	case patch.Skipped, patch.SucceededWithSkips, patch.Gone:
		return "~", backStyle
	case patch.Failed, patch.Quarantined, patch.Aborted, patch.Blocked:
		return "✗", badStyle
	}
	return "·", quietStyle
}

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
