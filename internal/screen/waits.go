package screen

import (
	"strings"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/patch"
)

// waitLines are what a workflow waits for, behind so many cells; a task that a worker has just been given is not told.
func (m *Model) waitLines(indent int, workflowID string) []string {
	return m.waits(indent, func(wait patch.Wait) bool { return wait.WorkflowID == workflowID })
}

// waitsOfTheWave are those of the wave itself and of what reads and scans for it.
func (m *Model) waitsOfTheWave() []string {
	return m.waits(0, func(wait patch.Wait) bool { return names.Locked(wait.WorkflowID) == "" })
}

func (m *Model) waits(indent int, whose func(patch.Wait) bool) []string {
	waits := m.last.Details.Waits
	theirs := patch.Waits{At: waits.At}
	for _, wait := range waits.On {
		if whose(wait) {
			theirs.On = append(theirs.On, wait)
		}
	}
	var lines []string
	for _, wait := range brief.WaitedFor(m.last.Status, theirs, console.Clock) { // whose it is stands above it
		lines = append(lines, strings.Repeat(" ", indent+2)+palette.Quiet.Render("waits: "+wait.What))
	}
	return lines
}
