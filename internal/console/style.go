package console

import (
	"charm.land/lipgloss/v2"

	"github.com/patchtide/patchtide/internal/patch"
)

// The sixteen colours every terminal has, in its owner's own shades.
var (
	goodStyle  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	badStyle   = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
	backStyle  = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	busyStyle  = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
	quietStyle = lipgloss.NewStyle().Faint(true)
	plainStyle = lipgloss.NewStyle()
	titleStyle = lipgloss.NewStyle().Bold(true)
	timeStyle  = quietStyle
	sayStyle   = lipgloss.NewStyle().Foreground(lipgloss.Magenta)
	askStyle   = lipgloss.NewStyle().Foreground(lipgloss.Yellow).Bold(true)
)

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

func outcomeStyle(outcome patch.Outcome) lipgloss.Style {
	switch outcome {
	case patch.Patched, patch.AlreadyCompliant, patch.Succeeded, patch.WouldRun:
		return goodStyle
	case patch.RolledBack, patch.Skipped, patch.SucceededWithSkips, patch.Gone:
		return backStyle
	case patch.Failed, patch.Quarantined, patch.Aborted, patch.Blocked:
		return badStyle
	case patch.NotStarted:
		return quietStyle
	}
	return plainStyle
}

func symbol(outcome patch.Outcome) string {
	switch outcome {
	case patch.Patched, patch.AlreadyCompliant, patch.Succeeded, patch.WouldRun:
		return "✓"
	case patch.RolledBack:
		return "↩"
	case patch.Skipped, patch.SucceededWithSkips, patch.Gone:
		return "~"
	case patch.Failed, patch.Quarantined, patch.Aborted, patch.Blocked:
		return "✗"
	}
	return "·"
}
