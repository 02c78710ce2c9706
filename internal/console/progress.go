// Package console shows a wave to the person who started it: what happens now, and at the end what became of every
// instance. On a terminal it draws a live picture; anywhere else it writes one line per change, fit for a log. It knows
// neither Temporal nor AWS: whoever polls the wave fills in a Progress.
package console

import (
	"fmt"
	"maps"
	"slices"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
)

// Progress is a wave at one moment.
type Progress struct {
	WaveID string
	State  string // what the wave does now, in a few words
	Asks   string // what it asks of a person, until when and what then; empty when it asks nothing
	Stages []Stage
	Waits  map[string]brief.Waited // what it has waited for so long that a line says so; see brief.Lasting
}

// Stage is one stage of a Progress, in the plan's order. Outcome is empty until the stage has ended; so it is below.
type Stage struct {
	Name    string
	State   string
	Outcome patch.Outcome
	Groups  []Group
}

// Group is one group of a Stage.
type Group struct {
	Account   string
	Region    string
	Name      string
	Outcome   patch.Outcome
	Instances []Instance
}

// Instance is one instance of a Group.
type Instance struct {
	ID      string
	Step    string // what is done to it now; empty while it waits for its turn
	Outcome patch.Outcome
	Reason  string // why it is not patched
}

func (g Group) String() string { return g.Account + "/" + g.Region + "/" + g.Name }

// change is one thing that is different from the last time we looked.
type change struct {
	subject string
	what    string
	outcome patch.Outcome // set when something has ended
	asks    bool          // a person is asked
}

// changes lists what happened between two looks, from the wave down to the instances.
func changes(before, after Progress) []change {
	var found []change
	if after.State != "" && after.State != before.State {
		found = append(found, change{subject: "wave", what: after.State})
	}
	for i, stage := range after.Stages {
		var old Stage
		if i < len(before.Stages) {
			old = before.Stages[i]
		}
		if stage.State != "" && stage.State != old.State && stage.Outcome == "" {
			found = append(found, change{subject: "stage " + stage.Name, what: stage.State})
		}
		for j, group := range stage.Groups {
			var oldGroup Group
			if j < len(old.Groups) {
				oldGroup = old.Groups[j]
			}
			found = append(found, groupChanges(oldGroup, group)...)
		}
		if ended(old.Outcome, stage.Outcome) {
			found = append(found, change{subject: "stage " + stage.Name, what: stage.Outcome.Words(), outcome: stage.Outcome})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after.Waits)) {
		if _, told := before.Waits[key]; !told {
			found = append(found, change{subject: after.Waits[key].Who, what: after.Waits[key].What})
		}
	}
	if after.Asks != "" && after.Asks != before.Asks {
		found = append(found, change{subject: "wave", what: after.State + ": " + after.Asks, asks: true})
	}
	return found
}

func groupChanges(before, after Group) []change {
	known := map[string]Instance{}
	for _, instance := range before.Instances {
		known[instance.ID] = instance
	}
	var found []change
	for _, instance := range after.Instances {
		old := known[instance.ID]
		subject := after.String() + " " + instance.ID
		switch {
		case ended(old.Outcome, instance.Outcome):
			what := instance.Outcome.Words()
			if instance.Reason != "" {
				what = fmt.Sprintf("%s: %s", what, instance.Reason)
			}
			found = append(found, change{subject: subject, what: what, outcome: instance.Outcome})
		case instance.Step != "" && instance.Step != old.Step && instance.Outcome == "":
			found = append(found, change{subject: subject, what: instance.Step})
		}
	}
	return found
}

// ended reports whether something got an outcome, or another one: a patched instance is rolled back later. Not having
// started is no news.
func ended(before, after patch.Outcome) bool {
	return after != "" && after != before && after != patch.NotStarted
}

// count is how far the instances of all stages have come.
func (p Progress) count() (count patch.Count) {
	count.Tally = patch.Tally{}
	for _, stage := range p.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				count.Total++
				if instance.Outcome != "" && instance.Outcome != patch.NotStarted {
					count.Tally[instance.Outcome]++
				}
			}
		}
	}
	return count
}
