package console

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
)

// Said is an error as whoever types commands reads it: in its author's words, without Temporal's wrapping, behind its
// code where it has one (docs/refusals.md), and with flags and commands where the Temporal UI's forms have JSON.
func Said(err error) string {
	var typed *temporal.ApplicationError
	if !errors.As(err, &typed) {
		return plain.Text(err.Error())
	}
	said, _, shown := strings.Cut(plain.Text(typed.Message()), names.RightInput)
	switch {
	case shown: // the command line checks what it is given by the same words
		said = inFlags(said)
	case code.MatchString(typed.Type()) && typed.Type() != wrongInput && !strings.HasPrefix(said, typed.Type()+":"):
		said = typed.Type() + ": " + said
	}
	return inCommands(said)
}

// wrongInput is a type that is no code of a refusal.
const wrongInput = "InvalidInput"

var (
	field = regexp.MustCompile(`^([a-z_]+): (is |must )?`)
	code  = regexp.MustCompile(`^[A-Z][A-Za-z]+$`) // the types of Go's own errors begin small, or with a star
)

// inFlags is what is wrong with a field, by the name that the command line has for it.
func inFlags(said string) string {
	found := field.FindStringSubmatch(said)
	if found == nil {
		return said
	}
	name := "--" + strings.ReplaceAll(found[1], "_", "-")
	switch found[1] {
	case "plan", "instance":
		name = strings.ToUpper(found[1])
	case "wave_id":
		name = "WAVE"
	}
	if found[2] == "" {
		name += ":"
	}
	return name + " " + strings.TrimPrefix(said, found[1]+": ")
}

// inCommands is what a wave says of its verbs, with those of the command line.
func inCommands(said string) string {
	if before, data, found := strings.Cut(said, patch.SendWith); found {
		var at patch.Point
		if json.Unmarshal([]byte("{"+data+"}"), &at) == nil {
			said = before + patch.SendWith + strings.Join(at.Flags(), " ")
		}
	}
	for _, verb := range patch.Verbs() {
		said = strings.ReplaceAll(said, string(verb), verb.Command())
	}
	return said
}
