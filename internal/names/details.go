package names

import (
	"strings"

	"github.com/patchtide/patchtide/internal/plain"
)

// WaveSummary is what the Temporal UI shows of a wave in lists and on its page.
func WaveSummary(plan, actor string) string {
	return plain.Text("plan " + plan + ", started by " + actor)
}

// WaveDetails is what the Temporal UI shows of a wave beside its live table, in Markdown: why it was started, and where
// to look.
func WaveDetails(wave, reason string) string {
	if strings.TrimSpace(reason) == "" {
		reason = "nobody said"
	}
	return "**Started because**: " + plain.Markdown(reason) + "\n\n" +
		"Where it stands and what may be sent to it is beside this, under *Current " +
		"Details*. On a command line: `patchtide wave watch " +
		ShellWord(wave) + "`. To stop it, send **abort** or request its cancellation; never terminate it: then nothing is " +
		"put back."
}

// RightInput comes before the example in the error of an input that is wrong.
const RightInput = "; a right input looks like "

// UnlessSomebodyDecides ends the summary of the timer after which a wave decides by itself; the verb comes before it.
const UnlessSomebodyDecides = ", unless somebody decides"
