package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scope says how much a roll_back puts back.
type Scope string

// The scopes of roll_back.
const (
	ScopeStage Scope = "stage" // the default
	ScopeWave  Scope = "wave"
)

// ByItself is the actor of what the product does of its own accord: at a time-out, or where nobody can be asked.
const ByItself = "patchtide"

// Decision is one verb a wave took, by whom and why.
type Decision struct {
	Verb  Verb  `json:"verb"`
	Scope Scope `json:"scope,omitempty"`
	// MaxParallelGroups comes with set_concurrency, Until with extend_window.
	MaxParallelGroups int    `json:"max_parallel_groups,omitempty"`
	Until             string `json:"until,omitempty"` // RFC 3339
	// Blame names packages, with commas between, or all: what failed instances got of them is blocked.
	Blame  string `json:"blame,omitempty"`
	Actor  string `json:"actor"`
	Reason string `json:"reason"`
	// Where the wave stood when it took it; as it was sent, what it was for.
	Point
	At   time.Time `json:"at"`
	Acts time.Time `json:"acts,omitzero"` // of one sent outside the window: when that opens
}

// Repeats reports whether a verb was taken already: the newest decision is the same in every word, so that sending it
// again, as people and scripts do when an answer got lost, is answered and changes nothing. Of one that names its hold
// the newest of that verb counts, for nothing else can be meant.
func Repeats(decisions []Decision, again Decision) bool {
	for _, last := range slices.Backward(decisions) {
		if again.Hold != 0 && last.Verb != again.Verb {
			continue
		}
		named := again.Point
		if named.Stage != "" && named.Stage != last.Stage || named.Hold != 0 && named.Hold != last.Hold {
			return false
		}
		last.At, last.Point, last.Acts = time.Time{}, Point{}, time.Time{}
		again.At, again.Point, again.Acts = time.Time{}, Point{}, time.Time{}
		return last == again
	}
	return false
}

// FourEyes refuses an approval by the person who started the wave, where the stage demands somebody else's. Names are
// compared without regard to case and spaces around them. They are what the clients said: four eyes keep mistakes out,
// not who means it (docs/security.md).
func FourEyes(stage Stage, starter, approver string) error {
	not := stage.NotBy(starter)
	if not == "" || !strings.EqualFold(not, strings.TrimSpace(approver)) {
		return nil
	}
	return fmt.Errorf("%s started this wave, and stage %s demands four eyes: somebody else must approve",
		starter, stage.Name)
}

// NotBy is who may not approve the stage: who started the wave, where it demands four eyes; else "".
func (s Stage) NotBy(starter string) string {
	if s.Approval == nil || !s.Approval.FourEyes {
		return ""
	}
	return strings.TrimSpace(starter)
}

// WantsFourEyes reports whether an approval before the stage, or in it, does.
func (s Stage) WantsFourEyes() bool {
	wants := func(approval *Approval) bool { return approval != nil && approval.FourEyes }
	return wants(s.Approval) || slices.ContainsFunc(s.Steps, func(step StageStep) bool { return wants(step.Approval) })
}

// longestExtension keeps a slip of the pen, such as a wrong year, from opening a window for good.
const longestExtension = 24 * time.Hour

// Extended is the plan's window, closing later: not in a blackout.
func (p Plan) Extended(until, now time.Time) (*Window, error) {
	if next := p.Blackouts.Next(now); next != nil && next.From.Before(until) {
		return nil, fmt.Errorf("until: %s is in or after %s; a window ends there", until.Format(time.RFC3339), next)
	}
	return p.Window.Extended(until, now)
}

// Extended is the window with a later end; its cutoff keeps its distance from it. Asking for the end that it has
// changes nothing. Any other moment must be in the future and at most a day after the end that it has.
func (w *Window) Extended(until, now time.Time) (*Window, error) {
	by := until.Sub(w.Closes)
	switch {
	case by == 0:
		return w, nil
	case !until.After(now):
		return nil, fmt.Errorf("until: %s has passed", until.Format(time.RFC3339))
	case by < 0:
		return nil, fmt.Errorf("until: the window closes at %s already; a window can only be extended; "+
			"to stop sooner, abort it, or pause it where it runs", w.Closes.Format(time.RFC3339))
	case by > longestExtension:
		return nil, fmt.Errorf("until: %s is more than %s after the window's end at %s; "+
			"start a wave in another window instead",
			until.Format(time.RFC3339), longestExtension, w.Closes.Format(time.RFC3339))
	}
	return &Window{Opens: w.Opens, Cutoff: w.Cutoff.Add(by), Closes: until}, nil
}
