package patch

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// VerbField is one thing that a verb takes beside who sends it and why. It stands in a Decision; here is how people
// write it.
type VerbField struct {
	Name   string // in the Update's data
	Number bool   // a number there, not text
	Needed bool   // it may not be left out
	Label  string // as the watch screen asks for it
	Preset string // what the screen begins with
	Usage  string // as the command's help says it
	// Example is a right value; Suggest one that may be sent as it stands to a wave of that status.
	Example string
	Suggest func(WaveStatus) string

	// Get is the value as it is typed, "" when it is left out. Set takes what was typed.
	Get func(Decision) string
	Set func(*Decision, string) error
	// Check refuses a value that is wrong whatever the wave is doing; its error does not name the field.
	Check func(Decision) error
}

// Flag is its flag's name on the command line.
func (f VerbField) Flag() string { return strings.ReplaceAll(f.Name, "_", "-") }

func constant(text string) func(WaveStatus) string { return func(WaveStatus) string { return text } }

var scopeField = VerbField{
	Name: "scope", Label: "Scope (stage or wave)", Preset: string(ScopeStage), Example: string(ScopeStage),
	Usage:   "of a wave that runs: stage (the default) or wave",
	Suggest: constant(string(ScopeStage)),
	Get:     func(d Decision) string { return string(d.Scope) },
	Set:     func(d *Decision, text string) error { d.Scope = Scope(text); return nil },
	Check: func(d Decision) error {
		if d.Scope != "" && d.Scope != ScopeStage && d.Scope != ScopeWave {
			return fmt.Errorf("%q is neither stage nor wave", d.Scope)
		}
		return nil
	},
}

var groupsField = VerbField{
	Name: "max_parallel_groups", Number: true, Needed: true, Label: "Groups at once", Example: "2",
	Usage:   "how many; running ones are let end when it is lowered",
	Suggest: constant("2"),
	Get: func(d Decision) string {
		if d.MaxParallelGroups == 0 {
			return ""
		}
		return strconv.Itoa(d.MaxParallelGroups)
	},
	Set: func(d *Decision, text string) (err error) {
		if d.MaxParallelGroups, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		return nil
	},
	Check: func(d Decision) error {
		if d.MaxParallelGroups < 1 {
			return errors.New("must be 1 or more")
		}
		return nil
	},
}

// until is absolute, so that sending it twice extends the window once.
var untilField = VerbField{
	Name: "until", Needed: true, Label: "Until, as 2026-11-22T06:00:00+09:00", Example: "2026-11-22T06:00:00+09:00",
	Usage: "the `moment` at which it is to close, in RFC 3339 such as 2026-11-22T06:00:00+09:00; " +
		"its cutoff keeps its distance from its end",
	Suggest: func(status WaveStatus) string {
		from := status.Since
		if status.Window != nil {
			from = status.Window.Closes
		}
		return from.Add(time.Hour).UTC().Format(time.RFC3339)
	},
	Get: func(d Decision) string { return d.Until },
	Set: func(d *Decision, text string) error { d.Until = text; return nil },
	Check: func(d Decision) error {
		if d.Until == "" {
			return errors.New("is missing: write when the window is to close, like 2026-11-22T06:00:00+09:00")
		}
		if _, err := time.Parse(time.RFC3339, d.Until); err != nil {
			return fmt.Errorf("%q is no moment in RFC 3339; write one like 2026-11-22T06:00:00+09:00", d.Until)
		}
		return nil
	},
}

// Data is what is sent with the verb's Update, as JSON on one line: for one point of a wave, or for none by name. value
// gives a field's value as it is typed.
func (v Verb) Data(reason string, at Point, value func(VerbField) string) string {
	var text strings.Builder
	fmt.Fprintf(&text, `{"actor": "you", "reason": %q`, reason)
	for _, field := range v.Spec().Fields {
		typed := value(field)
		if !field.Number {
			typed = strconv.Quote(typed)
		}
		fmt.Fprintf(&text, `, "%s": %s`, field.Name, typed)
	}
	if at.Stage != "" {
		fmt.Fprintf(&text, `, "stage": %q`, at.Stage)
	}
	if at.Hold != 0 {
		fmt.Fprintf(&text, `, "hold": %d`, at.Hold)
	}
	return text.String() + "}"
}

// Example is right data for the verb's Update.
func (v Verb) Example() string {
	return v.Data(v.Spec().Reason, Point{}, func(f VerbField) string { return f.Example })
}

// ToSend is data, and flags of its command, that a wave of that status takes as they stand; the reason is in dots.
func (v Verb) ToSend(status WaveStatus) (data string, flags []string) {
	for _, field := range v.Spec().Fields {
		flags = append(flags, "--"+field.Flag(), field.Suggest(status))
	}
	flags = append(flags, status.Point().Flags()...)
	return v.Data("...", status.Point(), func(f VerbField) string { return f.Suggest(status) }), flags
}

// ToFill is the flags of the verb's command beside its reason, for one point of a wave, with dots for what a person has
// to fill in.
func (v Verb) ToFill(at Point) (flags []string) {
	for _, field := range v.Spec().Fields {
		if field.Needed {
			flags = append(flags, "--"+field.Flag(), "...")
		}
	}
	return append(flags, at.Flags()...)
}

// Answered refuses what nobody answers for, or for no reason.
func Answered(actor, reason string) error {
	switch {
	case strings.TrimSpace(actor) == "":
		return errors.New("actor: is missing; say who you are")
	case strings.TrimSpace(reason) == "":
		return errors.New("reason: is missing; the next on-call will want to know")
	}
	return nil
}

// Check refuses a decision that says nothing of who and why, holds another verb's fields or wrong values in its own. It
// begins with the field's name.
func (d Decision) Check() error {
	if err := Answered(d.Actor, d.Reason); err != nil {
		return err
	}
	for _, spec := range verbs {
		for _, field := range spec.Fields {
			if spec.Verb != d.Verb && field.Get(d) != "" {
				return fmt.Errorf("%s: only %s has one, not %s", field.Name, spec.Verb, d.Verb)
			}
		}
	}
	blank := func(name string) bool { return strings.TrimSpace(name) == "" }
	switch {
	case d.Blame != "" && !d.Verb.Spec().Blames:
		return fmt.Errorf("blame: %s takes none; roll_back, skip and abort do", d.Verb)
	case d.Blame != "" && slices.ContainsFunc(strings.Split(d.Blame, ","), blank):
		return errors.New("blame: names no package; write one that a failed instance got, or all")
	}
	for _, field := range d.Verb.Spec().Fields {
		if err := field.Check(d); err != nil {
			return fmt.Errorf("%s: %w", field.Name, err)
		}
	}
	return nil
}
