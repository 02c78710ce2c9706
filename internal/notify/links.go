package notify

import (
	"net/url"
	"strings"
)

// UI is where people look at workflows. Without an address there are no links.
type UI struct {
	Address   string // of the Temporal UI, like https://temporal.example.com
	Namespace string
}

// workflow is the deep link to a workflow; run may be "".
func (u UI) workflow(id, run string) string {
	link := u.namespace() + "/workflows/" + url.PathEscape(id)
	if run != "" {
		link += "/" + url.PathEscape(run) + "/history"
	}
	return link
}

// waiting is a search for every wave that waits for a person.
func (u UI) waiting() string {
	return u.namespace() + "/workflows?query=" + url.QueryEscape(`PatchtideState = "on_hold" OR PatchtideState = "awaiting_approval"`)
}

func (u UI) namespace() string {
	return strings.TrimRight(u.Address, "/") + "/namespaces/" + url.PathEscape(u.Namespace)
}
