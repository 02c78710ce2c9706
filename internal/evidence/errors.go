package evidence

import "fmt"

// NotFoundError says that the store holds no such document. It is an error and never a zero value: a missing journal
// record must not read like "nothing was changed".
type NotFoundError struct {
	Name string // the document, as the store names it
}

// Error names the document.
func (e *NotFoundError) Error() string { return fmt.Sprintf("evidence: there is no %s", e.Name) }

// ConflictError says that somebody else wrote a version of the document between our reading and our writing. Read it
// again and decide again.
type ConflictError struct {
	Name string // the object that was taken
}

// Error names the object and what to do.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("evidence: %s was written by somebody else meanwhile; read it again and decide again", e.Name)
}

// InvalidRecordError says that a journal record cannot be trusted: unsigned, signed with another key, altered, moved,
// or with a version missing. Nothing may be undone from it.
type InvalidRecordError struct {
	Name   string // the object
	Reason string
}

// Error names the object, what is wrong and what to do.
func (e *InvalidRecordError) Error() string {
	return fmt.Sprintf("evidence: journal record %s %s; do not act on it, compare the instance by hand", e.Name, e.Reason)
}
