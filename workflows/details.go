package workflows

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/temporalui"
)

// longestTable keeps a table under the 20 KB that the UI shows.
const longestTable = 40

// cell keeps a text from breaking a Markdown table.
func cell(text string) string {
	text = strings.NewReplacer("|", "\\|", "\n", " ").Replace(text)
	if len(text) > 160 {
		text = strings.ToValidUTF8(text[:160], "") + "..."
	}
	return text
}

// words writes a state, an outcome or a phase as people say it.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

// moment is a time as people read it in details.
func moment(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

// doing is a step in a person's words.
func doing(step patch.Step, undoing bool) string {
	if undoing {
		return "putting back: " + string(step)
	}
	return string(step)
}

// pageOf links to a workflow's page. The UI shows details in a frame beside its root, from where the address counts.
func pageOf(namespace, workflowID, title string) string {
	if workflowID == "" {
		return title
	}
	page := temporalui.UI{Namespace: namespace}.Workflow(workflowID, "")
	return fmt.Sprintf("[%s](%s)", title, strings.TrimPrefix(page, "/"))
}
