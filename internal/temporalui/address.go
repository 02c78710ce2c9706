// Package temporalui makes addresses of pages of the Temporal UI: a workflow, a list, a form that starts a workflow, a
// schedule.
package temporalui

import (
	"net/url"
	"strings"

	"github.com/patchtide/patchtide/internal/names"
)

// UI is where people look at workflows.
type UI struct {
	Address   string // like https://temporal.example.com, with or without a slash at its end
	Namespace string
}

// Workflow is the page of a workflow. With a run it is the one with the live table, which the UI calls User Metadata;
// without, that of the newest run, as the UI opens it.
func (u UI) Workflow(id, run string) string {
	link := u.namespace() + "/workflows/" + url.PathEscape(id)
	if run != "" {
		link += "/" + url.PathEscape(run) + "/user-metadata"
	}
	return link
}

// List shows the workflows that a query of Temporal's visibility finds.
func (u UI) List(query string) string { return u.workflows("", url.Values{"query": {query}}) }

// Save shows what List shows, and keeps it as a saved view of that name in the browser that opens it.
func (u UI) Save(view View) string {
	return u.workflows("", url.Values{"query": {view.Query}, "savedQuery": {view.Name}})
}

// Start is the form that starts a workflow, filled in but for its input, for which the UI's addresses have no
// parameter. Where a workflow of that type and id was started before, the UI fills in that one's input.
func (u UI) Start(form Form) string {
	return u.workflows("/start-workflow", url.Values{
		"taskQueue": {names.TaskQueue}, "workflowType": {form.Workflow}, "workflowId": {form.WorkflowID},
	})
}

// Schedule is the page of a schedule.
func (u UI) Schedule(id string) string { return u.namespace() + "/schedules/" + url.PathEscape(id) }

func (u UI) workflows(page string, values url.Values) string {
	return u.namespace() + "/workflows" + page + "?" + values.Encode()
}

func (u UI) namespace() string {
	return strings.TrimRight(u.Address, "/") + "/namespaces/" + url.PathEscape(u.Namespace)
}
