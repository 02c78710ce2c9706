package brief

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Document is all that a person is told of a wave, in sentences: what a page, a screen and `--json` say alike.
type Document struct {
	Stands     string   `json:"stands"`               // where it stands: "on hold: production"
	Why        string   `json:"why,omitempty"`        // it ended so
	Asks       string   `json:"asks,omitempty"`       // a person, and what may be answered; of one that soaks: what it waits for
	Silence    string   `json:"silence,omitempty"`    // what is done by when if nobody answers
	Window     string   `json:"window,omitempty"`     // until when anything begins
	Frozen     []string `json:"frozen,omitempty"`     // what is, where Asks and Groups do not say so, and what lifts it
	Case       []string `json:"case,omitempty"`       // of an approval: what it is about
	Groups     []string `json:"groups,omitempty"`     // why groups stand as they do, where Asks does not say so
	Failures   []string `json:"failures,omitempty"`   // instances, all, where Asks and Groups do not tell of each
	Waits      []string `json:"waits,omitempty"`      // for what beside a person
	Hooks      []string `json:"hooks,omitempty"`      // how the hooks of the wave ended, and those of failed instances
	Quarantine string   `json:"quarantine,omitempty"` // who is, and how that ends
	Choices    []Choice `json:"choices,omitempty"`    // what may be sent now
	Worries    []Worry  `json:"worries,omitempty"`    // what nobody may miss
}

// Worry is something that is not as it should be.
type Worry struct {
	Kind string `json:"kind"` // one of the Worry constants
	What string `json:"what"` // and what to do about it
}

// The kinds of worries.
const (
	WorryNotReached   = "not reached"   // a member that did not get what was due
	WorryStillPatched = "still patched" // what a wave that was rolled back has left patched in its other stages
	WorryStranded     = "stranded"      // what could not be put back
	WorryNotTold      = "not told"      // a notice that no channel took
)

// Write is the document of a wave. waits may be the zero value; moment and clock write a time with and without its day.
func Write(status patch.WaveStatus, waits patch.Waits, moment, clock func(time.Time) string) Document {
	wave := Of(status)
	wave.Frozen = waits.Frozen
	doc := Document{
		Stands: Stands(status), Why: status.Outcome.Because(status.Reason), Asks: status.Awaiting,
		Silence: wave.Silence(moment), Window: wave.Window(moment), Frozen: frozen(waits, status.Awaiting, status.Waits()),
		Case: caseOf(status, moment), Quarantine: wave.Quarantine(), Choices: wave.Choices(),
	}
	doc.Hooks = hooksOf(status)
	for _, wait := range WaitedFor(status, waits, clock) {
		doc.Waits = append(doc.Waits, wait.String())
	}
	more, stale, allTold := 0, 0, tellsAll(status)
	doc.Groups = append(doc.Groups, status.Blocked...)
	if !status.Only.Empty() {
		doc.Groups = append(doc.Groups, "It takes only "+status.Only.String())
	}
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			said := strings.Contains(status.Awaiting, group.Reason) || strings.Contains(status.Reason, group.Reason) ||
				group.Reason == group.Outcome.Words()
			if group.Reason != "" && !said {
				doc.Groups = append(doc.Groups, group.Group+": "+group.Reason)
			}
			for _, now := range group.Now {
				if now.Why != "" {
					doc.Failures = append(doc.Failures, group.Group+" "+now.ID+" is being put back: "+now.Why)
				}
			}
			if group.Baseline != "" {
				doc.Groups = append(doc.Groups, group.Group+" is judged by the baseline "+group.Baseline)
			}
			if group.StaleImage != "" {
				if stale++; stale <= mostFailures {
					doc.Groups = append(doc.Groups, group.Group+": "+group.StaleImage)
				}
			}
			if group.Image != "" && !strings.Contains(status.Reason, group.Image) {
				doc.Groups = append(doc.Groups, group.Group+": "+group.Image)
			}
			if group.BaselineDiffered != "" {
				doc.Groups = append(doc.Groups, group.Group+": its baseline differed from the file, and the wave made it equal: "+
					group.BaselineDiffered)
			}
			for _, told := range slices.Concat(group.LeftOut, group.Waiting) {
				if said := group.Group + ": " + told; !strings.Contains(status.Reason, said) {
					doc.Groups = append(doc.Groups, said)
				}
			}
			more += max(group.Failures-len(group.Failed), 0)
			for _, failed := range group.Failed {
				switch {
				case allTold:
				case len(doc.Failures) == mostFailures:
					more++
				default:
					doc.Failures = append(doc.Failures, failure(group.Group, failed))
				}
			}
			for _, gap := range group.Gaps {
				doc.Worries = append(doc.Worries, Worry{WorryNotReached, gap.In(group.Group)})
			}
		}
	}
	if stale > mostFailures {
		doc.Groups = append(doc.Groups, fmt.Sprintf("%d more groups launch from an image that lacks the patches, or may: "+
			"each group's page says so", stale-mostFailures))
	}
	if more > 0 {
		doc.Failures = append(doc.Failures, fmt.Sprintf("%d more: `patchtide wave logs %s`", more, status.WaveID))
	}
	by := waits.PutBack
	halfWay := by != nil && !by.UnderWay() && !slices.Contains(doneWithIt, by.Outcome)
	switch kept := stillPatched(status, halfWay); {
	case by != nil && by.UnderWay():
		doc.Groups = append(doc.Groups, "What it had left patched is being put back: patchtide wave show "+by.WaveID)
	case by != nil && by.Outcome == patch.RolledBack:
		doc.Groups = append(doc.Groups, fmt.Sprintf("What it had left patched was put back by %s, which closed at %s",
			by.WaveID, moment(by.Closed)))
	case by != nil && by.Outcome == patch.NothingPutBack:
		doc.Groups = append(doc.Groups, fmt.Sprintf("%s, which closed at %s, found nothing of it patched any more", by.WaveID,
			moment(by.Closed)))
	case kept > 0 && status.RollsBack.WhyNot != "":
		doc.Worries = append(doc.Worries, Worry{
			WorryStillPatched, patch.NothingBack(status.RollsBack.WhyNot, kept),
		})
	case kept > 0:
		which := " of other stages. To put back as well: "
		switch {
		case halfWay:
			which = " at most: " + by.WaveID + " has not put back all of it, and `patchtide wave diff " + status.WaveID +
				"` tells what it has. To go on with it: "
		case status.Outcome == patch.Aborted || status.Outcome == patch.Failed:
			which = ". To put back: "
		}
		doc.Worries = append(doc.Worries, Worry{
			WorryStillPatched, counted(kept) + which + names.VerbCommand(patch.RollBack, status.WaveID),
		})
	}
	for _, left := range status.Stranded {
		doc.Worries = append(doc.Worries, Worry{WorryStranded, fmt.Sprintf(
			"%s/%s %s: %s. %s", left.Account, left.Region, left.Resource, left.State, left.WhatToDo,
		)})
	}
	for _, problem := range status.NotTold {
		doc.Worries = append(doc.Worries, Worry{WorryNotTold, problem})
	}
	return doc
}

// mostFailures is how many instances that failed are told with their reasons.
const mostFailures = 12

// tellsAll reports whether what is asked, and why groups stand as they do, tells of all that failed already. Where it
// does not, all of them are listed: a list that leaves one out is read as if that were well.
func tellsAll(status patch.WaveStatus) bool {
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			for _, failed := range group.Failed {
				if !tells(status.Awaiting, failed) && !tells(group.Reason, failed) && !tells(status.Reason, failed) {
					return false
				}
			}
		}
	}
	return true
}

// tells reports whether a sentence tells already that an instance failed, and why.
func tells(sentence string, failed patch.InstanceResult) bool {
	return strings.Contains(sentence, failed.ID) && strings.Contains(sentence, failed.Reason)
}

func failure(group string, failed patch.InstanceResult) string {
	said := group + " " + failed.Called() + " " + failed.Outcome.Words()
	if failed.Reason != "" {
		said += ": " + failed.Reason
	}
	return said
}

// doneWithIt are how a roll back ends that has done all that it was to do, or nothing.
var doneWithIt = []patch.Outcome{patch.RolledBack, patch.NothingPutBack, patch.Refused}

// stillPatched counts what a wave has left patched that ended by rolling a stage back, or aborted, or whose roll back
// ended half way or failed: whoever wanted the patch gone must not take that for all of it.
func stillPatched(status patch.WaveStatus, halfWay bool) (kept int) {
	ended := []patch.Outcome{patch.RolledBack, patch.NothingPutBack, patch.Aborted}
	rolledBack := slices.ContainsFunc(status.Decisions, func(d patch.Decision) bool { return d.Verb == patch.RollBack })
	failed := rolledBack && status.Outcome == patch.Failed
	if !halfWay && !failed && !slices.Contains(ended, status.Outcome) || status.PutsBack != "" {
		return 0
	}
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			kept += group.Patched + group.StillPatched
		}
	}
	return kept
}

// UTC writes a moment where many people read it.
func UTC(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

// Says is what a wave does with what it has to say: it asks a person, or waits for what comes by itself.
func Says(status patch.WaveStatus) string {
	if status.State == patch.StateSoaking || status.State == patch.StatePreflight {
		return "It waits"
	}
	return "It asks"
}

// Stands is where a wave stands: its state with its stage or its outcome, and what a running one waits for.
func Stands(status patch.WaveStatus) string {
	said := status.State.Words()
	switch {
	case status.State == patch.StateClosed:
		said += ": " + status.Outcome.Words()
	case status.Stage != "":
		said += ": " + status.Stage
		if step := status.Current().StepWords(); step != "" {
			said += ", " + step
		}
	}
	if status.Paused() && status.State != patch.StatePaused {
		said += ", paused"
	}
	if why := status.Waits(); why != "" {
		said += ", and waits: " + why
	}
	return said
}
