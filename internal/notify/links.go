package notify

import (
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/temporalui"
)

// links are the pages of the Temporal UI where people go from a notice: what it is about first, then where they act on
// it.
func links(n patch.Notice, ui temporalui.UI) []Link {
	var links []Link
	if n.WaveID != "" {
		links = append(links, Link{"The wave in the Temporal UI", ui.Workflow(n.WaveID, n.RunID)})
	}
	switch {
	case n.WorkflowID != "":
		links = append(links, Link{n.WorkflowID + " in the Temporal UI", ui.Workflow(n.WorkflowID, "")})
	case n.Kind == patch.NoticeFrozen:
		links = append(links, Link{"Who froze what, and the Updates that lift it", ui.Workflow(names.FreezeID, "")})
	}
	if startsAnother(n) {
		links = append(links, Link{"The form that starts a wave of " + n.Plan, ui.Start(temporalui.StartWave(n.Plan, n.At))})
	}
	if len(links) == 0 || n.Kind == patch.NoticeAwaitingApproval || n.Kind == patch.NoticeOnHold ||
		n.Kind == patch.NoticeParked {
		links = append(links, Link{"Everything that waits for a person", ui.List(temporalui.Waiting().Query)})
	}
	return links
}

// startsAnother tells the notices after which people may want another wave of the plan.
func startsAnother(n patch.Notice) bool {
	if n.Plan == "" || n.PutsBack != "" {
		return false
	}
	ended := n.Kind == patch.NoticeRolledBack || n.Kind == patch.NoticeFinished && n.Outcome != patch.Succeeded
	return ended || n.Kind == patch.NoticeScheduleSkipped
}
