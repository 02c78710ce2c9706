package wavetest

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Ear hears what people are told while a wave runs, and when, and knows what they should have been told: it judges the
// promise that whatever only a person can end reaches people.
type Ear struct {
	scene *Scene
	heard *Speakers
	begun []overheard
	waits []wait
	last  patch.WaveState
}

// overheard is a notice whose telling began at a moment.
type overheard struct {
	at     time.Time
	notice patch.Notice
}

// wait is a wave that waits for a person.
type wait struct {
	state patch.WaveState
	stage string
	since time.Time
	// reading: as it was looked at last, it was read still what whoever approves is to be told.
	reading bool
}

const (
	// tellWithin is how long people may not know that a wave waits for them, or cannot go on.
	tellWithin = 10 * time.Minute
	ops        = "ops" // the channel that an Ear has for notices
)

// Overhear gives the scene a channel for notices and hears what goes there. The caller passes on each status that it
// looks at, and, where it listens to child workflows itself, each that starts.
func (s *Scene) Overhear() *Ear {
	ear := &Ear{scene: s, heard: s.Listen(ops)}
	s.Env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, args converter.EncodedValues) {
		ear.Started(info, args)
	})
	return ear
}

// ToldWithin reports whether people were told anything in the minutes after a moment.
func (e *Ear) ToldWithin(since time.Time, within time.Duration) bool {
	return slices.ContainsFunc(e.begun, func(o overheard) bool {
		return !o.at.Before(since) && !o.at.After(since.Add(within))
	})
}

// Started notes a child workflow that tells people.
func (e *Ear) Started(info *workflow.Info, args converter.EncodedValues) {
	var notice patch.Notice
	if info.WorkflowType.Name == names.Notify && args.Get(&notice) == nil {
		e.begun = append(e.begun, overheard{e.scene.Env.Now(), notice})
	}
}

// Looked notes a wave that waits for a person.
func (e *Ear) Looked(status patch.WaveStatus) {
	_, waits := waitKinds[status.State]
	known := slices.ContainsFunc(e.waits, func(w wait) bool { return w.since.Equal(status.Since) })
	// A parked wave's moment changes with what it waits for; people are told when it begins to.
	if waits && !known && (status.State != patch.StateParked || e.last != patch.StateParked) {
		e.waits = append(e.waits, wait{state: status.State, stage: status.Stage, since: status.Since})
	}
	if n := len(e.waits) - 1; n >= 0 && e.waits[n].since.Equal(status.Since) {
		e.waits[n].reading = status.Case != nil && status.Case.Reading
	}
	switch status.State {
	case patch.StateResolving, patch.StatePreflight: // it tries to go on by a word that it was given, and may park again
	default:
		e.last = status.State
	}
}

// waitKinds are the notices of what waits for a person.
var waitKinds = map[patch.WaveState]patch.NoticeKind{
	patch.StateAwaitingApproval: patch.NoticeAwaitingApproval, patch.StateOnHold: patch.NoticeOnHold,
	patch.StateParked: patch.NoticeParked,
}

// Untold lists what people were not told in time, or of which the notice reached nobody. result is nil where the wave
// ended without one.
func (e *Ear) Untold(result *patch.WaveResult) []string {
	var found []string
	ended := e.scene.Env.Now()
	for _, wait := range e.waits {
		at := slices.IndexFunc(e.begun, func(o overheard) bool {
			return o.notice.Kind == waitKinds[wait.state] && (o.notice.Stage == wait.stage || wait.state == patch.StateParked) &&
				!o.at.Before(wait.since.Add(-time.Minute)) && !o.at.After(wait.since.Add(tellWithin))
		})
		switch {
		case at < 0 && wait.reading: // a person decided while it was read what they are to be told
		case at < 0:
			found = append(found, fmt.Sprintf("nobody was told within %s that the wave is %s since %s", tellWithin, wait.state,
				wait.since))
		case ended.After(e.begun[at].at.Add(tellWithin)) && !e.arrived(e.begun[at].notice.Key):
			found = append(found, fmt.Sprintf("the notice %s of %s reached no channel", e.begun[at].notice.Key, wait.since))
		}
	}
	if result == nil {
		return found
	}
	for _, left := range result.Stranded[:min(len(result.Stranded), mostTold)] {
		if !slices.ContainsFunc(e.begun, func(o overheard) bool { return slices.Contains(o.notice.Stranded, left) }) {
			found = append(found, fmt.Sprintf("nobody was told that %s is stranded: %s", left.Resource, left.State))
		}
	}
	return found
}

// mostTold is how many stranded things one notice names; the others are in the result.
const mostTold = 30

func (e *Ear) arrived(key string) bool {
	return slices.ContainsFunc(e.heard.Heard[ops], func(n patch.Notice) bool { return n.Key == key })
}
