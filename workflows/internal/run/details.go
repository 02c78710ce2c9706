package run

import (
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
	"github.com/patchtide/patchtide/internal/temporalui"
)

// LongestTable keeps a table under the 20 KB that the UI shows.
const LongestTable = 40

// Marked is text that is Markdown already.
type Marked = plain.Marked

// Write adds to details, which are Markdown: what is filled in is shown as it is.
func Write(details *strings.Builder, format string, filled ...any) {
	details.WriteString(string(plain.Markdownf(format, filled...)))
}

// Said is what Write would add.
func Said(format string, filled ...any) Marked { return plain.Markdownf(format, filled...) }

// Code is a text between backticks in a Markdown table, where nothing is escaped but what would end it.
func Code(text string) Marked {
	return Marked("`" + strings.NewReplacer("`", "'", "|", "\\|", "\n", " ").Replace(plain.Text(text)) + "`")
}

// Cell is a text as a Markdown table shows it, cut short.
func Cell(text string) Marked {
	if len(text) > 160 {
		text = strings.ToValidUTF8(text[:160], "") + "..."
	}
	return Marked(plain.Markdown(text))
}

// Failing is an undo that does not end, as details tell it; "" for none.
func Failing(undo *patch.FailingUndo) string {
	if undo == nil {
		return ""
	}
	text := fmt.Sprintf("\n- **%s**. It is tried until it succeeds.\n", Cell(undo.String()))
	for _, command := range undo.Commands {
		text += fmt.Sprintf("  By hand: `%s`\n", command)
	}
	return text
}

// PageOf links to a workflow's page. The UI shows details in a frame beside its root, from where the address counts.
func PageOf(namespace, workflowID, title string) Marked {
	if workflowID == "" {
		return Marked(plain.Markdown(title))
	}
	page := temporalui.UI{Namespace: namespace}.Workflow(workflowID, "")
	return Marked(fmt.Sprintf("[%s](%s)", plain.Markdown(title), strings.TrimPrefix(page, "/")))
}

// List makes an empty list of nil, for documents that promise lists.
func List(ids []string) []string {
	if ids == nil {
		return []string{}
	}
	return ids
}

// MostListed bounds the instances that one message names: a person reads some, and the count tells the rest.
const MostListed = 30
