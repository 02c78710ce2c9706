package wave

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// approve waits for a person where the stage asks for one, and ends the wave where the one before it does not promote.
// Where the stage does not go on, its outcome is told. Where nothing is due nobody is woken to approve nothing.
func (w *wave) approve(ctx workflow.Context, stage int) (outcome patch.Outcome, goesOn bool) {
	if stage > 0 {
		if why := w.plan.Promotes(stage-1, w.roster.unproven(stage-1)); why != "" {
			w.reason = strings.TrimPrefix(w.reason+"; "+why, "; ")
			return patch.Aborted, false
		}
		if outcome, goesOn = w.pin(ctx, stage); !goesOn {
			return outcome, false
		}
	}
	if outcome, goesOn = w.images(ctx, stage); !goesOn {
		return outcome, false
	}
	approval := w.plan.Stages[stage].Approval
	if approval == nil {
		return "", true
	}
	if w.asksNobody(stage) {
		w.turn.unasked = true
		return "", true
	}
	first := w.unprovenBefore(stage)
	return w.askApproval(ctx, stage, asked{
		approval: *approval, what: w.plan.Stages[stage].Name, first: first, text: w.approvalText(stage, first),
	})
}

// asksNobody reports whether nobody is asked to approve a stage: nothing is due, and there is nothing to look at first.
func (w *wave) asksNobody(stage int) bool {
	return w.unprovenBefore(stage) == "" && w.roster.nothingDue(stage, w.status.Only)
}

// asked is what people are asked to approve.
type asked struct {
	approval patch.Approval
	what     string // a stage, or a step of it
	first    string // what they should look at first
	text     string
}

// unprovenBefore says what the stages before one did not prove; "": they proved all.
func (w *wave) unprovenBefore(stage int) string {
	var said []string
	for before, planned := range w.plan.Stages[:stage] {
		if left := patch.NotProven(planned.Name, w.roster.unproven(before)); left != "" {
			said = append(said, left)
		}
	}
	return strings.Join(said, "; ")
}

// askApproval waits for a person.
func (w *wave) askApproval(ctx workflow.Context, stage int, about asked) (outcome patch.Outcome, goesOn bool) {
	approval := about.approval
	w.status.Case = w.caseOf(ctx, stage)
	w.ask(ctx, patch.StateAwaitingApproval, w.roster.of(stage), func(also string) string { return also + about.text })
	until := unless(ctx, approval.Timeout, patch.Reject)
	ask := func(ctx workflow.Context) {
		w.tell(ctx, patch.NoticeAwaitingApproval, until, func(n *patch.Notice) {
			n.Case = w.status.Case
			for _, before := range n.Case.Before {
				n.Instances = append(n.Instances, before.Unproven...)
			}
			n.Instances = n.Instances[:min(len(n.Instances), run.MostListed)]
		})
	}
	// Who looks may decide at once; people are told once there is all to be told.
	reading, stop := workflow.WithCancel(ctx)
	workflow.Go(reading, func(ctx workflow.Context) {
		w.readCase(ctx, stage)
		if ctx.Err() == nil && w.inbox.decision == nil {
			ask(ctx)
		}
	})
	decision := w.awaitDecision(ctx, approval.Timeout, patch.Decision{
		Verb: patch.Reject, Actor: patch.ByItself, Reason: "nobody approved within " + approval.Timeout.String(),
		Point: w.status.Point(),
	}, ask)
	stop()
	if decision.Verb == patch.Approve {
		return w.awaitWindow(ctx, stage, decision)
	}
	w.reason = fmt.Sprintf("%s was not approved: %s: %s", about.what, decision.Actor, decision.Reason)
	if about.first != "" {
		w.reason += "; " + about.first
	}
	return patch.Aborted, false
}

// approveAfterAll makes the images, and asks, for what became due after none was made for nothing and nobody was asked
// to approve nothing.
func (w *wave) approveAfterAll(
	ctx workflow.Context, stage int, held []*lockedGroup,
) (outcome patch.Outcome, goesOn bool) {
	w.makeWait(ctx, w.roster.pausable(stage))
	if w.turn.imageless {
		if outcome, goesOn = w.haveImages(ctx, stage); !goesOn {
			w.stop(ctx, stage, patch.StateAborting)
			return outcome, false
		}
	}
	first := "patches became due since the wave began: " + becameDue(held)
	if w.turn.unasked {
		if outcome, goesOn = w.askApproval(ctx, stage, asked{
			approval: *w.plan.Stages[stage].Approval, what: w.plan.Stages[stage].Name, first: first,
			text: w.approvalText(stage, first),
		}); !goesOn {
			w.stop(ctx, stage, patch.StateAborting)
			return outcome, false
		}
	}
	w.turn.unasked = false
	return w.goOnFrom(ctx, stage, held, group.OrderRetry)
}

// allUnapproved reports whether groups are held for nothing but patches that nobody was asked to approve.
func allUnapproved(held []*lockedGroup) bool {
	for _, one := range held {
		for _, instance := range one.counts.Failed {
			if isFailed(instance) && instance.Refused != patch.NotApproved {
				return false
			}
		}
	}
	return true
}

// becameDue names the instances with what each says.
func becameDue(held []*lockedGroup) string {
	var said []string
	for _, one := range held {
		said = append(said, notWhole(one, isFailed))
	}
	return strings.Join(said, "; ")
}

// mostToApprove is how many groups the question lists; the status has them all.
const mostToApprove = 20

// approvalText tells what the stages before left unproven, and what will happen; the case tells the rest.
func (w *wave) approvalText(stage int, left string) string {
	if left != "" {
		left = "Look first: " + left + ". "
	}
	soaked := ""
	if stage > 0 && w.status.Stages[stage-1].Soak != nil {
		before := w.status.Stages[stage-1]
		soaked = before.Soak.Told(before.Name, before.Soak.Ended, brief.UTC) + ". "
	}
	var groups []string
	all := w.roster.of(stage)
	for _, held := range all[:min(len(all), mostToApprove)] {
		groups = append(groups, fmt.Sprintf("%s: %s, %s missing in all", held.group,
			plain.Plural(held.counts.Total, "instance"), plain.Plural(held.missing, "patch")))
	}
	if more := len(all) - mostToApprove; more > 0 {
		groups = append(groups, fmt.Sprintf("and %d more groups", more))
	}
	return fmt.Sprintf("%s%sStage %s: %s%s. Send approve or reject.", left, soaked, w.plan.Stages[stage].Name,
		strings.Join(groups, "; "), takesOnly(w.request.Only))
}
