package patch

import "strings"

// Outcomes, verbs, states, phases and kinds of notices have names with underscores, which are identifiers: of JSON, of
// search attributes, of Updates. Sentences for people have Words. A verb that people are told to send stands by its
// name, for that is what the Temporal UI offers and what the command line makes a command of.

// Words writes the outcome as people say it.
func (o Outcome) Words() string { return words(o) }

// Words writes the verb as people say it.
func (v Verb) Words() string { return words(v) }

// Words writes the state as people say it.
func (s WaveState) Words() string { return words(s) }

// Words writes the phase as people say it.
func (p GroupPhase) Words() string { return words(p) }

// Words writes the kind as people say it.
func (k NoticeKind) Words() string { return words(k) }

func words[T ~string](name T) string { return strings.ReplaceAll(string(name), "_", " ") }
