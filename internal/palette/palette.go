// Package palette is how Patchtide looks on a terminal: its colours, and the mark of each outcome.
package palette

import (
	"charm.land/lipgloss/v2"

	"github.com/patchtide/patchtide/internal/patch"
)

// The sixteen colours every terminal has, in its owner's own shades.
var (
	Good  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	Bad   = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
	Back  = lipgloss.NewStyle().Foreground(lipgloss.Yellow) // as it was before, or left as it is
	Busy  = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
	Quiet = lipgloss.NewStyle().Faint(true)
	Plain = lipgloss.NewStyle()
	Title = lipgloss.NewStyle().Bold(true)
	Says  = lipgloss.NewStyle().Foreground(lipgloss.Magenta) // the laboratory, of itself
	Asks  = lipgloss.NewStyle().Foreground(lipgloss.Yellow).Bold(true)
	Key   = lipgloss.NewStyle().Foreground(lipgloss.Cyan).Bold(true)
)

// Mark is a sign and its colour.
type Mark struct {
	Sign  string
	Style lipgloss.Style
}

var (
	good  = Mark{"✓", Good}
	bad   = Mark{"✗", Bad}
	back  = Mark{"↩", Back}
	left  = Mark{"~", Back}
	quiet = Mark{"·", Quiet}
)

var marks = map[patch.Outcome]Mark{
	patch.Patched: good, patch.AlreadyCompliant: good, patch.Succeeded: good, patch.WouldRun: good, patch.Released: good,
	patch.RolledBack:        back,
	patch.SucceededWithGaps: bad, patch.Skipped: left, patch.SucceededWithSkips: left, patch.Gone: left,
	patch.SucceededImageStale: left, patch.Terminated: left, patch.PatchedRebootPending: left, patch.RebootPending: left,
	patch.Failed: bad, patch.Quarantined: bad, patch.Aborted: bad, patch.Blocked: bad,
	patch.NotStarted: quiet, patch.NothingPutBack: quiet, patch.Refused: left,
}

// Of is an outcome's mark; a quiet one where there is none yet.
func Of(outcome patch.Outcome) Mark {
	if mark, known := marks[outcome]; known {
		return mark
	}
	return quiet
}

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// Spin is what turns while something is under way.
func Spin(frame int) string { return spinner[frame%len(spinner)] }
