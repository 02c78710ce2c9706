package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Freeze is a person's stop for every wave of an account, or of all: what is under way ends, and nothing further
// begins.
type Freeze struct {
	Account string    `json:"account,omitempty"` // its name; "": all accounts
	Actor   string    `json:"actor"`
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
}

// String tells who froze what and why.
func (f Freeze) String() string { return f.tell("%s is frozen by %s since %s: %s") }

// Lifted tells what a person has lifted, and so whose stop it was.
func (f Freeze) Lifted() string { return f.tell("lifted the freeze of %s by %s since %s: %s") }

func (f Freeze) tell(format string) string {
	what := "everything"
	if f.Account != "" {
		what = "account " + f.Account
	}
	return fmt.Sprintf(format, what, f.Actor, f.Since.UTC().Format("2006-01-02 15:04 MST"), f.Reason)
}

// Freezes is everything that is frozen now.
type Freezes []Freeze

// Of returns the freeze that holds an account, if one does; one of everything comes first.
func (f Freezes) Of(account string) *Freeze {
	for _, name := range []string{"", account} {
		for i := range f {
			if f[i].Account == name {
				return &f[i]
			}
		}
	}
	return nil
}

// With adds a freeze. The same account is frozen once, since the older moment: of the same person the newer reason
// counts, and what another adds stands behind the first one's, for one word lifts both.
func (f Freezes) With(added Freeze) Freezes {
	var all Freezes
	for _, freeze := range f {
		if freeze.Account == added.Account {
			added = freeze.also(added)
			continue
		}
		all = append(all, freeze)
	}
	return append(all, added)
}

// longestFreezeReason is how long a reason may be to which others have added theirs.
const longestFreezeReason = 1000

func (f Freeze) also(added Freeze) Freeze {
	if f.Actor == added.Actor {
		added.Since = f.Since
		return added
	}
	theirs := "; and by " + added.Actor + ": " + added.Reason
	if !strings.Contains(f.Reason+";", theirs+";") {
		f.Reason = Clip(f.Reason+theirs, longestFreezeReason)
	}
	return f
}

// Without lifts the freeze of an account, or with "" the one of everything, and reports whether there was one. A freeze
// of everything is not lifted by an account, nor one of an account by "": what one person froze another does not thaw
// by accident.
func (f Freezes) Without(account string) (Freezes, bool) {
	var left Freezes
	for _, freeze := range f {
		if freeze.Account != account {
			left = append(left, freeze)
		}
	}
	return left, len(left) < len(f)
}

// freezeReminder is after how long people are told again that something is frozen: whoever froze it may have gone home.
const freezeReminder = 24 * time.Hour

// Reminder is when people are to be told again of what is frozen, after they were last; zero: nothing is.
func (f Freezes) Reminder(last time.Time) time.Time {
	if len(f) == 0 {
		return time.Time{}
	}
	for _, freeze := range f {
		if freeze.Since.After(last) {
			last = freeze.Since
		}
	}
	return last.Add(freezeReminder)
}

// Holding are the freezes that keep a wave from beginning anything: those of the accounts whose groups are not done.
// Putting back is never held.
func (f Freezes) Holding(s WaveStatus) Freezes {
	if s.State == StateRollingBack || s.State == StateAborting || s.State == StateClosed {
		return nil
	}
	var holding Freezes
	for _, stage := range s.Stages {
		for _, group := range stage.Groups {
			account, _, _ := strings.Cut(group.Group, "/")
			freeze := f.Of(account)
			if freeze != nil && group.Phase != GroupDone && !slices.Contains(holding, *freeze) {
				holding = append(holding, *freeze)
			}
		}
	}
	return holding
}

// Lift is the command that lifts it.
func (f Freeze) Lift() string {
	if f.Account == "" {
		return "patchtide unfreeze --reason ..."
	}
	return "patchtide unfreeze --account " + f.Account + " --reason ..."
}

// FreezeStatus is what is frozen; the query `status` of the workflow Freeze answers with it.
type FreezeStatus struct {
	Freezes Freezes `json:"freezes"`
	Closed  bool    `json:"closed"` // the workflow was cancelled: what it says counts no more
}
