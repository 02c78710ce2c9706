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
	// Reading is while what is frozen is read from the evidence: nobody has frozen anything, as far as is known by then.
	Reading bool `json:"reading,omitempty"`
	// Also are the others who have asked for the same since, in order: one word lifts it for all of them.
	Also []FreezeWord `json:"also,omitempty"`
}

// FreezeWord is one more person's word for a freeze.
type FreezeWord struct {
	Actor  string    `json:"actor"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// Equal reports whether both are the same stop, by the same people for the same reasons.
func (f Freeze) Equal(other Freeze) bool {
	return f.Account == other.Account && f.Actor == other.Actor && f.Reason == other.Reason &&
		f.Since.Equal(other.Since) && slices.EqualFunc(f.Also, other.Also, func(a, b FreezeWord) bool {
		return a.Actor == b.Actor && a.Reason == b.Reason && a.Since.Equal(b.Since)
	})
}

// Why is everybody's reason: the first one's, and who else has which.
func (f Freeze) Why() string {
	why := f.Reason
	for _, word := range f.Also {
		why += "; and by " + word.Actor + ": " + word.Reason
	}
	return Clip(why, longestFreezeReason)
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
	return fmt.Sprintf(format, what, f.Actor, f.Since.UTC().Format("2006-01-02 15:04 MST"), f.Why())
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
// counts, and another's word stands beside the first one's, for one word lifts both.
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

// How long the reasons of a freeze are told, and how many people's words are kept beside the first one's.
const (
	longestFreezeReason = 1000
	mostFreezeWords     = 20
)

func (f Freeze) also(added Freeze) Freeze {
	if f.Actor == added.Actor {
		f.Reason = added.Reason
		return f
	}
	f.Also = slices.Clone(f.Also)
	word := FreezeWord{Actor: added.Actor, Reason: added.Reason, Since: added.Since}
	known := slices.IndexFunc(f.Also, func(one FreezeWord) bool { return one.Actor == added.Actor })
	switch {
	case known >= 0:
		f.Also[known].Reason = added.Reason
	case len(f.Also) == mostFreezeWords: // the last gives way: the first ones know best why it began
		f.Also[mostFreezeWords-1] = word
	default:
		f.Also = append(f.Also, word)
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
			if freeze != nil && group.Phase != GroupDone && !slices.ContainsFunc(holding, freeze.Equal) {
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
