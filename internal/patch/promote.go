package patch

import (
	"fmt"
	"slices"
	"strings"
)

// Promote says what the next stage may begin after.
type Promote string

// The ways to go on to the next stage.
const (
	// PromoteProven is the default: where a stage put an instance back, or left one as it was, a person approves the next.
	PromoteProven Promote = "proven"
	// PromoteWithSkips goes on by itself, whatever was put back or skipped.
	PromoteWithSkips Promote = "with_skips"
)

// Unproven are the instances of a group that its stage did not prove: put back, skipped, or failed otherwise. A group
// that was left out as a whole is named by itself.
func Unproven(group string, instances []InstanceResult, reason string) []NoticedInstance {
	var found []NoticedInstance
	for _, instance := range instances {
		switch instance.Outcome {
		case RolledBack, Skipped, Quarantined, Failed:
			found = append(found, NoticedInstance{
				Group: group, ID: instance.ID, Outcome: instance.Outcome, Reason: instance.Reason,
			})
		}
	}
	if len(instances) == 0 {
		found = append(found, NoticedInstance{Group: group, Outcome: Skipped, Reason: reason})
	}
	return found
}

// Gate is what a stage waits for before it begins.
type Gate struct {
	Timeout  Duration          // then it does not begin; 0: it waits for ever
	Unproven []NoticedInstance // what the stage before did not prove: whoever approves is told
}

// Gate is what a stage waits for, after the one before it left that unproven; nil: nothing. What an earlier stage did
// not prove lets no other begin by itself, whoever let the wave go on: max_failures, a silence, or a person, who saw
// one failure and not yet the whole stage. The plan may say otherwise.
func (p Plan) Gate(stage int, unproven []NoticedInstance) *Gate {
	if approval := p.Stages[stage].Approval; approval != nil {
		return &Gate{Timeout: approval.Timeout, Unproven: unproven}
	}
	if stage == 0 || len(unproven) == 0 || p.Promote == PromoteWithSkips {
		return nil
	}
	return &Gate{Timeout: p.Stages[stage-1].OnFailure.Timeout, Unproven: unproven}
}

// NotApproved is why an instance is not patched of which something became due once nothing was: nobody was asked to
// approve that. It is no check's; the wave asks then.
const NotApproved RefusalCode = "NotApproved"

// unprovenNamed is how many instances a person is named at a gate; the status and the notice have more.
const unprovenNamed = 10

// NotProven says what a stage did not prove; "" where it proved all.
func NotProven(stage string, unproven []NoticedInstance) string {
	if len(unproven) == 0 {
		return ""
	}
	var words []string
	for _, one := range unproven[:min(len(unproven), unprovenNamed)] {
		word := strings.TrimSpace(one.Group+" "+one.ID) + " " + one.Outcome.Words()
		if one.Reason != "" {
			word += " (" + one.Reason + ")"
		}
		words = append(words, word)
	}
	if more := len(unproven) - unprovenNamed; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return "stage " + stage + " did not prove the patches on " + strings.Join(words, ", ")
}

// PromotesUnproven says where a plan lets a stage begin after one that put instances back; "" where it does not.
func (p Plan) PromotesUnproven() string {
	if p.Promote != PromoteWithSkips || len(p.Stages) < 2 {
		return ""
	}
	open := slices.IndexFunc(p.Stages[1:], func(stage Stage) bool { return stage.Approval == nil })
	if open < 0 {
		return ""
	}
	return fmt.Sprintf("promote: with_skips lets stage %s begin by itself after instances of stage %s failed and were "+
		"put back; leave it out, and a person is asked first", p.Stages[open+1].Name, p.Stages[open].Name)
}
