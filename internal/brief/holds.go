package brief

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// Window says until when a wave begins anything, and what an answer after that does; "": at any time, or it is over.
func (w Wave) Window(moment func(time.Time) string) string {
	if w.Cutoff == nil || len(w.Verbs) == 0 || w.State == patch.StateClosed || w.State == patch.StateRollingBack ||
		w.State == patch.StateAborting || w.State == patch.StateParked {
		return "" // or its next window is what it waits for
	}
	said := fmt.Sprintf("Nothing begins from %s on, the window's cutoff.", moment(*w.Cutoff))
	for _, verb := range w.Verbs {
		if spec := verb.Spec(); spec.GoesOn && spec.Answers {
			return said + " An answer after that lets the wave wait for its next window; where none follows it ends."
		}
	}
	return said
}

// Frozen says what a freeze keeps from beginning, and how it ends.
func Frozen(freeze patch.Freeze) string {
	if freeze.Actor == patch.ByItself {
		return fmt.Sprintf("%s. Nothing begins there until that is lifted: %s", freeze, freeze.Lift())
	}
	return fmt.Sprintf("%s. Nothing begins there until %s takes that back: %s (%s)", freeze, freeze.Actor, freeze.Lift(),
		patch.ForAll)
}

// FrozenUnknown says that nobody knows what is frozen, and why.
func FrozenUnknown(why string) string {
	return "What is frozen is not known, which counts as frozen: " + why
}

// frozen says what else keeps a wave from beginning anything, where what is told of it already does not, and how that
// ends.
func frozen(waits patch.Waits, told ...string) []string {
	var said []string
	if waits.Unknown != "" {
		said = append(said, FrozenUnknown(waits.Unknown))
	}
	for _, freeze := range waits.Frozen {
		if why := freeze.String(); !strings.Contains(strings.Join(told, " "), why) {
			said = append(said, Frozen(freeze))
		}
	}
	return said
}
