package console

import (
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// Command is what a person types to send a verb; what they have to fill in is in dots.
func Command(verb patch.Verb, wave string) string {
	command := fmt.Sprintf("patchtide wave %s %s", strings.ReplaceAll(string(verb), "_", "-"), wave)
	switch verb {
	case patch.SetConcurrency:
		command += " --max-parallel-groups ..."
	case patch.ExtendWindow:
		command += " --until ..."
	}
	return command + ` --reason "..."`
}
