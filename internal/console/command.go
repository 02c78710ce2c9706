package console

import (
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Command is what a person types to send a verb; what they have to fill in is in dots.
func Command(verb patch.Verb, wave string) string {
	return names.VerbCommand(verb, wave, verb.ToFill()...)
}
