package names

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// VerbCommand is the shell command that sends a verb to a wave; more are its further flags.
func VerbCommand(verb patch.Verb, wave string, more ...string) string {
	words := append([]string{"patchtide wave", verb.Command(), ShellWord(wave)}, more...)
	return fmt.Sprintf(`%s --reason "..."`, strings.Join(words, " "))
}

var bare = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// ShellWord makes one word of a shell's of any text.
func ShellWord(text string) string {
	if bare.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
