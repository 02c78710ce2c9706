package group

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// details is what the Temporal UI shows of the group.
func (g *group) details(ctx workflow.Context) string {
	return details(g.status, g.in.Group, workflow.GetInfo(ctx).Namespace)
}

// mostHooks is how many runs of hooks a group's page lists; each instance's has all of its own.
const mostHooks = 50

// hooksOf lists what ran of the plan's hooks on the instances that have ended.
func hooksOf(instances []patch.InstanceResult) string {
	var text strings.Builder
	count := 0
	for _, instance := range instances {
		for _, ran := range instance.Hooks {
			if count++; count <= mostHooks {
				run.Write(&text, "\n- %s: %s", instance.ID, brief.HookLine(ran))
			}
		}
	}
	if count > mostHooks {
		run.Write(&text, "\n- and %d more hooks", count-mostHooks)
	}
	if count > 0 {
		text.WriteString("\n")
	}
	return text.String()
}

// details is a group's status as Markdown; each instance that has, or had, a workflow leads to its page.
func details(status patch.GroupStatus, group patch.Group, namespace string) string {
	var text strings.Builder
	run.Write(&text, "**%s** is **%s**", status.Group, status.Phase.Words())
	if mode := status.Strategy.Mode; mode != "" {
		run.Write(&text, ", room by %s", mode)
	}
	text.WriteString("\n\n")
	if status.Reason != "" {
		run.Write(&text, "> %s\n\n", status.Reason)
	}
	for _, failing := range status.Failing {
		text.WriteString(strings.TrimPrefix(run.Failing(&failing)+"\n", "\n"))
	}
	text.WriteString("| instance | now or outcome | since (UTC) | missing | why |\n|---|---|---|---|---|\n")
	for i, instance := range status.Instances {
		if i >= run.LongestTable {
			run.Write(&text, "\nand %d more\n", len(status.Instances)-i)
			break
		}
		stands, since, missing := run.Marked(instance.Outcome.Words()), "", ""
		if now := nowOf(run.AtWork(status.Phase, status.Now), instance.ID); now != nil {
			stands, since = run.Marked("**"+now.Step.Told(now.Undoing)+"**"), now.Since.UTC().Format(time.TimeOnly)
		}
		page := names.InstanceLock(group, instance.ID)
		if untouched := instance.Outcome == patch.NotStarted || instance.Outcome == patch.Skipped; untouched &&
			!slices.Contains(status.Current, page) {
			page = "" // it has none
		}
		if instance.Outcome != patch.NotStarted {
			missing = fmt.Sprintf("%d → %d", instance.MissingBefore, instance.MissingAfter)
		}
		run.Write(&text, "| %s | %s | %s | %s | %s |\n",
			run.PageOf(namespace, page, instance.Called()), stands, since, missing, run.Cell(instance.Reason))
	}
	text.WriteString(hooksOf(status.Instances))
	for _, gap := range status.Gaps {
		run.Write(&text, "\n- **not reached** %s\n", gap.In(status.Group))
	}
	if status.StaleImage != "" {
		run.Write(&text, "\n- %s\n", status.StaleImage)
	}
	if status.Image != nil {
		run.Write(&text, "\n- %s\n", status.Image.Told())
	}
	for _, note := range status.Notes { // those who are left out are among them
		run.Write(&text, "\n- %s\n", note)
	}
	return text.String()
}
