package brief

import (
	"fmt"
	"time"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// mostWaits is of how many things that are waited for each is told where all of them stand below each other.
const mostWaits = 10

// TheWave is who waits where neither a group nor an instance does.
const TheWave = "the wave"

// Waited is a line about something that a wave waits for.
type Waited struct {
	Who  string // waits; "": it is said of several
	What string // is waited for, since when, why the last attempt failed and when it is tried again
}

func (w Waited) String() string {
	if w.Who == "" {
		return w.What
	}
	return w.Who + ": " + w.What
}

// WaitedFor is what a wave waits for beside a person, as far as there is anything to say of it.
func WaitedFor(status patch.WaveStatus, waits patch.Waits, clock func(time.Time) string) []Waited {
	var said []Waited
	more := 0
	for _, wait := range waits.On {
		switch {
		case !wait.Told(waits.At):
		case len(said) == mostWaits:
			more++
		default:
			said = append(said, Waited{whoWaits(status, wait), waitText(wait, waits.At, clock)})
		}
	}
	if more > 0 {
		said = append(said, Waited{What: fmt.Sprintf("and for %d more", more)})
	}
	if waits.NotAsked > 0 {
		said = append(said, Waited{
			What: fmt.Sprintf("%d groups or instances below it were not asked", waits.NotAsked),
		})
	}
	return said
}

// whoWaits names who waits: an instance, a group as its wave names it, or the wave.
func whoWaits(status patch.WaveStatus, wait patch.Wait) string {
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			if group.WorkflowID == wait.WorkflowID {
				return group.Group
			}
		}
	}
	if locked := names.Locked(wait.WorkflowID); locked != "" {
		return locked
	}
	return TheWave
}

// waitText says what is waited for, and when it is tried again.
func waitText(wait patch.Wait, at time.Time, clock func(time.Time) string) string {
	text := fmt.Sprintf("%s, attempt %d", names.Words(wait.Activity), wait.Attempt)
	if !wait.Since.IsZero() {
		text += ", since " + clock(wait.Since)
	}
	if wait.Failure != "" {
		text += ": " + patch.Clip(wait.Failure, longestFailure)
	}
	switch {
	case !wait.Next.IsZero():
		text += ". Tried again at " + clock(wait.Next)
	case wait.Unserved(at):
		text += ". No worker takes it since " + clock(wait.Untaken) +
			": see that one runs whose configuration has the account and region"
	}
	return text
}

// longestFailure is how much is told of why an attempt failed.
const longestFailure = 400

// Lasting are the waits worth a line where lines stay, by what tells one from another: of a poll one line is told,
// whatever it sees from then on.
func Lasting(status patch.WaveStatus, waits patch.Waits, clock func(time.Time) string) map[string]Waited {
	told := map[string]Waited{}
	for _, freeze := range waits.Frozen {
		told[freeze.String()] = Waited{What: Frozen(freeze)}
	}
	for _, wait := range waits.On {
		if !wait.Lasts(waits.At) {
			continue
		}
		key := wait.WorkflowID + " " + wait.Activity
		if !wait.Polls {
			key += " " + wait.Failure
		}
		told[key] = Waited{whoWaits(status, wait), "waits: " + waitText(wait, waits.At, clock)}
	}
	if len(told) == 0 {
		return nil
	}
	return told
}
