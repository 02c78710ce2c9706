package patch

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// What travels through Temporal has a bound; what has none is in the evidence, whole.

// mostTold is of how many instances a wave's result tells one by one.
const mostTold = 200

// Told is the result as the wave returns it: of a large one the instances are counted only, and its document in the
// evidence has them.
func (r WaveResult) Told() WaveResult {
	instances := 0
	for _, stage := range r.Stages {
		for _, group := range stage.Groups {
			instances += len(group.Instances)
		}
	}
	if instances <= mostTold {
		return r
	}
	told := r
	told.Stages = slices.Clone(r.Stages)
	for i := range told.Stages {
		told.Stages[i].Groups = slices.Clone(r.Stages[i].Groups)
		for j := range told.Stages[i].Groups {
			group := &told.Stages[i].Groups[j]
			group.Tally = Tally{}
			for _, instance := range group.Instances {
				group.Tally[instance.Outcome]++
			}
			group.Instances = []InstanceResult{}
		}
	}
	return told
}

// The longest texts of an instance's result that travel to its group and on; its own workflow has them whole.
const (
	longestReason = 600
	longestNote   = 300
	mostNotes     = 10
)

// fewNotes are the first and the last of many notes: what comes last is what a person may have to do.
func fewNotes(notes []string) []string {
	more := len(notes) - mostNotes
	if more <= 0 {
		return slices.Clone(notes)
	}
	kept := append(slices.Clone(notes[:mostNotes/2]), fmt.Sprintf("%d more notes, which are left out here", more+1))
	return append(kept, notes[len(notes)-mostNotes+len(kept):]...)
}

// Brief is the result as its group keeps it, for itself, its next run and the wave.
func (r InstanceResult) Brief() InstanceResult {
	r.Reason = Clip(r.Reason, longestReason)
	r.Notes = fewNotes(r.Notes)
	for i := range r.Notes {
		r.Notes[i] = Clip(r.Notes[i], longestNote)
	}
	r.Hooks = briefHooks(r.Hooks)
	if r.Backup != nil {
		kept := *r.Backup
		facts := kept.Facts
		kept.Facts = MachineFacts{
			BootID: facts.BootID, PackagesSHA256: facts.PackagesSHA256, DomainJoined: facts.DomainJoined,
		}
		r.Backup = &kept
	}
	return r
}

// Clip shortens a text, and shows that it did.
func Clip(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "..."
}

// mostBytes is what a document of ours may have as JSON, to be well within what is let through (payload.Most).
const mostBytes = 400 << 10

// closeToIt is what one may have of which nothing more is left out but why.
const closeToIt = 480 << 10

func fits(document any) bool { return fitsInto(mostBytes, document) }

func fitsInto(most int, document any) bool {
	content, err := json.Marshal(document)
	return err == nil && len(content) <= most
}

// How much is left of what does not fit.
const (
	shortReason = 100
	fewFailed   = 3
	fewStranded = 100
	fewTold     = 30
	shortest    = 24
	shortID     = 8
)

// FitResults shortens the texts of a group's instances where all of them together would not fit, and then leaves out
// what no decision needs. Each instance's own workflow, and its details in the evidence, have them whole.
func FitResults(results []InstanceResult) []InstanceResult {
	if fits(results) {
		return results
	}
	short := slices.Clone(results)
	for i := range short {
		short[i].Reason, short[i].Notes, short[i].Hooks = Clip(short[i].Reason, shortReason), nil, nil
		short[i].Stranded = shorten(short[i].Stranded)
		if last := short[i].LastTry; last != nil {
			kept := *last
			kept.Reason, kept.Notes, kept.Hooks = Clip(kept.Reason, shortReason), nil, nil
			kept.Stranded = shorten(kept.Stranded)
			short[i].LastTry = &kept
		}
	}
	if fits(short) {
		return short
	}
	for i := range short {
		short[i] = short[i].leanest()
	}
	if !fitsInto(closeToIt, short) {
		for i := range short {
			short[i].Reason = ""
		}
	}
	return short
}

// leanest is what decisions need of a result, and a word of why; its Stranded is its own.
func (r InstanceResult) leanest() InstanceResult {
	r.Reason, r.AutomationExecutionID = Clip(r.Reason, shortest), Clip(r.AutomationExecutionID, shortID)
	if r.Outcome != Failed { // of one that failed, that it has one decides whether `skip` may leave it
		r.AutomationExecutionID = ""
	}
	few := 0
	if r.Outcome == PatchedRebootPending || r.Outcome == RebootPending {
		few = 1
	}
	r.RebootPending = r.RebootPending[:min(len(r.RebootPending), few)]
	for i := range r.Stranded {
		r.Stranded[i] = Stranded{State: Clip(r.Stranded[i].State, shortest)}
	}
	if r.LastTry != nil {
		last := r.LastTry.leanest()
		last.Backup = nil // of one that counts again, since it gets no other try, the evidence has it
		r.LastTry = &last
	}
	return r
}

// shorten is what is left with its texts cut.
func shorten(left []Stranded) []Stranded {
	short := slices.Clone(left)
	for i := range short {
		short[i].State, short[i].WhatToDo = Clip(short[i].State, shortReason), Clip(short[i].WhatToDo, shortReason)
	}
	return short
}

// Fit is the group's result as it goes through Temporal: of what is left, and of who was not reached, the first ones
// stand for all where there are too many, and how many there are is said.
func (r GroupResult) Fit() GroupResult {
	if fits(r) {
		return r
	}
	r.Instances = FitResults(r.Instances)
	if more := len(r.Stranded) - fewTold; more > 0 {
		r.Stranded = append(shorten(r.Stranded[:fewTold]), Stranded{
			Account: r.Account, Region: r.Region, Resource: fmt.Sprintf("%d more of group %s", more, r.Name),
			State: "left as well", WhatToDo: "the instances' own workflows and their records in the journal tell of each",
		})
	}
	if more := len(r.Gaps) - fewTold; more > 0 {
		r.Gaps = append(slices.Clone(r.Gaps[:fewTold]), Gap{Why: fmt.Sprintf("%d more that are not named here", more)})
	}
	if more := len(r.LeftOut) - fewTold; more > 0 {
		r.LeftOut = append(slices.Clone(r.LeftOut[:fewTold]), Gap{Why: fmt.Sprintf("%d more that are not named here", more)})
	}
	for i := range r.Gaps {
		r.Gaps[i].Why = Clip(r.Gaps[i].Why, shortReason)
	}
	r.Notes = fewNotes(r.Notes)
	return r
}

// Fit is the status as a query answers with it: of a wave that is too large for one answer, without each group's own
// ETA and with the first failures of each group; the group's status has all of them.
func (s WaveStatus) Fit() WaveStatus {
	if fits(s) {
		return s
	}
	s.Stages = slices.Clone(s.Stages)
	for i := range s.Stages {
		s.Stages[i].Groups = slices.Clone(s.Stages[i].Groups)
		for j := range s.Stages[i].Groups {
			group := &s.Stages[i].Groups[j]
			group.ETA, group.Stranded, group.Reason = nil, nil, Clip(group.Reason, shortReason)
			group.StaleImage, group.Image = "", "" // the group's own page tells
			if len(group.Failed) > fewFailed {
				group.Failures, group.Failed = len(group.Failed), group.Failed[:fewFailed]
			}
			group.Failed = slices.Clone(group.Failed)
			for k, failed := range group.Failed {
				group.Failed[k] = InstanceResult{ID: failed.ID, Outcome: failed.Outcome, Reason: Clip(failed.Reason, shortReason)}
			}
			group.Gaps = group.Gaps[:min(len(group.Gaps), fewFailed)]
		}
	}
	s.Stranded = s.Stranded[:min(len(s.Stranded), fewStranded)]
	if fits(s) {
		return s
	}
	for i := range s.Stages {
		for j := range s.Stages[i].Groups {
			group := &s.Stages[i].Groups[j]
			group.Failures, group.Failed, group.Gaps = max(group.Failures, len(group.Failed)), nil, nil
		}
	}
	s.Case = s.Case.lean()
	return s
}

// Fit is the preview as its workflow returns it: of a plan that is too large for one answer first the patches' ids are
// left out, then the instances.
func (p Preview) Fit() Preview {
	if fits(p) {
		return p
	}
	p.Notes = append(slices.Clone(p.Notes), "the fleet is too large to list each patch: only their number is kept")
	p = p.each(func(group *PreviewGroup) {
		for i := range group.Instances {
			group.Instances[i].Missing, group.Instances[i].Failed, group.Instances[i].PendingReboot = []MissingPatch{}, nil, nil
		}
	})
	for i := range p.Stages { // a copy
		p.Stages[i].Bound = p.Stages[i].Bound.short()
	}
	if fits(p) {
		return p
	}
	p.Notes = append(p.Notes, "the fleet is too large to list each instance: plan a stage of it to see them")
	p = p.each(func(group *PreviewGroup) { group.Instances = []PreviewInstance{} })
	if most := fewStranded; len(p.Blockers) > most && !fits(p) {
		p.Notes = append(p.Notes, fmt.Sprintf("%d more are in the way", len(p.Blockers)-most))
		p.Blockers = p.Blockers[:most]
	}
	return p
}

// each changes a copy of every group.
func (p Preview) each(change func(*PreviewGroup)) Preview {
	p.Stages = slices.Clone(p.Stages)
	for i := range p.Stages {
		p.Stages[i].Groups = slices.Clone(p.Stages[i].Groups)
		for j := range p.Stages[i].Groups {
			group := &p.Stages[i].Groups[j]
			group.Instances = slices.Clone(group.Instances)
			change(group)
		}
	}
	return p
}

// FitScans leaves the ids out of scans that do not fit, and keeps their number.
func FitScans(groups [][]Scan) {
	if fits(groups) {
		return
	}
	for _, scans := range groups {
		for i := range scans {
			scans[i].MissingCount, scans[i].Missing = scans[i].MissingNumber(), []string{}
		}
	}
}
