package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Freeze is one person's stop for every wave of an account, or of all: what is under way ends, and nothing further
// begins. Several may stop the same for their own reasons; it goes on once each of these is taken back.
type Freeze struct {
	Account string    `json:"account,omitempty"` // its name; "": all accounts
	Actor   string    `json:"actor"`
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
	// Reading is while what is frozen is read from the evidence: nobody has frozen anything, as far as is known by then.
	Reading bool `json:"reading,omitempty"`
}

// Equal reports whether both are the same stop, by the same person for the same reason.
func (f Freeze) Equal(other Freeze) bool {
	return f.by(other) && f.Reason == other.Reason && f.Since.Equal(other.Since)
}

// by reports whether both stop the same and are by the same person.
func (f Freeze) by(other Freeze) bool { return f.Account == other.Account && f.Actor == other.Actor }

// What names what is frozen.
func (f Freeze) What() string {
	if f.Account == "" {
		return "everything"
	}
	return "account " + f.Account
}

// String tells who froze what and why.
func (f Freeze) String() string { return f.tell("%s is frozen by %s since %s: %s") }

// Lifted tells what was lifted, and so whose stop it was.
func (f Freeze) Lifted() string { return f.tell("lifted the freeze of %s by %s since %s: %s") }

func (f Freeze) tell(format string) string {
	return fmt.Sprintf(format, f.What(), f.Actor, f.Since.UTC().Format("2006-01-02 15:04 MST"),
		Clip(f.Reason, longestFreezeReason))
}

// Freezes is everything that is frozen now, in the order in which people asked for it.
type Freezes []Freeze

// Of are the freezes that hold an account; those of everything come first.
func (f Freezes) Of(account string) Freezes {
	var of Freezes
	for _, freeze := range f {
		if freeze.Account == "" {
			of = append(of, freeze)
		}
	}
	for _, freeze := range f {
		if account != "" && freeze.Account == account {
			of = append(of, freeze)
		}
	}
	return of
}

// How long the reason of a freeze is told, and how many may stop the same at once.
const (
	longestFreezeReason = 1000
	mostFreezesOfOne    = 20
)

// With adds a freeze. A person stops an account once, since the older moment, and by the newer reason; said is the one
// that gave way, nil: none did. An error: as many as may have stopped it already, so that it is frozen anyway.
func (f Freezes) With(added Freeze) (all Freezes, said *Freeze, err error) {
	of := 0
	for _, freeze := range f {
		switch {
		case freeze.by(added):
			said, added.Since = &freeze, freeze.Since
			continue
		case freeze.Account == added.Account:
			of++
		}
		all = append(all, freeze)
	}
	if of >= mostFreezesOfOne {
		return f, nil, fmt.Errorf("%s is frozen already, by %d people, and more are not kept: see `patchtide freeze show`",
			added.What(), of)
	}
	return append(all, added), said, nil
}

// Without takes back what a person froze: an account or, with account "", everything. A freeze of everything is not
// lifted by an account, nor one of an account by "". An actor "" takes back everybody's. Where only others froze it
// that is an error, which names them: what one person froze another does not thaw by accident.
func (f Freezes) Without(account, actor string) (left, lifted Freezes, err error) {
	var others []string
	for _, freeze := range f {
		switch {
		case freeze.Account == account && (actor == "" || freeze.Actor == actor):
			lifted = append(lifted, freeze)
			continue
		case freeze.Account == account:
			others = append(others, freeze.String())
		}
		left = append(left, freeze)
	}
	if len(lifted) == 0 && len(others) > 0 {
		return f, nil, fmt.Errorf("%s. None of it is by %s, and each takes back their own. To lift it for all of them: %s",
			strings.Join(others, "; "), actor, Freeze{Account: account}.LiftForAll())
	}
	return left, lifted, nil
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
			for _, freeze := range f.Of(account) {
				if group.Phase != GroupDone && !slices.ContainsFunc(holding, freeze.Equal) {
					holding = append(holding, freeze)
				}
			}
		}
	}
	return holding
}

// Lift is the command by which whoever froze it takes it back. Sent by anybody else it is refused; of what nobody
// froze, but the evidence that cannot be read, it is everybody's.
func (f Freeze) Lift() string {
	if f.Actor == ByItself {
		return f.LiftForAll()
	}
	return f.lift("")
}

// LiftForAll is the command by which anybody lifts it, with whatever else is frozen so.
func (f Freeze) LiftForAll() string { return f.lift(" --for-all") }

func (f Freeze) lift(flag string) string {
	account := ""
	if f.Account != "" {
		account = " --account " + f.Account
	}
	return "patchtide unfreeze" + account + flag + ` --reason "..."`
}

// ForAll says what anybody else does who has asked.
const ForAll = "--for-all lifts what others froze as well: ask them before"

// FreezeStatus is what is frozen; the query `status` of the workflow Freeze answers with it.
type FreezeStatus struct {
	Freezes Freezes `json:"freezes"`
	Closed  bool    `json:"closed"` // the workflow was cancelled: what it says counts no more
}
