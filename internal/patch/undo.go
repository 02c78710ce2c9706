package patch

import (
	"fmt"
	"time"
)

// UndoFailsAfter is for how long an undo is tried before people are told: most of what AWS refuses passes by itself
// within it, and whoever took a permission away is still at the keyboard.
const UndoFailsAfter = 5 * time.Minute

// remindEvery is after how long people are told again of what only they can end; remindDaily is for how often it is as
// often as that, then it is once a day.
const (
	remindEvery = time.Hour
	remindDaily = 24
)

// FailingUndo is an undo that does not end: it is tried again and again, and ends by itself once AWS lets it.
type FailingUndo struct {
	Group    string    `json:"group"`              // account/region/name
	Instance string    `json:"instance,omitempty"` // none: the group's own undo
	Step     Step      `json:"step"`               // whose undo it is
	Act      string    `json:"act"`                // the activity that is tried
	Since    time.Time `json:"since"`              // when it was tried first
	Attempt  int       `json:"attempt,omitempty"`  // the last one, as of At; none: nobody can tell
	Error    string    `json:"error,omitempty"`    // the last one, as of At; none: nobody can tell
	At       time.Time `json:"at"`
	Commands []string  `json:"commands,omitempty"` // what does it by hand
}

// What names the undo.
func (f FailingUndo) What() string {
	where := f.Group
	if f.Instance != "" {
		where = f.Instance + " of " + f.Group
	}
	return fmt.Sprintf("the undo of %s on %s", f.Step, where)
}

// String says in one line what fails, since when, and why; and what of it is not known.
func (f FailingUndo) String() string {
	verb, attempt, why := "fails", fmt.Sprintf(", attempt %d", f.Attempt), f.Error
	switch {
	case f.Attempt > 0 && f.Error != "":
	case f.Attempt > 0:
		verb, why = "does not end", "Temporal tells of no failure: an attempt is under way, or about to be"
	case f.Error != "":
		verb, attempt, why = "does not end", "", f.Error+"; it is not known how often it was tried"
	default:
		verb, attempt, why = "does not end", "", "it is not known how often it was tried, nor why it does not end"
	}
	return fmt.Sprintf("%s %s since %s%s (%s): %s", f.What(), verb, f.Since.UTC().Format("2006-01-02 15:04 MST"), attempt,
		f.Act, why)
}

// Asks is what a wave asks of people: its own question, or else what its failing undos need.
func Asks(own string, failing []FailingUndo) string {
	if own != "" || len(failing) == 0 {
		return own
	}
	text := failing[0].String()
	if more := len(failing) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text + ". It is tried until it succeeds: mend what the error says, or do it by hand; a second abort gives it " +
		"up."
}

// NextLook is after how long an undo is looked at again that has been tried for so long: ever more seldom, since each
// look is in a history.
func NextLook(tried time.Duration) time.Duration {
	return min(max(tried, UndoFailsAfter), remindEvery)
}

// Reminds is after how long people are told again of what they were told so often.
func Reminds(told int) time.Duration {
	if told > remindDaily {
		return 24 * time.Hour
	}
	return remindEvery
}

// MayGiveUp reports whether an undo may be given up that has been tried for so long: what has not failed yet may not,
// nor a wait that goes on as waits do, until it is one that does not end. Then a person's word is enough, whatever else
// is known of it.
func MayGiveUp(failed, waits bool, tried time.Duration) bool {
	return failed && !waits || tried >= UndoFailsAfter
}
