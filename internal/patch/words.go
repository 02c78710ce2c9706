package patch

import "strings"

// Outcomes, verbs, states, phases and kinds of notices have names with underscores, which are identifiers: of JSON, of
// search attributes, of Updates. Sentences for people have Words, also of the verbs that they may send: the name that
// the Temporal UI wants, and the command, stand beside each where they are listed.

// Words writes the outcome as people say it.
func (o Outcome) Words() string { return words(o) }

// Because is a reason for whoever has read the outcome's own words, which it does not say once more.
func (o Outcome) Because(reason string) string { return strings.TrimPrefix(reason, o.Words()+": ") }

// Words writes the verb as people say it.
func (v Verb) Words() string { return words(v) }

// Words writes the state as people say it.
func (s WaveState) Words() string { return words(s) }

// Phrase writes the state behind "is".
func (s WaveState) Phrase() string {
	if s == StatePreflight {
		return "in its preflight"
	}
	return s.Words()
}

// Words writes the phase as people say it.
func (p GroupPhase) Words() string { return words(p) }

// Words writes the kind as people say it.
func (k NoticeKind) Words() string { return words(k) }

func words[T ~string](name T) string { return strings.ReplaceAll(string(name), "_", " ") }
