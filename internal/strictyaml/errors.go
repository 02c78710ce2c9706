// Package strictyaml decodes YAML that people write: every key must be known, nothing is converted from one type to
// another, keys keep their case, and all mistakes are reported together, each with its file, its line and a right
// example.
//
// The fields of a struct say what they accept in tags, so that the decoder, the JSON Schema and the reference page read
// the same words: yaml (the key), doc, example, default, required, enum, pattern, min and max.
package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one mistake in a file. Line counts from 1; it is 0 when the mistake has no place in the file (a value from
// the environment, a file that cannot be read). Key is a path such as "plans[0].stages[1].bake" and may be empty.
type Error struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Key     string `json:"key"`
	Message string `json:"message"`
}

// Error returns "file:line: key: message", without the parts that are not known.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Key != "" {
		fmt.Fprintf(&b, ": %s", e.Key)
	}
	fmt.Fprintf(&b, ": %s", e.Message)
	return b.String()
}

// Errors are all the mistakes of one file, sorted by line.
type Errors []*Error

// Error returns one mistake a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a single Error.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// Sort orders the mistakes by file, line and key.
func (e Errors) Sort() {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key))
	})
}
