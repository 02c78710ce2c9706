package group

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// details is what the Temporal UI shows of the group.
func (g *group) details() string {
	var text strings.Builder
	run.Write(&text, "**%s** is **%s**", g.status.Group, run.Words(string(g.status.Phase)))
	if mode := g.status.Strategy.Mode; mode != "" {
		run.Write(&text, ", room by %s", mode)
	}
	text.WriteString("\n\n")
	if g.status.Reason != "" {
		run.Write(&text, "> %s\n\n", g.status.Reason)
	}
	text.WriteString(strings.TrimPrefix(run.Failing(g.status.Failing)+"\n", "\n"))
	text.WriteString("| instance | now or outcome | since | missing | why |\n|---|---|---|---|---|\n")
	for i, instance := range g.status.Instances {
		if i >= run.LongestTable {
			run.Write(&text, "\nand %d more\n", len(g.status.Instances)-i)
			break
		}
		stands, since, missing := run.Marked(run.Words(string(instance.Outcome))), "", ""
		if now := run.AtWork(g.status.Phase, g.status.Now); now != nil && now.ID == instance.ID {
			stands, since = run.Marked("**"+now.Step.Told(now.Undoing)+"**"), now.Since.UTC().Format(time.TimeOnly)
		}
		if instance.Outcome != patch.NotStarted {
			missing = fmt.Sprintf("%d → %d", instance.MissingBefore, instance.MissingAfter)
		}
		run.Write(&text, "| %s | %s | %s | %s | %s |\n", instance.ID, stands, since, missing, run.Cell(instance.Reason))
	}
	for _, gap := range g.status.Gaps {
		run.Write(&text, "\n- **not reached** %s\n", gap.In(g.status.Group))
	}
	for _, note := range g.status.Notes {
		run.Write(&text, "\n- %s\n", note)
	}
	return text.String()
}
