package patch

import (
	"fmt"
	"slices"
	"strings"
)

// Promote says what of a stage lets the next one begin.
type Promote string

// What lets the next stage begin.
const (
	// PromoteClean is the default: every instance that the stage took is proven. Where one was skipped or put back, the
	// wave ends there.
	PromoteClean Promote = "clean"
	// PromoteWithSkips goes on whatever was put back or skipped; whoever approves the next stage is told of it first.
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

// Promotes says why a stage does not let the next one begin after it left that unproven; "" where it does. That holds
// whoever let the stage go on: max_failures, a silence, or a person, who saw one failure and not yet the whole stage.
func (p Plan) Promotes(stage int, unproven []NoticedInstance) string {
	if len(unproven) == 0 || p.Stages[stage].Promote == PromoteWithSkips || stage+1 >= len(p.Stages) {
		return ""
	}
	name := p.Stages[stage].Name
	return fmt.Sprintf("stage %s was not begun: %s, and %s lets it begin only where all of it is proven. Mend them and "+
		"start another wave, which leaves alone what is patched by now; or write promote: with_skips in stage %s",
		p.Stages[stage+1].Name, NotProven(name, unproven), name, name)
}

// NotApproved is why an instance is not patched of which something became due once nothing was: nobody was asked to
// approve that. It is no check's; the wave asks then.
const NotApproved RefusalCode = "NotApproved"

// unprovenNamed is how many instances a sentence names; the status and the notice have more.
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

// SkipEnds says what a skip in a stage leads to; "" where nothing but that stage is concerned.
func (p Plan) SkipEnds(stage int) string {
	if stage+1 >= len(p.Stages) || p.Stages[stage].Promote == PromoteWithSkips {
		return ""
	}
	return fmt.Sprintf("After a skip the wave ends with this stage: %s begins only where all of %s is proven "+
		"(promote: clean)", p.Stages[stage+1].Name, p.Stages[stage].Name)
}

// PromotionDoubts are what who wrote the plan may not have meant: a stage that begins by itself after failures,
// and one that carries failures and leads nowhere then.
func (p Plan) PromotionDoubts() (doubts []string) {
	for i, stage := range p.Stages[:max(len(p.Stages)-1, 0)] {
		next := p.Stages[i+1]
		carries := stage.MaxFailures != Share{} || stage.OnFailure.Then == Skip
		switch {
		case stage.Promote == PromoteWithSkips && next.Approval == nil:
			doubts = append(doubts, fmt.Sprintf("promote: with_skips lets stage %s begin by itself after instances of stage "+
				"%s failed and were put back; leave it out, or have stage %s approved", next.Name, stage.Name, next.Name))
		case stage.Promote != PromoteWithSkips && carries:
			doubts = append(doubts, fmt.Sprintf("stage %s goes on after a failure by itself (max_failures, or then: skip), and "+
				"stage %s does not begin then (promote: clean)", stage.Name, next.Name))
		}
	}
	return slices.Clip(doubts)
}
