package console

import (
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Command is what a person types to send a verb to a wave that stands there; what they have to fill in is in dots.
func Command(verb patch.Verb, status patch.WaveStatus) string {
	return names.VerbCommand(verb, status.WaveID, verb.ToFill(status.Point())...)
}
